#!/bin/sh
# The shipped models: small, loadable, of long context and single digits, and as
# good as their folder says. usage: models.sh TERNMARK FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ternmark=$1
models=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failed=0
. "$here/expect.sh"

wrong() {
  echo "$*"
  failed=1
}

for name in mini-ternary mini-fp16; do
  model=$models/$name.gguf
  [ "$(wc -c <"$model")" -le 4194304 ] || wrong "$model: more than 4 MiB"
  "$ternmark" inspect "$model" >keys
  grep -q "context_length  *2048$" keys || wrong "$model: another context"
  grep -q "vocab_size  *1280$" keys || wrong "$model: another vocabulary"
  [ "$("$ternmark" tokenize "$model" -p 12345 | wc -w)" = 5 ] || wrong "$model: digits are not tokens of their own"
  expect 0 "#### " "$ternmark" run "$model" -n 80 -p "Question: Tom has 5 boxes with 9 cups in each box. How many cups has Tom?
Answer:"
  # Logits are the same bits on every machine, so that scores are, too.
  for split in word-tuples choice-facts yesno-passages; do
    "$ternmark" train score "$model" --split $split | sed 1d >now
    grep "^$split," "$models/$name.scores.csv" >then
    diff then now || wrong "$model: scores on $split are not those of $name.scores.csv"
  done
done

# The vocabulary is that of the mini set's text, made anew.
"$ternmark" train data mini >/dev/null 2>&1
"$ternmark" train tokenizer mini/train.jsonl --vocab 1280 -o tokenizer.gguf >/dev/null 2>&1
cmp tokenizer.gguf "$models/tokenizer.gguf" || wrong "$models/tokenizer.gguf: is made otherwise than README.md tells"

"$here/models_table.sh" "$models" >table
grep -vxFf "$models/README.md" table >missing && wrong "README.md has not these rows: $(cat missing)"
exit $failed
