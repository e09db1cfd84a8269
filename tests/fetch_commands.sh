#!/bin/sh
# fetch from the command line: exit codes, messages, what lies where.
# usage: fetch_commands.sh TERNMARK
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ternmark=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failed=0
. "$here/expect.sh"
unset TERN_DATA XDG_CACHE_HOME
export HOME="$folder"

expect 0 bitnet-2b4t-gguf "$ternmark" fetch --list
expect 0 "Data folder: $folder/.cache/ternmark/data" "$ternmark" fetch --list
expect 0 '"licence": "MIT"' "$ternmark" fetch --list --json
expect 0 Examples: "$ternmark" fetch --help
expect 2 "what to fetch" "$ternmark" fetch
expect 2 "did you mean 'gsm8k'" "$ternmark" fetch gsm8
expect 2 "is not in 1..3600" "$ternmark" fetch --timeout 0 gsm8k
expect 1 "no_such.json" "$ternmark" fetch --list --manifest no_such.json
expect 1 "is no folder" "$ternmark" fetch gsm8k --from nowhere

# a list of one's own, files from a folder
mkdir mine
printf '{"a": 1}\n{"a": 2}\n' >mine/rows.jsonl
cat >list.json <<'LIST'
{"ternmark_manifest": 1, "entries": [{"name": "own", "kind": "data", "what": "rows", "licence": "none", "home": "here",
  "files": [{"file": "rows.jsonl", "address": null, "sha256": null, "rows": 2, "note": "made by a test"}]}]}
LIST
expect 1 "has none of its files" "$ternmark" fetch own --manifest list.json --data d --from "$here"
expect 1 "no address" "$ternmark" fetch own --manifest list.json --data d
expect 0 "is held from now on" "$ternmark" fetch own --manifest list.json --data d --from mine
expect 0 "as at its first use" "$ternmark" fetch own --manifest list.json --data d
expect 0 '"state": "there"' "$ternmark" fetch all --manifest list.json --data d --json
expect 0 "here" "$ternmark" fetch --list --manifest list.json --data d
TERN_DATA=$folder/d expect 0 "there " "$ternmark" fetch own --manifest list.json
printf '{"a": 1}\n{"a": 3}\n' >d/rows.jsonl
expect 1 "it was changed" "$ternmark" fetch own --manifest list.json --data d
: >file
expect 1 "Not a directory" "$ternmark" fetch own --manifest list.json --data file --from mine

exit $failed
