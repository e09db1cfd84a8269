#!/bin/sh
# bench --profile from the command line: times and counters of every call in
# profile.csv, and what metering costs in the manifest. usage:
# profile_commands.sh TERNMARK
set -eu
ternmark=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "$*"
  cat said
  exit 1
}

"$ternmark" synth tiny -o tiny.gguf >said 2>&1 || fail "no model"
"$ternmark" bench --model tiny.gguf --engines ternary -t 1 -p 16 -n 4 --blocks 1 --profile --out r \
  >said 2>&1 </dev/null || fail "bench --profile: exit code $?"
for call in prefill-16 decode-4; do
  # Times alone, then at least one pass of counters; each with its thread and the sum.
  times=$(grep -c "^\"ternary\",.*\"$call\",\"[a-z]*\",,1,.*,qkv," r/profile.csv) || :
  counted=$(grep -c "^\"ternary\",.*\"$call\",\"[a-z]*\",[0-9][0-9]*,1,.*,qkv," r/profile.csv) || :
  [ "$times" = 2 ] || fail "ternary $call: $times rows of times"
  [ "$counted" -ge 2 ] || fail "ternary $call: $counted rows with counters"
done
grep -q '"counters_cost_s": [0-9]' r/manifest.json || fail "the manifest does not tell what metering costs"
