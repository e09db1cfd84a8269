#!/bin/sh
# Instructions of the ARM kernels, counted under qemu by plugin.c (exact and the
# same every time), are at most 5 % more than RECORD says. The counts are those
# of one compiler: another major version is no reason to fail.
# usage: check.sh RECORD COMPILER QEMU PLUGIN COUNT_INSTRUCTIONS; COMPILER - : print the counts alone
set -u
record=$1 compiler=$2 qemu=$3 plugin=$4 program=$5
"$qemu" --help | grep -q -e '-plugin' || { echo "$qemu has no plugins"; exit 77; }
[ -x "$program" ] || { echo "$program: not built"; exit 77; }
shape=$(sed -n 's/^# shape: //p' "$record")
count() { "$qemu" -cpu max -plugin "$plugin" "$program" $shape; }

if [ "$compiler" = - ]; then
  count
  exit
fi
wanted=$(sed -n 's/^# gcc: //p' "$record") found=$("$compiler" -dumpversion)
[ "${found%%.*}" = "$wanted" ] || { echo "counts are of gcc $wanted; $compiler is $found"; exit 77; }
counts=$(count 2>&1) || { echo "$qemu does not take $plugin: $counts"; exit 77; }
echo "$counts" | awk -v record="$record" '
  { found[$1 " " $2 " " $3 " " $4] = $5 }
  END {
    while ((getline line < record) > 0) {
      if (line ~ /^#/) continue
      split(line, f, " ")
      name = f[1] " " f[2] " " f[3] " " f[4]
      lines++
      if (!(name in found)) { print name ": not counted"; bad = 1 }
      else if (found[name] > 1.05 * f[5]) { print name ": " found[name] " instructions, " f[5] " recorded"; bad = 1 }
      else print name ": " found[name]
    }
    if (!lines) { print record ": nothing recorded"; bad = 1 }
    exit bad
  }'
