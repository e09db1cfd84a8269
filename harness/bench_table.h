/* Forms of a folder's rows. */
#ifndef TERN_HARNESS_BENCH_TABLE_H
#define TERN_HARNESS_BENCH_TABLE_H

#include <stdio.h>

#include "harness/bench_rows.h"

int tern_bench_table(const tern_bench *b, FILE *to, tern_error *e);
int tern_bench_markdown(const tern_bench *b, FILE *to, tern_error *e);

#endif
