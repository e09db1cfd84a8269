#!/bin/sh
# An eval as a whole: killed, out of disk, in shards, it leaves the same bytes;
# the gate's exit codes. usage: eval_commands.sh TERNMARK SOURCE
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ternmark=$1
model=$2/datasets/models/mini-ternary.gguf
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failed=0
. "$here/expect.sh"

cp "$model" model.gguf

tasks=mini_choice_facts,mini_story_combinations,mini_word_tuples
become_eval() { # OUT OPTIONS...
  out=$1
  shift
  exec "$ternmark" eval $tasks model.gguf --limit 12 --most-tokens 8 --out "$out" --quiet "$@"
}
evaluate() { (become_eval "$@"); }
same() {
  for file in whole/results.json whole/samples_*.jsonl; do
    cmp "$file" "$1/${file#whole/}" || failed=1
  done
}

expect 0 "mini_story_combinations" evaluate whole --save-baseline baseline.json

# Killed after 1, 9, 17, ... items, then gone on with.
lines=2
while [ $lines -lt 37 ]; do
  rm -rf killed
  become_eval killed >/dev/null 2>&1 &
  pid=$!
  tries=0 # one that ends early is a zombie, which still takes signals
  while [ $tries -lt 20000 ] && kill -0 $pid 2>/dev/null; do
    [ ! -e killed/journal.jsonl ] || [ "$(wc -l <killed/journal.jsonl)" -lt $lines ] || break
    tries=$((tries + 1))
  done
  kill -9 $pid 2>/dev/null || :
  wait $pid 2>/dev/null || :
  # a kill can also come in the middle of a line
  printf '{"task":"mini_ch' >>killed/journal.jsonl
  expect 0 "mini_story_combinations" evaluate killed
  same killed
  lines=$((lines + 16))
done

full() { (ulimit -f 8 && become_eval full); }
expect 1 "make room, then the same command goes on" full
expect 0 "mini_story_combinations" evaluate full
same full

for i in 1 2 3; do evaluate part$i --shard $i/3 >/dev/null; done
expect 0 "mini_story_combinations" "$ternmark" eval merge --out merged part3 part1 part2
same merged
expect 1 "shard 1 of 3; 2 folders were given" "$ternmark" eval merge --out lacking part1 part2
expect 0 "all equal to the bit" "$ternmark" eval compare whole merged

mkdir again && cp whole/journal.jsonl again
expect 0 "mini_story_combinations" "$ternmark" eval --from again/journal.jsonl --quiet
same again

expect 0 "gate: pass: 36 items compared to the bit, 0 changed" evaluate gate --gate baseline.json
sed 's/"lls": \[-\([0-9]*\)\./"lls": [-\10./' baseline.json >moved.json
export GITHUB_STEP_SUMMARY="$folder/page"
expect 4 "gate: REGRESSION: 36 items compared to the bit" evaluate gate --gate moved.json
grep -q "REGRESSION" page || { echo "the summary page lacks the verdict"; failed=1; }
grep -q "<failure message=\"REGRESSION" gate/gate.xml || { echo "gate.xml lacks the failure"; failed=1; }
# No answer fits in 8 tokens; the baseline is made to have one of them right.
sed 's/"kv": "f32"/"kv": "int8"/; 0,/"exact_match,strict-match": 0.0/s//"exact_match,strict-match": 1.0/' \
  baseline.json >other.json
expect 3 "gate: undecided" evaluate gate --gate other.json
expect 1 "12 items before, 4 now" "$ternmark" eval compare baseline.json part1
expect 1 "none.json: cannot read the baseline" evaluate gate --gate none.json
expect 2 "not a shard" evaluate gate --gate baseline.json --shard 1/2
exit $failed
