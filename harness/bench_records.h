/* Rows as records: of this program's own fields, and of llama-bench's. */
#ifndef TERN_HARNESS_BENCH_RECORDS_H
#define TERN_HARNESS_BENCH_RECORDS_H

#include "harness/bench_fields.h"
#include "harness/bench_rows.h"

/* Writes the rows as one kind of records through `write`. */
typedef int tern_records_writer(const tern_records *r, FILE *to, tern_error *e);
int tern_bench_own(const tern_bench *b, tern_records_writer *write, FILE *to, tern_error *e);
int tern_bench_llama(const tern_bench *b, tern_records_writer *write, FILE *to, tern_error *e);

#endif
