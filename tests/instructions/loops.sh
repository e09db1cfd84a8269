#!/bin/sh
# What the compiler made of the ARM kernels: the innermost loops that multiply
# keep every vector in a register (gcc 12 moves accumulators of the intrinsics
# through the stack). usage: loops.sh ARCHIVE OBJDUMP AR
set -u
archive=$1 objdump=$2 ar=$3
[ -f "$archive" ] || { echo "$archive: not built"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp "$archive" "$work/kernels.a" || exit 1
cd "$work" || exit 1
status=0

loops_of() {
  "$objdump" -d --no-show-raw-insn "$1" | awk -v object="$1" '
    function loop(first, last,   i, products) {
      for (i = first; i <= last; i++) if (text[i] ~ /\t(sdot|smmla|smlal2?)\t/) products++
      if (!products) return
      loops++
      for (i = first; i <= last; i++)
        if (text[i] ~ /\t(ldr|str|ldp|stp)\tq/ && text[i] ~ /\[sp/) {
          print object ": " name ": a vector goes through the stack: " text[i]
          bad = 1
        }
    }
    function finish(   i, j, inner) {
      for (i = 1; i <= n; i++) {
        if (!(jump[i] in at) || at[jump[i]] > i) continue
        inner = 1
        for (j = at[jump[i]]; j < i; j++)
          if ((jump[j] in at) && at[jump[j]] <= j && at[jump[j]] >= at[jump[i]]) inner = 0
        if (inner) loop(at[jump[i]], i)
      }
      n = 0
      split("", at); split("", text); split("", jump)
    }
    /^[0-9a-f]+ <.*>:$/ { finish(); name = $2; next }
    /^ *[0-9a-f]+:/ {
      n++
      where = $1; sub(":", "", where)
      at[where] = n
      text[n] = $0
      jump[n] = ""
      if ($2 ~ /^(b|b\.[a-z]+|cbn?z|tbn?z)$/ && match($0, /[0-9a-f]+ </)) jump[n] = substr($0, RSTART, RLENGTH - 2)
    }
    END {
      finish()
      if (!loops) { print object ": no loop with a product found"; bad = 1 }
      else print object ": " loops " loops"
      exit bad
    }' || status=1
}

objects=$("$ar" t kernels.a | grep -E '^(t2|t5|q8)_neon.*\.c\.o$')
[ -n "$objects" ] || { echo "no ARM kernels in $archive"; exit 1; }
for object in $objects; do
  "$ar" x kernels.a "$object" || exit 1
  loops_of "$object"
done
exit $status
