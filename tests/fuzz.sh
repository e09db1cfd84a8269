#!/bin/sh
# usage: fuzz.sh TERNMARK FUZZER SECONDS: seeds made by synth, then libFuzzer.
set -eu
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
for type in i2_s tq2_0 tq1_0 f16 q8_0 bf16; do
  "$1" synth tiny --layers 1 --type "$type" -o "$corpus/$type.gguf" >/dev/null
  # The head of the file is what the reader parses; whole tensors only slow the fuzzer.
  head -c 24000 "$corpus/$type.gguf" >"$corpus/$type.cut"
done
"$2" -max_total_time="$3" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$corpus/" \
  -print_final_stats=1 "$corpus" || {
  for crash in "$corpus"/crash-* "$corpus"/oom-* "$corpus"/timeout-*; do
    [ -e "$crash" ] && base64 "$crash" | head -c 4000
  done
  exit 1
}
