# Records of measurements in, summaries out.
# A record: {"mode", "load", "round", "result": {"rate", "p50_us", …}}

# The value below which a share of a sorted array lies, between neighbours interpolated.
def quantile($q):
  sort | ((length - 1) * $q) as $at | ($at | floor) as $i
  | .[$i] + (($at - $i) * ((.[$i + 1] // .[$i]) - .[$i]));

def spread:
  {median: quantile(0.5), q1: quantile(0.25), q3: quantile(0.75), min: min, max: max};

# The ratio to the peer is taken within each round, where both met the same conditions.
def ratios($records; $peer):
  [.[] | . as $r | $records[]
   | select(.mode == $peer and .load == $r.load and .round == $r.round)
   | $r.result.rate / .result.rate];

def summary($modes; $loads):
  . as $records
  | [$loads[] as $load | $modes[] as $mode
     | [$records[] | select(.load == $load and .mode == $mode)]
     | select(length > 0)
     | {load: $load, mode: $mode, rounds: length,
        rate: (map(.result.rate) | spread),
        p50_us: (map(.result.p50_us) | spread),
        p99_us: (map(.result.p99_us) | spread),
        p999_us: (map(.result.p999_us) | spread),
        lost: (map(.result.lost) | add),
        ratio: (ratios($records; $modes[0]) | if length > 0 then spread else null end)}];

def fixed($digits):
  pow(10; $digits) as $p | (. * $p | round) as $n
  | ($n / $p | floor | tostring)
    + if $digits == 0 then ""
      else "." + (($n % $p) + $p | tostring | .[1:]) end;

# 12345 → 12,345
def grouped:
  round | tostring
  | until(test("^[0-9]{1,3}(,|$)"); sub("(?<a>[0-9])(?<b>[0-9]{3}(,.*)?)$"; "\(.a),\(.b)"));

def right($width): tostring | (" " * ($width - length) // "") + .;
def left($width): tostring | . + (" " * ($width - length) // "");

def row($width; $titles):
  ($titles[.mode] | left($width))
  + (.rate.median | grouped | right(11))
  + ("\(.rate.min | grouped)–\(.rate.max | grouped)" | right(17))
  + (.p50_us.median | fixed(1) | right(9))
  + (.p99_us.median | fixed(1) | right(9))
  + (if .ratio then .ratio.median | fixed(2) else "-" end | right(9))
  + (if .ratio then "\(.ratio.min | fixed(2))–\(.ratio.max | fixed(2))" else "" end | right(13));

# The summary as lines for people.
def table($titles; $load_titles):
  ([.[].mode | $titles[.] | length] | max + 2) as $width
  | (reduce .[] as $s ([]; if index($s.load) then . else . + [$s.load] end)) as $loads
  | . as $all
  | $loads[] as $load
  | ($load_titles[$load] | left($width)) + ("per second" | right(11)) + ("min–max" | right(17))
    + ("p50 µs" | right(9)) + ("p99 µs" | right(9)) + ("of host" | right(9))
    + ("min–max" | right(13)),
    ($all[] | select(.load == $load) | row($width; $titles)),
    "";

def csv_rows:
  ["load", "mode", "rounds", "rate_median", "rate_q1", "rate_q3", "rate_min", "rate_max",
   "p50_us", "p99_us", "p999_us", "lost", "ratio_median", "ratio_q1", "ratio_q3", "ratio_min",
   "ratio_max"],
  (.[] | [.load, .mode, .rounds, .rate.median, .rate.q1, .rate.q3, .rate.min, .rate.max,
          .p50_us.median, .p99_us.median, .p999_us.median, .lost, .ratio.median, .ratio.q1,
          .ratio.q3, .ratio.min, .ratio.max])
  | @csv;
