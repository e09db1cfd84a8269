#!/bin/sh
# usage: same_output.sh PROGRAM OTHER COMMAND...: both must print the same last line.
here=$("$1") || exit 1
shift
there=$("$@") || exit 1
here=$(printf '%s\n' "$here" | tail -n 1)
there=$(printf '%s\n' "$there" | tail -n 1)
printf 'here:  %s\nthere: %s\n' "$here" "$there"
[ "$here" = "$there" ]
