#!/bin/sh
# The table of scores in datasets/models/README.md, from what `ternmark train
# score` printed of each model. usage: models_table.sh FOLDER
set -eu
cd "$1"
awk -F, '
  FNR == 1 { file++; next }
  {
    name = $1 "," $2
    if (!(name in records)) order[++n] = name
    records[name] = $3
    if ($4 != "") score[name, file] = $4
    else text[name, file] = $8
    guess[name] = $6
  }
  function cell(name, file) { return (name, file) in text ? text[name, file] " bits a byte" : score[name, file] }
  END {
    print "| split | records | best guess | mini-ternary | mini-fp16 |"
    print "|---|---|---|---|---|"
    for (i = 1; i <= n; i++) {
      split(order[i], part, ",")
      label = part[2] == "all" ? "**" part[1] "**" : part[2]
      printf "| %s | %d | %s | %s | %s |\n", label, records[order[i]], guess[order[i]], cell(order[i], 1), cell(order[i], 2)
    }
  }' mini-ternary.scores.csv mini-fp16.scores.csv
