# Records of measurements in, summaries out.
# A record: {"mode", "load", "round", "result": {"rate", "cpu_ns", "p50_us", …}}

# The value below which a share of a sorted array lies, between neighbours interpolated.
def quantile($q):
  sort | ((length - 1) * $q) as $at | ($at | floor) as $i
  | .[$i] + (($at - $i) * ((.[$i + 1] // .[$i]) - .[$i]));

# How likely at most $k of $n fair coins show heads.
def coins($n; $k):
  def choose($n; $k): reduce range($k) as $i (1; . * ($n - $i) / ($i + 1));
  ([range($k + 1)] | map(choose($n; .)) | add) / pow(2; $n);

# An interval for the median that supposes nothing about how values are distributed: between the
# k-th smallest and the k-th largest lies the true median unless more than n - k values fell on one
# side of it. The tightest one of 95 %; the widest one there is where too few values allow none.
def interval:
  sort as $v | length as $n
  | ([range(1; ($n / 2 | floor) + 1) | select(2 * coins($n; . - 1) <= 0.05)] | max // 1) as $k
  | {low: $v[$k - 1], high: $v[$n - $k], level: (1 - 2 * coins($n; $k - 1))};

def spread:
  {median: quantile(0.5), q1: quantile(0.25), q3: quantile(0.75), min: min, max: max} + interval;

def spread_of(f): map(f // empty) | if length > 0 then spread else null end;

# The ratio to a peer is taken within each round, where both met the same conditions.
def ratios($all; $peer; $load; $metric):
  [.[] as $r | $all[] | select(.mode == $peer and .load == $load and .round == $r.round)
   | select(.result[$metric] and $r.result[$metric])
   | $r.result[$metric] / .result[$metric]];

def some_spread: if length > 0 then spread else null end;

# All records in; a row for each load and mode.
def summary($modes; $loads):
  . as $all
  | [$loads[] as $load | $modes[] as $mode
     | [$all[] | select(.load == $load.name and .mode == $mode.name)]
     | select(length > 0)
     | {load: $load.name, mode: $mode.name, rounds: length, metric: $load.metric,
        rate: spread_of(.result.rate), cpu_ns: spread_of(.result.cpu_ns),
        p50_us: spread_of(.result.p50_us), p99_us: spread_of(.result.p99_us),
        p999_us: spread_of(.result.p999_us), ms: spread_of(.result.ms), bytes: spread_of(.result.bytes),
        lost: (map(.result.lost // 0) | add),
        ratio: (ratios($all; $modes[0].name; $load.name; $load.metric) | some_spread),
        cpu_ratio: (ratios($all; $modes[0].name; $load.name; "cpu_ns") | some_spread)}];

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

def cell(f; $width): (if . then f else "-" end) | right($width);

def between: "\(.low | fixed(2))–\(.high | fixed(2))";

# Three digits that matter, whatever the size.
def digits3: if . >= 1000 then grouped elif . >= 100 then fixed(0) elif . >= 10 then fixed(1)
  else fixed(2) end;

def row($title; $width):
  ($title | left($width))
  + (.rate | cell(.median | grouped; 11))
  + (.p50_us | cell(.median | digits3; 9)) + (.p99_us | cell(.median | digits3; 9))
  + (.p999_us | cell(.median | digits3; 9))
  + (.cpu_ns | cell(.median / 1000 | digits3; 9))
  + (.ratio | cell(.median | fixed(2); 9)) + (.ratio | cell(between; 12))
  + (.cpu_ratio | cell(.median | fixed(2); 7));

def header($title; $peer; $width):
  ($title | left($width))
  + ("per second" | right(11)) + ("p50 µs" | right(9)) + ("p99 µs" | right(9))
  + ("p99.9 µs" | right(9)) + ("CPU µs" | right(9)) + ("of \($peer)" | right(9))
  + ("interval" | right(12)) + ("CPU" | right(7));

# What is done once, and takes a while, and what it holds then.
def once_header($title; $width):
  ($title | left($width)) + ("ms" | right(11)) + ("interval" | right(18)) + ("MB" | right(11));

def once_row($title; $width):
  ($title | left($width)) + (.ms | cell(.median | digits3; 11))
  + (.ms | cell("\(.low | digits3)–\(.high | digits3)"; 18))
  + (.bytes | cell(.median / 1e6 | digits3; 11));

def is_once: . == "ms" or . == "bytes";

# The summary as lines for people. Loads of one mode only have nobody to be held against here: the
# goals tell about them.
def table:
  . as $doc
  | ([.modes[], .loads[] | .title | length] | max + 2) as $width
  | .loads[] as $load
  | [.summary[] | select(.load == $load.name)] | select(length > 0)
  | if $load.metric | is_once then once_header($load.title; $width)
    else header($load.title; $doc.modes[0].name; $width) end,
    (.[] as $row | $doc.modes[] | select(.name == $row.mode) | .title as $title
     | $row | if .metric | is_once then once_row($title; $width) else row($title; $width) end),
    "";

def of_spread($name): if . then [.median, .q1, .q3, .min, .max, .low, .high] else [range(7) | null] end;

def csv:
  ["rate", "cpu_ns", "p50_us", "p99_us", "p999_us", "ms", "bytes", "ratio", "cpu_ratio"] as $values
  | ["kernel", "cpu", "load", "mode", "rounds", "lost"]
    + [$values[] | "\(.)_median", "\(.)_q1", "\(.)_q3", "\(.)_min", "\(.)_max", "\(.)_low", "\(.)_high"],
  (.machine as $m | .summary[] | . as $row
   | [$m.kernel, $m.cpu, .load, .mode, .rounds, .lost] + [$values[] as $v | $row[$v] | of_spread($v)[]])
  | @csv;
