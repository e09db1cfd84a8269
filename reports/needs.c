/* What a claim needs to be tested, checked against the run. One row a word of
 * the `needs` column; each check says in words what is missing. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reports/figures.h"
#include "reports/format.h"
#include "reports/manifest.h"
#include "reports/shapes.h"

typedef struct ask {
  const tern_claim *claim;
  const tern_results *run;
  const char *argument; /* after ":" */
  char *unmet;
  size_t size;
} ask;

static bool never(const ask *a, const char *why) {
  snprintf(a->unmet, a->size, "%s", why);
  return false;
}

static bool gpu(const ask *a) {
  return never(a, "a GPU figure; this program runs on CPUs");
}
static bool parity(const ask *a) {
  return never(a, "outputs of other engines are not compared in a run (docs/parity.md)");
}
static bool other_models(const ask *a) {
  return never(a, "its models were not measured in this run");
}
static bool unpublished_shape(const ask *a) {
  return never(a, "the shape it was computed for is not published");
}

static bool trained_weights(const ask *a) {
  return never(a, tern_results_synthetic(a->run) ? "no trained weights" : "answers were not scored in this run");
}

static bool core(const ask *a, const char *platform, const char *name) {
  const char *here = tern_results_platform(a->run);
  if (strcmp(here, platform) == 0) return true;
  snprintf(a->unmet, a->size, *here ? "no %s core" : "manifest.json does not name the architecture; needs %s", name);
  return false;
}
static bool arm_core(const ask *a) {
  return core(a, "arm", "ARM");
}
static bool x86_core(const ask *a) {
  return core(a, "x86", "x86");
}

/* An absolute figure belongs to the CPU it was taken on. */
static bool cpu(const ask *a) {
  char here[128];
  tern_manifest_text(a->run->manifest, "machine.cpu|cpu", here, sizeof here);
  if (strcasestr(here, a->argument)) return true;
  snprintf(a->unmet, a->size, "taken on another CPU (%.40s)", a->argument);
  return false;
}

static bool energy_source(const ask *a) {
  const char *why = tern_results_no_energy(a->run);
  if (!*why) return true;
  snprintf(a->unmet, a->size, "no energy source: %s", why);
  return false;
}

static bool peers(const ask *a) {
  return tern_results_peers(a->run) || never(a, "no outside engine was measured in this run");
}

/* Why a shape that is not in the run is not: skipped, too large, or not asked for. */
static bool absent_model(const ask *a) {
  const json_t *skipped = tern_manifest_at(a->run->manifest, "skipped");
  char model[64], reason[160];
  for (size_t i = 0; i < json_array_size(skipped); i++) {
    const json_t *s = json_array_get(skipped, i);
    if (strcasecmp(tern_manifest_text(s, "model", model, sizeof model), a->argument) == 0) {
      snprintf(a->unmet, a->size, "%.60s: %s", a->argument, tern_manifest_text(s, "reason", reason, sizeof reason));
      return false;
    }
  }
  double memory = tern_manifest_number(a->run->manifest, "machine.memory_bytes|memory.total_bytes|memory_bytes");
  tern_shape shape;
  tern_error ignored;
  if (tern_shape_find(a->argument, &shape, &ignored) == 0 && tern_shape_body_weights(&shape) / 4 > memory)
    snprintf(a->unmet, a->size, "model does not fit: its layers take %s at 2 bits a weight, the machine has %s",
             tern_format_bytes(tern_shape_body_weights(&shape) / 4).text, tern_format_bytes(memory).text);
  else
    snprintf(a->unmet, a->size, "%.60s was not measured in this run", a->argument);
  return false;
}

static bool model(const ask *a) {
  for (int i = 0; i < a->run->summary_count; i++)
    if (strcasecmp(tern_results_shape(a->run, a->run->summary[i].model), a->argument) == 0) return true;
  return absent_model(a);
}

/* Every shape of a list with '|' between, named until one is missing. */
static bool models(const ask *a) {
  char name[64];
  for (const char *at = a->argument; *at; at += strspn(at, "|")) {
    size_t n = strcspn(at, "|");
    snprintf(name, sizeof name, "%.*s", (int)n, at);
    const ask one = {a->claim, a->run, name, a->unmet, a->size};
    if (!model(&one)) return false;
    at += n;
  }
  return true;
}

static const struct {
  const char *word;
  bool (*met)(const ask *);
} checks[] = {
    {"gpu", gpu},           {"trained_weights", trained_weights},
    {"arm_core", arm_core}, {"x86_core", x86_core},
    {"cpu", cpu},           {"energy_source", energy_source},
    {"peers", peers},       {"model", model},
    {"models", models},     {"other_models", other_models},
    {"parity", parity},     {"unpublished_shape", unpublished_shape},
};

bool tern_claim_testable(const tern_claim *c, const tern_results *r, char *unmet, size_t size) {
  unmet[0] = '\0';
  for (const char *at = c->needs; *at; at += strspn(at, ";")) {
    char argument[160];
    size_t n = strcspn(at, ";"), word = strcspn(at, ";:");
    snprintf(argument, sizeof argument, "%.*s", (int)(n > word ? n - word - 1 : 0), at + word + (n > word));
    ask a = {c, r, argument, unmet, size};
    bool known = false;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
      if (strlen(checks[i].word) != word || strncmp(checks[i].word, at, word) != 0) continue;
      known = true;
      if (!checks[i].met(&a)) return false;
    }
    if (!known) {
      snprintf(unmet, size, "claims.csv: unknown need \"%.*s\"", (int)word, at);
      return false;
    }
    at += n;
  }
  return true;
}
