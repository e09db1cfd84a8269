#!/bin/sh
# What compilers made of the dot-product kernels: their innermost loops keep
# every vector in registers (gcc 12 is known to move accumulators through the
# stack, which halves the speed; t5 is left out: its loops keep decoded digits
# there, beside the sums), and AVX-VNNI kernels, which few machines can
# run, hold the VEX encoding and no AVX-512. usage: kernel_loops.sh ARCHIVE
set -u
archive=$1
[ -f "$archive" ] || { echo "$archive: not built"; exit 77; }
command -v objdump >/dev/null || { echo "objdump is not here"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp "$archive" "$work/kernels.a" || exit 1
cd "$work" || exit 1
status=0

# loops_of OBJECT: fails on vector stack traffic in an innermost loop with a dot product.
loops_of() {
  objdump -d --no-show-raw-insn "$1" | awk -v object="$1" '
    function loop(first, last,   i, dots) {
      for (i = first; i <= last; i++) if (text[i] ~ /vpdpbusd/) dots++
      if (!dots) return
      loops++
      for (i = first; i <= last; i++)
        if (text[i] ~ /mm[0-9]/ && text[i] !~ /broadcast/ && (text[i] ~ /\(%rsp/ || (framed && text[i] ~ /\(%rbp/))) {
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
      n = 0; framed = 0
      split("", at); split("", text); split("", jump)
    }
    /^[0-9a-f]+ <.*>:$/ { finish(); name = $2; next }
    /^ *[0-9a-f]+:/ {
      n++
      where = $1; sub(":", "", where)
      at[where] = n
      text[n] = $0
      jump[n] = $2 ~ /^j/ ? $3 : ""
      if ($0 ~ /mov +%rsp,%rbp/) framed = 1
    }
    END {
      finish()
      if (!loops) { print object ": no loop with a dot product found"; bad = 1 }
      else print object ": " loops " loops"
      exit bad
    }' || status=1
}

objects=$(ar t kernels.a | grep -E '_avx(512vl|512)?vnni\.c\.o$' | grep -vE '^(cpu|t5)_')
[ -n "$objects" ] || { echo "no VNNI kernels in $archive"; exit 1; }
for object in $objects; do
  ar x kernels.a "$object" || exit 1
  loops_of "$object"
done

for object in $(ar t kernels.a | grep -E '_avxvnni\.c\.o$'); do
  ar x kernels.a "$object" || exit 1
  if objdump -d "$object" | grep -E 'zmm|%k[0-7]|mm(1[6-9]|2[0-9]|3[01])'; then
    echo "$object: AVX-512 where AVX2 is all there is"
    status=1
  fi
  if ! objdump -d "$object" | grep vpdpbusd >products; then
    echo "$object: no dot product"
    status=1
  elif grep -vE ':[[:space:]]+c4 ' products; then
    echo "$object: not the VEX encoding"
    status=1
  fi
done
exit $status
