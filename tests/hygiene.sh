#!/bin/sh
# The tree keeps its own rules: formatting, no unfinished words, no long lines
# of history in comments. usage: hygiene.sh SOURCE_DIR format|words
set -u
cd "$1" || exit 1
files=$(find kernels engine baselines harness service reports tests -name '*.[ch]' 2>/dev/null | sort)
case $2 in
  format)
    tool=$(command -v clang-format-14 || command -v clang-format) || { echo "clang-format is not here"; exit 77; }
    case $("$tool" --version) in
      *"version 14."*) ;;
      *) echo "clang-format 14 is the reference; this is $("$tool" --version)"; exit 77 ;;
    esac
    # shellcheck disable=SC2086
    "$tool" --dry-run --Werror $files
    ;;
  words)
    # shellcheck disable=SC2086
    ! grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $files
    ;;
esac
