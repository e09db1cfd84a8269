/* A result folder's figures for people and for programs, one row a contender,
 * workload, team and placement. */
#ifndef TERN_HARNESS_BENCH_OUTPUT_H
#define TERN_HARNESS_BENCH_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "engine/base/error.h"

/* "table, csv, json, ...": what tern_bench_print knows. */
const char *tern_bench_formats(void);
bool tern_bench_format_known(const char *format);

/* Reads DIR's manifest.json, summary.csv and samples.csv, nothing else
 * (tern_summary_write makes the summary):
 *   "table", "md"              for a terminal, for a page
 *   "csv", "json", "jsonl"     every figure; an empty cell or null: not available
 *   "sql"                      a table `ternmark` for sqlite3
 *   "llama-bench-json", "llama-bench-csv", "llama-bench-sql"
 *                              the fields of llama-bench (b10573), so that its readers work */
int tern_bench_print(const char *dir, const char *format, FILE *to, tern_error *e);

#endif
