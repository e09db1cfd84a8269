/* What a reader must know before trusting a run's figures. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/manifest.h"
#include "reports/sections.h"

typedef bool warning(const tern_results *r, char *text, size_t size);

static bool say(char *text, size_t size, const char *words) {
  snprintf(text, size, "%s", words);
  return true;
}

static bool unfinished(const tern_results *r, char *text, size_t size) {
  return !tern_results_finished(r) && say(text, size, "The run did not finish: figures come from the samples it had.");
}

static bool synthetic(const tern_results *r, char *text, size_t size) {
  return tern_results_synthetic(r) &&
         say(text, size,
             "Synthetic weights: seeded random values in the model's shape. Memory and the speed of the layers do not "
             "depend on the values; energy and the output head do a little; accuracy cannot be judged.");
}

static bool quick(const tern_results *r, char *text, size_t size) {
  return tern_results_quick(r) &&
         say(text, size, "Quick mode: shorter prompts and generations than the published workloads.");
}

static bool few(const tern_results *r, char *text, size_t size) {
  int least = TERN_ENOUGH;
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0; i++)
    if (r->summary[i].n < least) least = r->summary[i].n;
  if (least >= TERN_ENOUGH) return false;
  snprintf(text, size, "Fewer than %d repetitions (%d): medians without an interval, no verdicts.", TERN_ENOUGH, least);
  return true;
}

static bool virtual_machine(const tern_results *r, char *text, size_t size) {
  char kind[96];
  tern_manifest_text(r->manifest, "machine.virtualisation|virtualisation", kind, sizeof kind);
  if (!*kind || strcmp(kind, "none") == 0) return false;
  snprintf(text, size,
           "A virtual machine (%s): other guests share its memory bandwidth. Compare figures of one block, not of "
           "different hours.",
           kind);
  return true;
}

static bool no_counters(const tern_results *r, char *text, size_t size) {
  for (int i = 0; i < r->sample_count; i++)
    if (*tern_table_get(r->samples_table, i, "cycles")) return false;
  return say(text, size, "No hardware counters: cycles, instructions and cache misses were not counted here.");
}

static bool no_energy(const tern_results *r, char *text, size_t size) {
  const char *why = tern_results_no_energy(r);
  if (*why) snprintf(text, size, "No energy was measured: %s.", why);
  return *why != '\0';
}

static warning *const warnings[] = {unfinished, synthetic, quick, few, virtual_machine, no_counters, no_energy};

bool tern_results_warning(const tern_results *r, int i, char *text, size_t size) {
  for (size_t k = 0; k < sizeof warnings / sizeof *warnings; k++)
    if (warnings[k](r, text, size) && i-- == 0) return true;
  const json_t *more = tern_manifest_at(r->manifest, "warnings");
  const char *line = i >= 0 ? json_string_value(json_array_get(more, (size_t)i)) : NULL;
  return line && say(text, size, line);
}
