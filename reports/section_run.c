/* The run itself: machine, engines, meters; and how to read the report. */
#include <math.h>
#include <string.h>

#include "reports/format.h"
#include "reports/manifest.h"
#include "reports/sections.h"

static const struct {
  const char *name, *path;
  bool bytes;
} facts[] = {
    {"CPU", "machine.cpu|cpu", false},
    {"Architecture", "machine.architecture|architecture", false},
    {"Instruction set used", "machine.isa|isa", false},
    {"Cores", "machine.cores|cores", false},
    {"Memory", "machine.memory_bytes|memory_bytes", true},
    {"Page size", "machine.page_bytes|page_bytes", true},
    {"Huge pages", "machine.huge_pages|huge_pages", false},
    {"Frequency governor", "machine.governor|governor", false},
    {"Virtualisation", "machine.virtualisation|virtualisation", false},
    {"System", "machine.os|os", false},
    {"Program", "version", false},
    {"Revision", "revision|git_revision", false},
    {"Compiler", "compiler", false},
    {"Flags", "flags|c_flags", false},
    {"Command", "command|command_line", false},
    {"Started", "started|started_at", false},
    {"Seed", "seed|seeds", false},
    {"Blocks", "blocks", false},
    {"Reference", "reference", false},
    {"Seconds to start and stop the counters, outside of timed calls", "counters_cost_s", false},
    {"Grid factor given, g CO2/kWh", "grid_co2_g_per_kwh", false},
};

static void machine_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"What", false}, {"Value", false}};
  tern_doc_table(d, "Machine and program, from manifest.json", columns, 2, true);
  for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
    char text[512], value[512];
    double bytes = tern_manifest_number(r->manifest, facts[i].path);
    tern_manifest_text(r->manifest, facts[i].path, text, sizeof text);
    if (!*text) continue;
    tern_report_without_folders(text, value, sizeof value);
    tern_doc_cell(d, TERN_PLAIN, "%s", facts[i].name);
    tern_doc_cell(d, TERN_PLAIN, "%s", facts[i].bytes && !isnan(bytes) ? tern_format_bytes(bytes).text : value);
  }
}

static bool first_of_engine(const tern_results *r, int i) {
  for (int k = 0; k < i; k++)
    if (strcmp(r->samples[k].engine, r->samples[i].engine) == 0 &&
        strcmp(r->samples[k].model, r->samples[i].model) == 0)
      return false;
  return true;
}

static void engine_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {
      {"Engine", false}, {"Model", false}, {"Body kernel", false}, {"Head", false}, {"KV cache", false}};
  tern_doc_table(d, "Engines measured", columns, 5, false);
  for (int i = 0; i < r->sample_count; i++) {
    const tern_sample_row *s = &r->samples[i];
    if (!first_of_engine(r, i)) continue;
    tern_doc_cell(d, TERN_PLAIN, "%s", s->engine);
    tern_doc_cell(d, TERN_PLAIN, "%s", s->model);
    tern_doc_cell(d, TERN_PLAIN, "%s", s->kernel);
    tern_doc_cell(d, TERN_PLAIN, "%s", s->head);
    tern_doc_cell(d, TERN_PLAIN, "%s", s->kv);
  }
}

static void skipped_list(tern_doc *d, const tern_results *r) {
  const json_t *skipped = tern_manifest_at(r->manifest, "skipped");
  for (size_t i = 0; i < json_array_size(skipped); i++) {
    const json_t *s = json_array_get(skipped, i);
    char engine[64], model[96], what[96], reason[256], all[320];
    const char *parts[] = {tern_manifest_text(s, "engine", engine, sizeof engine),
                           tern_manifest_text(s, "model", model, sizeof model),
                           tern_manifest_text(s, "what|workload", what, sizeof what)};
    size_t n = 0;
    all[0] = '\0';
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
      if (*parts[k]) n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", n ? " " : "", parts[k]);
    tern_doc_item(d, "Skipped: %s: %s", all, tern_manifest_text(s, "reason|why", reason, sizeof reason));
  }
}

static void meter_table(tern_doc *d, const tern_results *r) {
  static const tern_column columns[] = {{"Meter", false}, {"Source", false}, {"Usable", false}, {"Why not", false}};
  const json_t *meters = tern_manifest_at(r->manifest, "meters");
  if (json_array_size(meters) == 0) return;
  tern_doc_table(d, "Where the figures come from", columns, 4, true);
  for (size_t i = 0; i < json_array_size(meters); i++) {
    const json_t *m = json_array_get(meters, i);
    char text[256];
    static const char *const paths[] = {"what|name", "source|event", "usable|counts", "why|reason"};
    for (size_t k = 0; k < sizeof paths / sizeof *paths; k++)
      tern_doc_cell(d, TERN_PLAIN, "%s", tern_manifest_text(m, paths[k], text, sizeof text));
  }
}

void tern_section_run(tern_doc *d, const tern_results *r) {
  tern_doc_heading(d, 2, "run", "Machine, engines and meters");
  machine_table(d, r);
  engine_table(d, r);
  skipped_list(d, r);
  tern_section_course(d, r);
  meter_table(d, r);
}

void tern_section_rules(tern_doc *d) {
  static const char *const rules[] = {
      "Every speed is a median. Its interval is distribution-free, from order statistics; its confidence is exact.",
      "Fewer than five repetitions give neither an interval nor a verdict.",
      "A speed-up is the Hodges-Lehmann estimate of the blocks' ratios of times, with its signed-rank interval.",
      "Ours is inside, below or above the published range by the median.",
      "A printed figure stands for everything that rounds to it: 0.4 means 0.35 to 0.45.",
      "Reproduced and not reproduced are said only of outside engines of the same run, by their interval.",
      "Measured, modelled and printed are kept apart. What is not available is empty, never zero.",
      "A disturbed block is taken again, all its engines; only its last attempt counts, and every attempt is kept.",
      "A ratio never pairs different thread counts or placements.",
      "Raw repetitions are in samples.csv, medians in summary.csv, claims in claims.csv.",
  };
  tern_doc_heading(d, 2, "rules", "How to read this");
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) tern_doc_item(d, "%s", rules[i]);
}
