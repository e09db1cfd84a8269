#!/bin/sh
# Includes point down only: kernels <- engine <- baselines <- harness <- service;
# reports sees engine/base alone, and only harness sees reports.
# usage: layers.sh SOURCE_DIR
set -u
cd "$1" || exit 1
status=0

# may ROOM ALLOWED_REGEX: every quoted include in ROOM must match.
may() {
  bad=$(grep -rnE '^#include "' --include='*.c' --include='*.h' --include='*.inc.h' "$1" 2>/dev/null |
    grep -vE "#include \"($2)" | grep -vE '#include "[^/]*"$')
  if [ -n "$bad" ]; then
    printf '%s may include only %s:\n%s\n' "$1" "$2" "$bad"
    status=1
  fi
}
may kernels 'kernels/'
may engine/base 'engine/base/'
may engine/format 'engine/(base|format)/|kernels/'
may engine/text 'engine/(base|format|text)/|kernels/'
may engine/model 'engine/(base|format|model)/|kernels/'
may engine/train 'engine/(base|format|text|train)/|kernels/'
may engine/train/mini 'engine/(base|train/mini)'
may engine/generate 'engine/(base|format|text|model|generate)/|kernels/'
may baselines 'baselines/|engine/|kernels/'
may reports 'reports/|engine/base/'
may harness/eval 'harness/eval/|engine/'
may harness 'harness/|reports/|baselines/|engine/|kernels/'
may service 'service/|harness/|engine/|kernels/'

# Kernels know no threads, files or allocation.
bad=$(grep -rnE '\b(malloc|calloc|fopen|mmap)\(|<stdio\.h>' --include='*.c' --include='*.h' kernels |
  grep -vE '^kernels/cpu[._]')
if [ -n "$bad" ]; then
  printf 'kernels are pure functions:\n%s\n' "$bad"
  status=1
fi
exit $status
