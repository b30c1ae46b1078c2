# A gnuplot script out of a summary: a group of bars for each load, a bar for each mode, as a share of
# what the first mode reaches; below, how the cost grows with what a host carries.
include "stats";

def chart_loads: [
  {load: "tcp_rr", label: "TCP\\nrequest/response"}, {load: "udp_rr", label: "UDP\\nrequest/response"},
  {load: "tcp_crr", label: "TCP connect,\\nrequest, close"}, {load: "http", label: "HTTP\\n(nginx, wrk)"},
  {load: "memcached", label: "memcached"}, {load: "bulk_tcp_in", label: "bulk TCP in,\\nbytes per CPU s"},
  {load: "bulk_tcp_out", label: "bulk TCP out,\\nbytes per CPU s"},
  {load: "c2c_tcp_rr", label: "container to\\ncontainer, TCP"}
];

# Ours are green, what they replace is red, the host is grey; related shades in each.
def colour:
  {host: "#707070", "host-rules": "#b8b8b8", "host-up": "#d4d4d4", underpass: "#0b7a53",
   macvlan: "#35a77c", netkit: "#7cc9a9", attach: "#b5e0cd", bridge: "#e2703a", cni: "#f0a67f",
   docker: "#b93a32"}[.] // "#5a7fb0";

def percent: . * 100;

# Bars grow with speed: a ratio of costs is turned over.
def speed($s):
  if $s.metric == "rate" then $s.ratio | {median, low, high}
  else $s.ratio | {median: (1 / .median), low: (1 / .high), high: (1 / .low)} end;

def of_mode($doc; $mode; $loads):
  [$loads | to_entries[] | . as $l | $doc.summary[]
   | select(.mode == $mode and .load == $l.value.load and .ratio) | {group: $l.key} + speed(.)];

# Whoever is held against itself is the line at 100 %.
def bar_modes: [.modes[1:][] | select(.name | . as $m | ["host-up"] | index($m) | not)];

def bars($doc; $loads; $modes):
  ($modes | length) as $n
  | $modes | to_entries[] | . as $m
  | "$bar\($m.key) << EOD",
    (of_mode($doc; $m.value.name; $loads)[]
     | "\(.group * ($n + 1.5) + $m.key) \(.median | percent) \(.low | percent) \(.high | percent)"),
    "EOD";

def tics($loads; $n):
  "set xtics (" + ([$loads | to_entries[]
    | "\"\(.value.label)\" \(.key * ($n + 1.5) + ($n - 1) / 2)"] | join(", ")) + ")";

def bar_plots($modes):
  "plot 100 notitle with lines lw 1.5 lc rgb '#333333', " + ([$modes | to_entries[]
    | "$bar\(.key) using 1:2 with boxes lc rgb '\(.value.name | colour)' title \(.value.title | tojson), "
      + "$bar\(.key) using 1:3:(0):($4 - $3) notitle with vectors nohead lw 1.3 lc rgb '#222222', "
      + "$bar\(.key) using 1:(3):(sprintf('%.0f', $2)) notitle with labels left rotate "
      + "font 'DejaVu Sans Bold,12' tc rgb '\(.value.name | if startswith("host-") then "#333333" else "#ffffff" end)'"]
    | join(", "));

# CPU time per unit in fuller and fuller worlds.
def curve($doc; $mode; $prefix; $sizes):
  [$sizes[] | . as $n | $doc.summary[]
   | select(.mode == $mode and .load == "\($prefix)\($n)" and .cpu_ns)
   | "\($n) \(.cpu_ns.median / 1000) \(.cpu_ns.low / 1000) \(.cpu_ns.high / 1000)"];

def curves($doc; $prefix; $sizes):
  [$doc.modes[] | . as $m | curve($doc; $m.name; $prefix; $sizes) | select(length > 1)
   | {mode: $m, points: .}];

def panel($doc; $prefix; $sizes; $title; $xlabel):
  curves($doc; $prefix; $sizes) as $c
  | select($c | length > 0)
  | ($c | to_entries[] | "$\($prefix)\(.key) << EOD", .value.points[], "EOD"),
    "set title \"\($title)\"", "set xlabel \"\($xlabel)\"",
    "plot " + ([$c | to_entries[]
      | "$\($prefix)\(.key) using 1:2 with linespoints lw 2.5 pt 7 ps 0.6 lc rgb "
        + "'\(.value.mode.name | colour)' notitle, "
        + "$\($prefix)\(.key) using 1:3:(0):($4 - $3) notitle with vectors nohead lw 1.3 lc rgb '#222222'"]
      | join(", "));

def panel_style: "unset grid", "set grid y lc rgb '#dddddd'", "set format y '%g'", "set logscale x",
  "set format x '%g'", "set xtics auto", "set xtics 10", "set yrange [0:*]", "set autoscale x",
  "set offsets graph 0.05, graph 0.05, graph 0.1, 0", "set bmargin 3.5",
  "set ylabel 'CPU µs each'", "unset label";

def chart($doc):
  ([chart_loads[] | select(.load as $l | any($doc.summary[]; .load == $l and .ratio))]) as $loads
  | ($doc | bar_modes) as $modes
  | ([$doc.summary[].load | select(startswith("crr_ports_") or startswith("rr_flows_"))]
     | length > 0) as $scale
  | "set terminal svg size 1280,\(if $scale then 900 else 560 end) font 'DejaVu Sans,13' background '#ffffff'",
    "set output out",
    "set multiplot",
    "set size 1,\(if $scale then 0.62 else 1 end)", "set origin 0,\(if $scale then 0.38 else 0 end)",
    "set title \"Speed of the ways to a container, in % of the host's own network (higher is better)\\n"
      + "{/*0.8 \($doc.machine.cpu), Linux \($doc.machine.kernel), \($doc.settings.rounds) rounds; "
      + "medians and their intervals}\" font ',16'",
    "set boxwidth 0.92", "set style fill solid 1.0 noborder", "set grid y lc rgb '#dddddd'",
    "set yrange [0:125]", "set pointintervalbox 0", "set format y '%g %%'", "set border 3 lc rgb '#888888'",
    "set tics nomirror", "set tics textcolor rgb 'black'", "set key bmargin center horizontal Left reverse width 1 samplen 1.5", "set bmargin 6.5",
    "set lmargin 8", "set rmargin 3",
    "set label \"\($doc.modes[0].title): 100 %\" at graph 0.5, first 104 center tc rgb '#333333'",
    "set xrange [-1.2:\(($loads | length) * (($modes | length) + 1.5) - 1.2)]",
    tics($loads; $modes | length),
    bars($doc; $loads; $modes),
    bar_plots($modes),
    (if $scale then
      panel_style,
      "set size 0.5,0.38", "set origin 0,0", "set title font ',14'",
      panel($doc; "crr_ports_"; [10, 1000, 10000]; "Cost of a connection"; "published ports"),
      "set origin 0.5,0",
      panel($doc; "rr_flows_"; [10, 1000, 100000]; "Cost of a request and its answer"; "live flows")
     else empty end),
    "unset multiplot";
