#!/bin/sh
# synth, inspect and convert from the command line: exit codes, messages, and
# nothing half-written. usage: format_commands.sh TERNMARK
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ternmark=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failed=0
. "$here/expect.sh"

expect 0 2B4T "$ternmark" synth --list
expect 0 Examples: "$ternmark" synth --help
expect 2 "nearest: 2B4T" "$ternmark" synth 2B4 -o x.gguf
expect 2 "which shape" "$ternmark" synth -o x.gguf
expect 2 "where to" "$ternmark" synth tiny
expect 2 "unknown type" "$ternmark" synth tiny -o x.gguf --type q3
expect 2 "--layers" "$ternmark" synth tiny -o x.gguf --layers 0
expect 2 "--seed" "$ternmark" synth tiny -o x.gguf --seed -1
expect 1 "2 layers" "$ternmark" synth tiny -o x.gguf --layers 3
expect 1 "/nonexistent/x.gguf" "$ternmark" synth tiny -o /nonexistent/x.gguf
expect 1 "/dev/null" "$ternmark" synth tiny -o /dev/null
[ ! -e x.gguf ] || { echo "a refused synth wrote a file"; failed=1; }

expect 0 "0.001 GB" "$ternmark" synth tiny -o tiny.gguf
expect 0 "% zero" "$ternmark" inspect tiny.gguf
expect 0 '"zero_share": 0.33' "$ternmark" inspect tiny.gguf --json
expect 0 '"zero_share": null' "$ternmark" inspect tiny.gguf --json --fast
expect 1 "no_such.gguf" "$ternmark" inspect no_such.gguf
head -c 9000 tiny.gguf >cut.gguf
expect 1 "truncated" "$ternmark" inspect cut.gguf
expect 2 "want an input" "$ternmark" convert tiny.gguf
expect 1 "no_such" "$ternmark" convert no_such.gguf out.gguf
[ ! -e out.gguf ] || { echo "a refused convert wrote a file"; failed=1; }

# Ended by a signal in the middle: exit code 130 and no file, whole or part.
mkdir big
"$ternmark" synth 2B4T -o big/x.gguf >said 2>&1 &
pid=$!
while [ -z "$(ls big)" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -TERM $pid 2>/dev/null || true
got=0
wait $pid || got=$?
if [ $got != 130 ] || [ -n "$(ls big)" ] || ! grep -q interrupted said; then
  echo "an interrupted synth: exit code $got, left: $(ls big), said: $(cat said)"
  failed=1
fi
exit $failed
