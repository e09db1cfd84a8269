#!/bin/sh
# usage: fuzz.sh TERNMARK FUZZER SECONDS [HF_FOLDER]: seeds for the reader that
# the fuzzer is named after (fuzz_<reader>), then libFuzzer. HF_FOLDER: the
# program that makes small Hugging Face folders.
set -eu
tests=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
corpus=$work/corpus
folders=${4:-}
mkdir "$corpus"

# little32 NUMBER...: each as a little-endian int32.
little32() {
  for n in "$@"; do
    printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $((n & 255)) $((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24 & 255)))"
  done
}
zeros() {
  head -c "$1" /dev/zero
}

seed_gguf() {
  for type in i2_s tq2_0 tq1_0 f16 q8_0 bf16; do
    "$1" synth tiny --layers 1 --type "$type" -o "$work/$type.gguf" >/dev/null
    # The head of the file is what the reader parses; whole tensors only slow the fuzzer.
    head -c 24000 "$work/$type.gguf" >"$corpus/$type.cut"
  done
}
# dim 8, hidden 8, 1 layer, 2 heads, 1 kv head, 4 tokens, context 2
seed_llama2c() {
  { little32 8 8 1 2 1 4 2; zeros 1824; } >"$corpus/tied"
  { little32 8 8 1 2 1 -4 2; zeros 1952; } >"$corpus/own"
  { little32 1634415666 1 8 8 1 2 1 4 2; printf '\001'; zeros 219; zeros 160; zeros 124; } >"$corpus/ternary"
}
# Small folders of every family and way to store weights.
make_folders() {
  for class in $("$folders" --list); do
    for store in dense packed divides online; do
      "$folders" "$class" "$store" "$work/$class-$store"
    done
  done
}
seed_config() {
  make_folders
  for folder in "$work"/*-*; do cp "$folder/config.json" "$corpus/$(basename "$folder")"; done
}
seed_safetensors() {
  header='{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}}'
  { little32 ${#header} 0; printf '%s' "$header"; zeros 19; } >"$corpus/two"
  make_folders
  for folder in "$work"/*-*; do
    { cat "$folder/config.json"; zeros 1; cat "$folder/model.safetensors"; } >"$corpus/$(basename "$folder")"
  done
}
seed_tokenizer_json() {
  cp "$tests"/fixtures/tokenizers/*.json "$corpus/"
}
seed_sentencepiece() {
  cp "$tests"/fixtures/tokenizers/*.model "$corpus/"
}
seed_tiktoken() {
  # "!" to "z", two pairs, all in rank order.
  printf 'IQ== 0\nIg== 1\nIw== 2\nYQ== 3\nYg== 4\nYWI= 5\nYWJh 6\n' >"$corpus/ranks"
}

export TMPDIR="$work"
name=$(basename "$2")
"seed_${name#fuzz_}" "$1"
"$2" -max_total_time="$3" -max_len=65536 -timeout=120 -rss_limit_mb=2048 -artifact_prefix="$work/" \
  -print_final_stats=1 "$corpus" || {
  for crash in "$work"/crash-* "$work"/oom-* "$work"/timeout-*; do
    [ -e "$crash" ] && base64 "$crash" | head -c 4000
  done
  exit 1
}
