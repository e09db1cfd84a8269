/* What a gate says: to a terminal, to a CI's summary page, to its test report. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/eval/changes_table.h"
#include "harness/eval/gate.h"
#include "harness/eval/items.h"

static const char *word(const void *arg, size_t i) {
  return tern_gate_word(((const tern_gate *)arg)->rows[i]);
}

static void write_summary(const tern_gate *g, const char *form, FILE *to) {
  char *text = tern_gate_summary(g);
  fprintf(to, form, text != NULL ? text : tern_gate_word(g->verdict));
  free(text);
}

void tern_gate_text(const tern_gate *g, FILE *to) {
  tern_changes_table_write(&(tern_changes_table){&g->changes, "before", "now", word, g, false}, to);
  tern_changes_items_write(&g->changes, false, to);
  write_summary(g, "gate: %s\n", to);
}

void tern_gate_markdown(const tern_gate *g, FILE *to) {
  write_summary(g, "## ternmark eval gate\n\n**%s**\n\n", to);
  tern_changes_table_write(&(tern_changes_table){&g->changes, "before", "now", word, g, true}, to);
  tern_changes_items_write(&g->changes, true, to);
}

/* Text of an XML attribute or element; what XML 1.0 has no character for is left out. */
static void write_xml(const char *text, FILE *to) {
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    if (*c == '<')
      fputs("&lt;", to);
    else if (*c == '>')
      fputs("&gt;", to);
    else if (*c == '&')
      fputs("&amp;", to);
    else if (*c == '"')
      fputs("&quot;", to);
    else if (*c == '\n')
      fputs("&#10;", to);
    else if (*c >= 32 || *c == '\t')
      fputc(*c, to);
  }
}

static size_t count_rows(const tern_gate *g, const char *task, tern_gate_verdict v) {
  size_t n = 0;
  for (size_t i = 0; i < g->changes.count; i++) {
    n += g->rows[i] == v && (task == NULL || strcmp(g->changes.rows[i].task, task) == 0);
  }
  return n;
}

static void write_items(const tern_gate *g, const char *task, FILE *to) {
  char *text = NULL;
  size_t size;
  FILE *stream = open_memstream(&text, &size);
  if (stream == NULL) return;
  tern_changes own = {.items = calloc(g->changes.item_count + 1, sizeof *own.items)};
  for (size_t i = 0; own.items != NULL && i < g->changes.item_count; i++) {
    if (strcmp(g->changes.items[i].task, task) == 0) own.items[own.item_count++] = g->changes.items[i];
  }
  tern_changes_items_write(&own, false, stream);
  if (fclose(stream) == 0) write_xml(text, to);
  free(own.items);
  free(text);
}

static void write_case(const tern_gate *g, size_t i, FILE *to) {
  static const char *const elements[] = {[TERN_GATE_UNDECIDED] = "skipped", [TERN_GATE_REGRESSION] = "failure"};
  const tern_change *c = &g->changes.rows[i];
  fputs("    <testcase classname=\"eval.", to);
  write_xml(c->task, to);
  fputs("\" name=\"", to);
  write_xml(c->figure, to);
  if (g->rows[i] == TERN_GATE_PASS) {
    fputs("\"/>\n", to);
    return;
  }
  const char *element = elements[g->rows[i]];
  fprintf(to, "\">\n      <%s message=\"%s: %.9g before, %.9g now; difference %+.6g (95 %% %+.6g to %+.6g), p %.3g\">",
          element, tern_gate_word(g->rows[i]), c->before, c->now, c->difference.difference, c->difference.low,
          c->difference.high, c->p);
  write_items(g, c->task, to);
  fprintf(to, "</%s>\n    </testcase>\n", element);
}

void tern_gate_junit(const tern_gate *g, FILE *to) {
  const tern_changes *c = &g->changes;
  fprintf(to,
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ternmark eval gate\" tests=\"%zu\" "
          "failures=\"%zu\" skipped=\"%zu\">\n",
          c->count, count_rows(g, NULL, TERN_GATE_REGRESSION), count_rows(g, NULL, TERN_GATE_UNDECIDED));
  for (size_t i = 0; i < c->count; i++) {
    const char *task = c->rows[i].task;
    if (i == 0 || strcmp(task, c->rows[i - 1].task) != 0) {
      size_t failed = count_rows(g, task, TERN_GATE_REGRESSION), open = count_rows(g, task, TERN_GATE_UNDECIDED);
      fputs("  <testsuite name=\"", to);
      write_xml(task, to);
      fprintf(to, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n",
              count_rows(g, task, TERN_GATE_PASS) + failed + open, failed, open);
    }
    write_case(g, i, to);
    if (i + 1 == c->count || strcmp(task, c->rows[i + 1].task) != 0) fputs("  </testsuite>\n", to);
  }
  fputs("</testsuites>\n", to);
}

static int write_file(const tern_gate *g, const char *folder, const char *name,
                      void (*write)(const tern_gate *, FILE *), tern_error *e) {
  char *path = NULL;
  tern_output *o = NULL;
  if (asprintf(&path, "%s/%s", folder, name) < 0) return tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  int status = tern_output_open(&o, path, e);
  if (status == 0) {
    write(g, tern_output_stream(o));
    status = tern_output_commit(o, e);
  }
  free(path);
  return status;
}

/* Steps of a GitHub workflow add to one page. */
static int add_to_page(const tern_gate *g, tern_error *e) {
  const char *path = getenv("GITHUB_STEP_SUMMARY");
  if (path == NULL || *path == '\0') return 0;
  FILE *page = fopen(path, "a");
  if (page == NULL) return tern_fail_errno(e, "$GITHUB_STEP_SUMMARY: %s", path);
  tern_gate_markdown(g, page);
  return fclose(page) == 0 ? 0 : tern_fail_errno(e, "$GITHUB_STEP_SUMMARY: %s", path);
}

int tern_gate_run(const char *baseline, const char *folder, double margin, FILE *to, tern_gate_verdict *verdict,
                  tern_error *e) {
  json_t *before = NULL, *now = NULL;
  tern_gate g = {0};
  int status = tern_items_load(&before, baseline, e);
  if (status == 0) status = tern_items_load(&now, folder, e);
  if (status == 0 && tern_gate_find(&g, before, now, margin, e) != 0) {
    tern_error why = *e;
    status = tern_fail(e, why.status, "gate: %s: %s", baseline, why.text);
  }
  if (status == 0) {
    tern_gate_text(&g, to);
    *verdict = g.verdict;
    status = write_file(&g, folder, "gate.md", tern_gate_markdown, e);
  }
  if (status == 0) status = write_file(&g, folder, "gate.xml", tern_gate_junit, e);
  if (status == 0) status = add_to_page(&g, e);
  tern_gate_close(&g);
  json_decref(before);
  json_decref(now);
  return status;
}
