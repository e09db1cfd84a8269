#!/bin/sh
# A model from text to answers by the command line: vocabulary, training that is
# interrupted and goes on, evaluation, export, generation; and what is said of
# mistakes. usage: train_commands.sh TERNMARK
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ternmark=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failed=0
. "$here/expect.sh"

need() {
  if ! "$@"; then
    echo "not so: $*"
    failed=1
  fi
}

for i in 0 1 2 3 4 5 6 7 8 9; do
  for j in 1 2 3 4 5 6 7 8 9; do
    echo "{\"prompt\": \"after $i comes\", \"completion\": \" $(((i + 1) % 10))\", \"task\": \"next\"}"
  done
done >train.jsonl
config() { # NAME STEPS
  cat <<JSON
{"name": "$1", "tokenizer": "tokenizer.gguf",
 "model": {"layers": 1, "hidden": 128, "ffn": 128, "heads": 2, "kv_heads": 1, "context": 32},
 "data": {"train": "train.jsonl", "eval": "train.jsonl"},
 "train": {"steps": $2, "batch_tokens": 256, "warmup": 5, "lr": 0.01, "eval_every": 100}}
JSON
}
config count 120 >count.json
config long 1000000 >long.json

expect 0 "tokenizer.gguf: 2" "$ternmark" train tokenizer train.jsonl --vocab 400 -o tokenizer.gguf
expect 0 "step 100 of 120: loss" "$ternmark" train count.json -o run
expect 1 "--resume goes on from it" "$ternmark" train count.json -o run
need grep -q "^120,.*,.*,.*,.*,.*,.*[0-9]" run/log.csv
if command -v gnuplot >/dev/null; then need grep -q "<svg" run/loss.svg; fi
expect 0 "train.jsonl,90," "$ternmark" train eval run/checkpoint.tern train.jsonl
expect 0 "count of step 120" "$ternmark" train export run/checkpoint.tern count.gguf
expect 0 " 8" "$ternmark" run count.gguf -p "after 7 comes" -n 4
expect 0 "bitnet-b1.58" "$ternmark" inspect count.gguf
expect 1 "multiples of 256" "$ternmark" train export run/checkpoint.tern no.gguf --type tq2_0
need test ! -e no.gguf

# A configuration brings the mini set along.
sed 's/"train.jsonl", "eval": "train.jsonl"/["set\/train.jsonl"], "mini": "set", "mini_items": 2000/
  s/"steps": 120, "batch_tokens": 256, "warmup": 5/"steps": 1, "batch_tokens": 2048, "warmup": 1/; s/"context": 32/"context": 2048/' count.json >mini.json
expect 0 "mini.gguf: count of step 1" "$ternmark" train mini.json -o mini --export mini.gguf
need test -s mini.gguf
need test "$(wc -l <set/train.jsonl)" = 2000

# Fine-tuning: adapters with early stopping, merged and beside their base.
for i in 0 1 2 3 4 5 6 7 8 9; do
  echo "{\"instruction\": \"before $i comes\", \"output\": \" $(((i + 9) % 10))\"}"
done >tune.jsonl
sed 's/"train.jsonl"/"tune.jsonl"/g; s/"eval_every": 100/"eval_every": 10, "patience": 5/
  s/"tokenizer":/"from": "count.gguf", "lora": {"rank": 4}, "tokenizer":/' count.json >tune.json
expect 0 "whole.gguf: count of step" "$ternmark" train tune.json -o tune --export whole.gguf
expect 0 "codes changed; rounding took" "$ternmark" train export tune/best.tern tuned.gguf
need cmp whole.gguf tuned.gguf
expect 0 "of step" "$ternmark" train export tune/best.tern tuned-f16.gguf --type f16
expect 0 "comes" "$ternmark" run tuned-f16.gguf -p "before 3 comes" -n 2 --echo
expect 0 "adapters.gguf: count of step" "$ternmark" train export tune/best.tern adapters.gguf --adapters
"$ternmark" train eval run/checkpoint.tern --adapters adapters.gguf tune.jsonl >beside
"$ternmark" train eval tune/best.tern tune.jsonl >whole
need cmp beside whole
expect 1 "no adapters to write" "$ternmark" train export run/checkpoint.tern no.gguf --adapters
expect 1 "bad.jsonl:1: \"output\": want a text" sh -c 'echo "{\"instruction\": \"a\"}" >bad.jsonl; exec "$0" train eval run/checkpoint.tern bad.jsonl' "$ternmark"
expect 2 "--adapters stands without" "$ternmark" train export tune/best.tern x.gguf --adapters --type f16

# Interrupted: a checkpoint is written, and the run goes on from it.
"$ternmark" train long.json -o long >said 2>&1 </dev/null &
run=$!
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  grep -q "step 100 of" said && break
  sleep 0.5
done
kill -TERM $run # background jobs of a shell ignore INT
got=0
wait $run || got=$?
need test "$got" = 130
need grep -q "interrupted at step" said
need test -e long/checkpoint.tern
at=$(sed 's/.*interrupted at step \([0-9]*\) .*/\1/; t; d' said)
expect 0 "steps $((at + 1)) to $((at + 2))" "$ternmark" train long.json -o long --resume --steps $((at + 2))

expect 1 "did you mean train.lr?" sh -c 'sed "s/\"lr\"/\"lrr\"/" count.json >typo.json; exec "$0" train typo.json -o typo' "$ternmark"
expect 2 "which configuration" "$ternmark" train
expect 2 "which text" "$ternmark" train tokenizer
expect 2 "give a checkpoint" "$ternmark" train export run/checkpoint.tern
expect 2 "is not known" "$ternmark" train export run/checkpoint.tern x.gguf --type q9
expect 1 "not a checkpoint" "$ternmark" train eval count.gguf train.jsonl
expect 0 "docs/training.md" "$ternmark" train --help
exit $failed
