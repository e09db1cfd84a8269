/* From samples to the report, and what goes to standard output. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/file.h"
#include "harness/reproduce.h"
#include "harness/summary.h"
#include "reports/report.h"

static int print_file(const char *dir, const char *name, FILE *out, tern_error *e) {
  char path[4096];
  size_t size;
  snprintf(path, sizeof path, "%s/%s", dir, name);
  char *text = tern_file_read(path, (size_t)64 << 20, &size, e);
  if (!text) return (int)e->status;
  fwrite(text, 1, size, out);
  free(text);
  return 0;
}

int tern_report_folder(const char *dir, bool json, bool csv, tern_error *e) {
  int bad = tern_summary_write(dir, e);
  if (!bad) bad = tern_report_write(dir, e);
  if (bad) return bad;
  if (json)
    bad = tern_report_json(dir, stdout, e);
  else if (csv)
    bad = print_file(dir, "summary.csv", stdout, e);
  else
    bad = tern_report_headline(dir, stdout, e);
  if (!bad && fflush(stdout) != 0) bad = tern_fail_errno(e, "standard output");
  return bad;
}
