/* What the processor counted and what follows from it: instructions a cycle,
 * operations a second, bytes a token, and the place under the roofline. */
#include <math.h>
#include <string.h>

#include "reports/format.h"
#include "reports/manifest.h"
#include "reports/sections.h"

static const struct {
  const char *metric;
  double scale;
} figures[] = {{"ipc", 1},       {"gops", 1},       {"bytes_a_token", 1e-6},
               {"intensity", 1}, {"roofline", 100}, {"task_clock", 1}};
enum { FIGURES = sizeof figures / sizeof *figures };

static bool any_figure(const tern_results *r, const tern_summary_row *s) {
  for (int k = 0; k < FIGURES; k++)
    if (tern_results_beside(r, figures[k].metric, NULL, s)) return true;
  return false;
}

static void put_row(tern_doc *d, const tern_results *r, const tern_summary_row *s) {
  tern_doc_cell(d, TERN_PLAIN, "%s", s->engine);
  tern_doc_cell(d, TERN_PLAIN, "%s", s->model);
  tern_doc_cell(d, TERN_PLAIN, "%s%s%s", s->workload, *s->placement ? ", " : "", s->placement);
  tern_doc_cell(d, TERN_PLAIN, "%d", s->threads);
  for (int k = 0; k < FIGURES; k++) {
    const tern_summary_row *f = tern_results_beside(r, figures[k].metric, NULL, s);
    if (!f || isnan(f->median))
      tern_doc_cell(d, TERN_QUIET, "–");
    else
      tern_doc_cell(d, TERN_PLAIN, "%s%s", tern_format_number(f->median * figures[k].scale).text,
                    strcmp(figures[k].metric, "bytes_a_token") != 0 ? ""
                    : strcmp(f->how, "measured") == 0               ? " counted"
                                                                    : " modelled");
  }
}

/* Why a counter of the processor does not count, without the event's name
 * before it ("PAPI_TOT_CYC: "): many share one reason. "" when it counts, or is
 * of another kind. */
static const char *reason_of(const json_t *meter, char *text, size_t size) {
  const char *what = json_string_value(tern_manifest_at(meter, "what|name"));
  tern_manifest_text(meter, "why|reason", text, size);
  if (!what || strncmp(what, "energy", 6) == 0 || tern_manifest_true(meter, "usable|counts")) return "";
  size_t event = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
  return event > 1 && text[event - 1] == ':' && text[event] == ' ' ? text + event + 1 : text;
}

static bool told(const json_t *meters, size_t at, const char *why) {
  char text[256];
  for (size_t i = 0; i < at; i++)
    if (strcmp(reason_of(json_array_get(meters, i), text, sizeof text), why) == 0) return true;
  return false;
}

/* Every reason once, with all counters that it keeps away. */
static void put_reasons(tern_doc *d, const tern_results *r) {
  const json_t *meters = tern_manifest_at(r->manifest, "meters");
  for (size_t i = 0; i < json_array_size(meters); i++) {
    char text[256], other[256], what[64], names[400] = "";
    const char *why = reason_of(json_array_get(meters, i), text, sizeof text);
    if (!*why || told(meters, i, why)) continue;
    size_t n = 0;
    for (size_t k = i; k < json_array_size(meters) && n < sizeof names; k++) {
      const json_t *o = json_array_get(meters, k);
      if (strcmp(reason_of(o, other, sizeof other), why) != 0) continue;
      tern_manifest_text(o, "what|name", what, sizeof what);
      n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", what);
    }
    tern_doc_item(d, "Unavailable: %s: %s", names, why);
  }
}

void tern_section_counters(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {
      {"Engine", false}, {"Model", false},   {"Workload", false}, {"Threads", true},    {"IPC", true},
      {"GOPS", true},    {"MB/token", true}, {"Ops/byte", true},  {"% roofline", true}, {"CPU ms/token", true}};
  bool any = false;
  tern_doc_heading(d, 2, "counters", "Counters and the roofline");
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0; i++) {
    if (!any_figure(r, &r->summary[i])) continue;
    if (!any)
      tern_doc_table(d, "Medians; –: unavailable; bytes are counted at the memory controllers, or modelled from sizes",
                     columns, sizeof columns / sizeof *columns, false);
    any = true;
    put_row(d, r, &r->summary[i]);
  }
  if (any)
    tern_doc_text(d, "IPC is instructions a cycle. GOPS count two operations for each weight of the layers a token, "
                     "whatever the kernel executes. "
                     "The roofline is the lower one of the kernel's measured peak on all threads and operations a "
                     "byte times read bandwidth of the same block.");
  else
    tern_doc_text(d, "Nothing was counted, and the folder does not hold what operations follow from.");
  put_reasons(d, r);
}
