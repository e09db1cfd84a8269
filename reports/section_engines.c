/* All engines of a run side by side, and what the outside ones are. */
#include <math.h>
#include <string.h>

#include "reports/format.h"
#include "reports/manifest.h"
#include "reports/sections.h"

/* One table stands for a model, team and placement. */
static bool same_table(const tern_summary_row *a, const tern_summary_row *b) {
  return a->threads == b->threads && strcmp(a->model, b->model) == 0 && strcmp(a->placement, b->placement) == 0;
}

static bool first_of_table(const tern_results *r, int row) {
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0 && i < row; i++)
    if (same_table(&r->summary[i], &r->summary[row])) return false;
  return true;
}

static bool first_of_engine(const tern_results *r, int row) {
  for (int i = 0; (i = tern_results_find(r, i, "speed", r->summary[row].engine, NULL)) >= 0 && i < row; i++)
    if (same_table(&r->summary[i], &r->summary[row])) return false;
  return true;
}

/* The engine's speed in the table: of the first workload of the phase, which
 * is the one without a depth where there is one. */
static const tern_summary_row *speed_of(const tern_results *r, const tern_summary_row *of, const char *phase) {
  const tern_summary_row *found = NULL;
  for (int i = 0; (i = tern_results_find(r, i, "speed", of->engine, of->model)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    if (!same_table(s, of) || strncmp(s->workload, phase, strlen(phase)) != 0) continue;
    if (!found || (strchr(found->workload, '@') && !strchr(s->workload, '@'))) found = s;
  }
  return found;
}

static void put_interval(tern_doc *d, const tern_summary_row *s, double scale) {
  if (!s || isnan(s->median))
    tern_doc_cell(d, TERN_QUIET, "–");
  else
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_format_interval(s->median * scale, s->low * scale, s->high * scale).text);
}

static void put_ratio(tern_doc *d, const tern_results *r, const tern_summary_row *s) {
  tern_summary_row ratio;
  if (s && strcmp(s->engine, tern_results_reference(r)) == 0)
    tern_doc_cell(d, TERN_PLAIN, "1");
  else
    put_interval(d, s && tern_results_ratio(r, s, &ratio) ? &ratio : NULL, 1);
}

static void put_bytes(tern_doc *d, const tern_results *r, const char *metric, const tern_summary_row *s) {
  int row = tern_results_find(r, 0, metric, s->engine, s->model);
  if (row < 0 || isnan(r->summary[row].median))
    tern_doc_cell(d, TERN_QUIET, "–");
  else
    tern_doc_cell(d, TERN_PLAIN, "%s", tern_format_bytes(r->summary[row].median).text);
}

/* Only what was measured: modelled joules do not stand beside speeds. */
static void put_metric(tern_doc *d, const tern_results *r, const char *metric, const tern_summary_row *s,
                       double scale) {
  const tern_summary_row *figure = tern_results_beside(r, metric, NULL, s);
  put_interval(d, figure && strcmp(figure->how, "measured") == 0 ? figure : NULL, scale);
}

/* One phase of all engines: of a prefill the time to the first token, of
 * decoding what it reads and holds. */
static void side_by_side(tern_doc *d, const tern_results *r, const tern_summary_row *of, bool decode) {
  static const tern_column decoding[] = {{"Engine", false},      {"tokens/s", true},       {"x reference", true},
                                         {"J/token", true},      {"% of bandwidth", true}, {"Layers", true},
                                         {"Peak resident", true}};
  static const tern_column filling[] = {
      {"Engine", false}, {"tokens/s", true}, {"x reference", true}, {"J/token", true}, {"First token, ms", true}};
  const char *phase = decode ? "decode" : "prefill";
  const tern_summary_row *stands = speed_of(r, of, phase);
  char caption[256];
  if (!stands) return;
  snprintf(caption, sizeof caption, "%.60s, %.40s, %d thread%s%s%.32s: median [interval]", of->model, stands->workload,
           of->threads, of->threads == 1 ? "" : "s", *of->placement ? ", placement " : "", of->placement);
  tern_doc_table(d, caption, decode ? decoding : filling,
                 decode ? sizeof decoding / sizeof *decoding : sizeof filling / sizeof *filling, false);
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, of->model)) >= 0; i++) {
    if (!same_table(&r->summary[i], of) || !first_of_engine(r, i)) continue;
    const tern_summary_row *s = speed_of(r, &r->summary[i], phase);
    if (!s) continue;
    tern_doc_cell(d, TERN_PLAIN, "%s", s->engine);
    put_interval(d, s, 1);
    put_ratio(d, r, s);
    put_metric(d, r, "energy", s, 1);
    put_metric(d, r, decode ? "bandwidth_share" : "ttft", s, decode ? 100 : 1);
    if (!decode) continue;
    put_bytes(d, r, "body_memory", s);
    put_bytes(d, r, "peak_rss", s);
  }
}

/* The command as typed after --peer NAME=; "" when the folder has none. */
static const char *command_of(const tern_results *r, const json_t *peer, const char *name) {
  const char *own = json_string_value(json_object_get(peer, "command"));
  const json_t *words = tern_manifest_at(r->manifest, "command");
  size_t n = strlen(name);
  if (own) return own;
  for (size_t i = 0; i < json_array_size(words); i++) {
    const char *word = json_string_value(json_array_get(words, i));
    if (word && strncmp(word, "--peer=", 7) == 0) word += 7;
    if (word && strncmp(word, name, n) == 0 && word[n] == '=') return word + n + 1;
  }
  return "";
}

/* Name without "peer:"; the manifest has one entry a model. */
static const char *name_of(const json_t *peer) {
  const char *name = json_string_value(tern_manifest_at(peer, "name|engine"));
  if (!name) return "";
  return strncmp(name, "peer:", 5) == 0 ? name + 5 : name;
}

static bool named_before(const json_t *peers, size_t at) {
  for (size_t i = 0; i < at; i++)
    if (strcmp(name_of(json_array_get(peers, i)), name_of(json_array_get(peers, at))) == 0) return true;
  return false;
}

static void outside_engines(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Engine", false},  {"Program", false}, {"Version", false},
                                        {"SHA-256", false}, {"Read as", false}, {"Command", false}};
  static const char *const paths[] = {"program", "version", "sha256", "reader"};
  const json_t *peers = tern_manifest_at(r->manifest, "peers");
  if (json_array_size(peers) == 0) return;
  tern_doc_heading(d, 3, "outside", "Outside engines of the same run");
  tern_doc_table(d, "Programs as they were run, with the hash of the file and of its own libraries", columns, 6, true);
  for (size_t i = 0; i < json_array_size(peers); i++) {
    const json_t *p = json_array_get(peers, i);
    char text[1024], libraries[96];
    if (named_before(peers, i)) continue;
    tern_manifest_text(p, "libraries_sha256", libraries, sizeof libraries);
    tern_doc_cell(d, TERN_PLAIN, "peer:%s", name_of(p));
    for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
      bool hash = strcmp(paths[k], "sha256") == 0 && *libraries;
      tern_manifest_text(p, paths[k], text, sizeof text);
      tern_doc_cell(d, *text ? TERN_PLAIN : TERN_QUIET, "%s%s%s", *text ? text : "unavailable",
                    hash ? "; libraries " : "", hash ? libraries : "");
    }
    tern_report_without_folders(command_of(r, p, name_of(p)), text, sizeof text);
    tern_doc_cell(d, *text ? TERN_PLAIN : TERN_QUIET, "%s", *text ? text : "unavailable");
  }
  tern_doc_text(d, "Their speed is what they say of themselves, held against the wall clock of the process; their "
                   "peak resident is that of the process with all that it loads.");
}

void tern_section_engines(tern_doc *d, const tern_results *r) {
  const char *reference = tern_results_reference(r);
  tern_doc_heading(d, 2, "engines", "Engines side by side");
  if (*reference)
    tern_doc_text(d,
                  "The reference is %s. All engines run in each block, in a random order; a ratio is taken within a "
                  "block, where both sides saw the same machine.",
                  reference);
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0; i++)
    for (int decode = 1; decode >= 0; decode--)
      if (first_of_table(r, i)) side_by_side(d, r, &r->summary[i], decode);
  outside_engines(d, r);
}
