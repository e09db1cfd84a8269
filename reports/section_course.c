/* How the run went: warm-up, why it stopped, what disturbed it and what was
 * left out. A repetition is judged by what the kernel counted, never by its
 * time, so that repeating does not pick fast ones. */
#include <math.h>
#include <string.h>

#include "reports/format.h"
#include "reports/manifest.h"
#include "reports/sections.h"

static void put_half_widths(tern_doc *d, const json_t *item) {
  char text[512] = "";
  size_t n = 0;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)json_object_get(item, "half_widths"), key, value) {
    if (!json_is_number(value) || n >= sizeof text) continue;
    n += (size_t)snprintf(text + n, sizeof text - n, "%s%.100s %.20s %%", n ? ", " : "", key,
                          tern_format_number(json_number_value(value) * 100).text);
  }
  tern_doc_cell(d, *text ? TERN_PLAIN : TERN_QUIET, "%s", *text ? text : "unavailable");
}

static void put_warmup(tern_doc *d, const json_t *stopped) {
  char blocks[24], by[48];
  tern_manifest_text(stopped, "warm_up.blocks", blocks, sizeof blocks);
  tern_manifest_text(stopped, "warm_up.ended_by", by, sizeof by);
  if (!*blocks)
    tern_doc_cell(d, TERN_QUIET, "unavailable");
  else
    tern_doc_cell(d, TERN_PLAIN, "%s block%s, %s%s", blocks, strcmp(blocks, "1") == 0 ? "" : "s",
                  strcmp(by, "steady") == 0 ? "" : "ended by ", by);
}

static void stop_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {
      {"Model", false}, {"Warm-up", false}, {"Stopped by", false}, {"Blocks", true}, {"Half widths of ratios", false}};
  static const char *const rules[][2] = {{"precision", "precision: every ratio is within it"},
                                         {"blocks", "blocks: as many as asked for"},
                                         {"time", "time: another block would end after the budget"}};
  const json_t *stopped = tern_manifest_at(r->manifest, "stopped");
  if (json_array_size(stopped) == 0) return;
  tern_doc_table(d, "When each model's blocks ended, and why", columns, 5, true);
  for (size_t i = 0; i < json_array_size(stopped); i++) {
    const json_t *s = json_array_get(stopped, i);
    char model[96], by[96], blocks[24];
    const char *words = tern_manifest_text(s, "by", by, sizeof by);
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++)
      if (strcmp(by, rules[k][0]) == 0) words = rules[k][1];
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_manifest_text(s, "model", model, sizeof model));
    put_warmup(d, s);
    tern_doc_cell(d, TERN_PLAIN, "%s", words);
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_manifest_text(s, "blocks", blocks, sizeof blocks));
    put_half_widths(d, s);
  }
}

/* Whether this sample is the first one of its block and attempt. */
static bool first_of_attempt(const tern_results *r, int i) {
  const tern_sample_row *s = &r->samples[i];
  for (int k = 0; k < i; k++)
    if (r->samples[k].block == s->block && r->samples[k].attempt == s->attempt &&
        strcmp(r->samples[k].model, s->model) == 0)
      return false;
  return true;
}

enum { KINDS = 16, KIND = 40 };
typedef struct kinds {
  char names[KINDS][KIND];
  int samples[KINDS], count;
} kinds;

/* Counts each word of "steal+waiting". */
static void count_kinds(kinds *k, const char *marks) {
  while (*marks) {
    char name[KIND];
    size_t n = strcspn(marks, "+");
    int i = 0;
    snprintf(name, sizeof name, "%.*s", (int)n, marks);
    while (i < k->count && strcmp(k->names[i], name) != 0) i++;
    if (i < KINDS) {
      memcpy(k->names[i], name, sizeof name);
      k->samples[i]++;
      k->count += i == k->count;
    }
    marks += n + (marks[n] == '+');
  }
}

static void disturbance_list(tern_doc *d, const tern_results *r) {
  kinds marked = {.count = 0};
  int standing = 0, disturbed = 0, again = 0;
  if (tern_table_column(r->samples_table, "disturbed") < 0) return;
  for (int i = 0; i < r->sample_count; i++) {
    const tern_sample_row *s = &r->samples[i];
    if (s->block < 0) continue;
    again += s->superseded && first_of_attempt(r, i);
    standing += !s->superseded;
    disturbed += !s->superseded && *s->disturbed;
    count_kinds(&marked, s->disturbed);
  }
  tern_doc_item(d,
                "Interference: %d of %d samples that stand are marked as disturbed and kept; %d block%s taken again.",
                disturbed, standing, again, again == 1 ? " was" : "s were");
  for (int k = 0; k < marked.count; k++)
    tern_doc_item(d, "Marked by %s: %d sample%s, those taken again included.", marked.names[k], marked.samples[k],
                  marked.samples[k] == 1 ? "" : "s");
}

/* The harness held against what is known: one engine under two names, or a
 * copy slowed by a known share. */
static void checks_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Copy", false},      {"Workload", false},      {"Threads", true},
                                        {"True ratio", true}, {"Measured ratio", true}, {"Interval holds it", false}};
  const json_t *checks = tern_manifest_at(r->manifest, "checks");
  if (json_array_size(checks) == 0) return;
  tern_doc_table(d, "The harness checked: times of a copy to those of the engine itself", columns, 6, false);
  for (size_t i = 0; i < json_array_size(checks); i++) {
    const json_t *c = json_array_get(checks, i);
    static const char *const paths[] = {"contender", "workload", "threads"};
    char text[96];
    for (size_t k = 0; k < sizeof paths / sizeof *paths; k++)
      tern_doc_cell(d, TERN_PLAIN, "%s", tern_manifest_text(c, paths[k], text, sizeof text));
    bool holds = tern_manifest_true(c, "holds"), bounded = !isnan(tern_manifest_number(c, "low"));
    tern_doc_cell(d, TERN_PLAIN, "%g", tern_manifest_number(c, "truth"));
    if (bounded)
      tern_doc_cell(d, TERN_PLAIN, "%.4f [%.4f, %.4f]", tern_manifest_number(c, "time_ratio"),
                    tern_manifest_number(c, "low"), tern_manifest_number(c, "high"));
    else
      tern_doc_cell(d, TERN_PLAIN, "%.4f", tern_manifest_number(c, "time_ratio"));
    tern_doc_cell(d,
                  !bounded ? TERN_QUIET
                  : holds  ? TERN_GOOD
                           : TERN_BAD,
                  "%s",
                  !bounded ? "too few blocks"
                  : holds  ? "yes"
                           : "no");
  }
}

void tern_section_course(tern_doc *d, const tern_results *r) {
  tern_doc_heading(d, 3, "course", "How the run went");
  stop_table(d, r);
  disturbance_list(d, r);
  checks_table(d, r);
}
