/* Formats by name. */
#include "harness/bench_output.h"

#include <string.h>

#include "harness/bench_records.h"
#include "harness/bench_table.h"

typedef int print_records(const tern_bench *b, tern_records_writer *write, FILE *to, tern_error *e);

static const struct {
  const char *name;
  int (*print)(const tern_bench *b, FILE *to, tern_error *e); /* NULL: records */
  print_records *records;
  tern_records_writer *write;
} formats[] = {
    {"table", tern_bench_table, NULL, NULL},
    {"csv", NULL, tern_bench_own, tern_records_csv},
    {"json", NULL, tern_bench_own, tern_records_json},
    {"jsonl", NULL, tern_bench_own, tern_records_jsonl},
    {"md", tern_bench_markdown, NULL, NULL},
    {"sql", NULL, tern_bench_own, tern_records_sql},
    {"llama-bench-json", NULL, tern_bench_llama, tern_records_json},
    {"llama-bench-csv", NULL, tern_bench_llama, tern_records_csv},
    {"llama-bench-sql", NULL, tern_bench_llama, tern_records_sql},
};
enum { FORMATS = sizeof formats / sizeof *formats };

const char *tern_bench_formats(void) {
  return "table, csv, json, jsonl, md, sql, llama-bench-json, llama-bench-csv, llama-bench-sql";
}

static int find(const char *format) {
  for (int i = 0; i < FORMATS; i++)
    if (strcmp(formats[i].name, format) == 0) return i;
  return -1;
}

bool tern_bench_format_known(const char *format) {
  return find(format) >= 0;
}

int tern_bench_print(const char *dir, const char *format, FILE *to, tern_error *e) {
  tern_bench bench;
  int i = find(format);
  if (i < 0) return tern_fail(e, TERN_USAGE, "'%.40s': no such format; one of %s", format, tern_bench_formats());
  e->status = TERN_OK;
  if (tern_bench_read(&bench, dir, e)) return (int)e->status;
  if (formats[i].print)
    formats[i].print(&bench, to, e);
  else
    formats[i].records(&bench, formats[i].write, to, e);
  tern_bench_free(&bench);
  return (int)e->status;
}
