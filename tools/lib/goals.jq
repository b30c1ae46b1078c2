# What underpass wants to reach, held against what was measured. Each goal is a ratio of two
# measurements of the same round.
include "stats";

def goal($text; $of; $to; $metric; $want; $value):
  {$text, mode: $of[0], load: $of[1], peer_mode: $to[0], peer_load: $to[1], $metric, $want, $value};

def at_least($text; $mode; $load; $peer; $value):
  goal($text; [$mode, $load]; [$peer, $load]; "rate"; "≥"; $value);

def at_most($text; $mode; $load; $peer; $metric; $value):
  goal($text; [$mode, $load]; [$peer, $load]; $metric; "≤"; $value);

# A measurement by itself.
def below($text; $mode; $load; $metric; $value):
  goal($text; [$mode, $load]; [null, null]; $metric; "≤"; $value);

# The same load and mode in a fuller world.
def flat($text; $mode; $load; $from; $to):
  goal($text; [$mode, $load + $to]; [$mode, $load + $from]; "rate"; "≥"; 0.95);

# Why a goal may be out of reach, and what was tried: by load.
def goal_notes: {
  tcp_rr: ("What the host's own network does not have is the second veth. Programs that know one flow by "
    + "heart and look nothing up still took 0.25 to 0.45 µs more than the host's 4.8 µs: the veth, its "
    + "backlog and the redirects. Ours take 0.12 µs by perf, a third of it to find the flow. Kept: a key "
    + "of 20 bytes for IPv4, a path of its own for plain packets of flows in use, nothing written in "
    + "place at the uplink's egress (together a quarter less in the programs, 0.03 µs of a request). "
    + "Tried without effect: parsing without a call."),
  tcp_crr: ("Making and finding the new flow took 1.2 to 2 µs of 27 to 36 µs per connection; the rest is "
    + "the veth, as above, for each of its packets. Tried: entries allocated in advance (1.2 µs less in "
    + "the program, and no clear difference in all: not kept); a sweeper that looks at a flow when it "
    + "may be over, and not as soon as it begins or ends (0.08 µs less: kept)."),
  pps_drop: ("The rate includes making the packets and carrying them over a veth, on the same CPU, which "
    + "both have to bear; the program's own time is in bench.json."),
  setup_add: "Includes starting the plugin and entering the namespace from a shell.",
  setup_ports: "Includes starting the program; the table is one row."
};

def goals_list: [
  at_least("TCP request/response over veth, of the host's"; "underpass"; "tcp_rr"; "host"; 0.95),
  at_least("UDP request/response over veth, of the host's"; "underpass"; "udp_rr"; "host"; 0.95),
  at_least("TCP request/response over macvlan, of the host's"; "macvlan"; "tcp_rr"; "host"; 0.99),
  at_least("UDP request/response over macvlan, of the host's"; "macvlan"; "udp_rr"; "host"; 0.99),
  at_least("connects, of the host's"; "underpass"; "tcp_crr"; "host"; 1),
  at_least("connects, of the host's with docker's rules"; "underpass"; "tcp_crr"; "host-rules"; 1),
  at_most("bulk TCP in, CPU per byte, of the host's"; "underpass"; "bulk_tcp_in"; "host"; "cpu_ns"; 1.05),
  at_most("bulk TCP out, CPU per byte, of the host's"; "underpass"; "bulk_tcp_out"; "host"; "cpu_ns"; 1.05),
  at_least("container to container, TCP, of the bridge's"; "underpass"; "c2c_tcp_rr"; "bridge"; 1.3),
  at_least("container to container, UDP, of the bridge's"; "underpass"; "c2c_udp_rr"; "bridge"; 1.3),
  at_least("host to container, TCP, of the bridge's"; "underpass"; "h2c_tcp_rr"; "bridge"; 1.3),
  flat("packets, 10 to 100,000 flows"; "underpass"; "rr_flows_"; "10"; "100000"),
  flat("connects, 10 to 100,000 flows"; "underpass"; "crr_flows_"; "10"; "100000"),
  flat("packets, 10 to 10,000 ports"; "underpass"; "rr_ports_"; "10"; "10000"),
  flat("connects, 10 to 10,000 ports"; "underpass"; "crr_ports_"; "10"; "10000"),
  at_least("denied packets dropped, of iptables DROP's"; "underpass"; "pps_drop"; "bridge"; 10),
  at_most("CNI ADD, of bridge + portmap"; "underpass"; "setup_add"; "cni"; "ms"; 0.1),
  below("CNI ADD, ms"; "underpass"; "setup_add"; "ms"; 10),
  at_most("CNI ADD + DEL, of bridge + portmap"; "underpass"; "setup_add_del"; "cni"; "ms"; 0.1667),
  below("publish 10,000 ports, ms"; "underpass"; "setup_ports"; "ms"; 5)
];

# A ratio for each round in which both were measured.
def goal_ratios($all):
  . as $g
  | if $g.peer_mode == null then
      [$all[] | select(.mode == $g.mode and .load == $g.load) | .result[$g.metric]]
    else
    [$all[] | select(.mode == $g.mode and .load == $g.load) as $r
     | $all[] | select(.mode == $g.peer_mode and .load == $g.peer_load and .round == $r.round)
     | $r.result[$g.metric] / .result[$g.metric]]
    end;

# Where the interval lies on one side of the goal, that is said; else the noise forbids a verdict, as
# fewer than 5 rounds do.
def verdict($g):
  if . == null then "not measured"
  elif .level < 0.9 then "undecided: too few rounds"
  elif ($g.want == "≥" and .low >= $g.value) or ($g.want == "≤" and .high <= $g.value) then "reached"
  elif ($g.want == "≥" and .high < $g.value) or ($g.want == "≤" and .low > $g.value) then "missed"
  else "undecided" end;

# All records in.
def goals:
  . as $all
  | [goals_list[] as $g | ($g | goal_ratios($all) | some_spread) as $s
     | $g + {measured: $s, verdict: ($s | verdict($g))}];

# The goals of a summary as lines for people.
def goals_table:
  [.goals[] | select(.measured)] as $goals
  | select($goals | length > 0)
  | ([$goals[].text | length] | max + 2) as $width
  | ("goals" | left($width)) + ("want" | right(8)) + ("is" | right(8)) + ("interval" | right(14)),
    ($goals[] | (.text | left($width)) + ("\(.want) \(.value | fixed(2))" | right(8))
      + (.measured.median | fixed(2) | right(8)) + (.measured | between | right(14))
      + "  " + .verdict),
    ([$goals[] | select(.verdict != "reached" and goal_notes[.load]) | .load] | unique[]
     | "", "\(.): \(goal_notes[.])");
