/* Workloads and presets. Decode at depth N follows prefill-N in each list, so
 * that the prompt's own KV cache is the context and nothing is fed twice. */
#include "harness/workload.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))
#define PREFILL(n)                                                                                                     \
  { .name = "prefill-" #n, .phase = TERN_PHASE_PREFILL, .tokens = n }
#define DECODE(n)                                                                                                      \
  { .name = "decode-" #n, .phase = TERN_PHASE_DECODE, .context = TERN_SHORT_CONTEXT, .tokens = n }
#define DECODE_AT(n, depth)                                                                                            \
  { .name = "decode-" #n "@" #depth, .phase = TERN_PHASE_DECODE, .context = depth, .tokens = n }

static const tern_workload quick[] = {PREFILL(128), DECODE_AT(16, 128), DECODE(16)};
static const tern_workload normal[] = {PREFILL(512), DECODE_AT(128, 512), DECODE(128)};
static const tern_workload full[] = {PREFILL(512), DECODE_AT(128, 512), DECODE(128), PREFILL(2048),
                                     DECODE_AT(128, 2048)};

static const tern_preset presets[] = {
    {"quick", quick, COUNT(quick), 5, 300},
    {"default", normal, COUNT(normal), 8, 2250},
    {"full", full, COUNT(full), 20, 0},
};

const char *tern_phase_name(tern_phase phase) {
  return phase == TERN_PHASE_PREFILL ? "prefill" : "decode";
}

const tern_preset *tern_preset_find(const char *name) {
  for (int i = 0; i < COUNT(presets); i++)
    if (strcmp(presets[i].name, name) == 0) return &presets[i];
  return NULL;
}

void tern_workloads_from_preset(tern_workload_list *out, const tern_preset *p) {
  out->count = p->count;
  memcpy(out->items, p->workloads, (size_t)p->count * sizeof *p->workloads);
}

static tern_workload *add(tern_workload_list *l, tern_error *e) {
  if (l->count == TERN_MOST_WORKLOADS) {
    tern_fail(e, TERN_USAGE, "more than %d workloads; ask for fewer lengths, depths, batches or prompts",
              TERN_MOST_WORKLOADS);
    return NULL;
  }
  tern_workload *w = &l->items[l->count++];
  *w = (tern_workload){0};
  return w;
}

static int add_prefill(tern_workload_list *l, int tokens, int depth, int batch, tern_error *e) {
  tern_workload *w = add(l, e);
  if (!w) return (int)e->status;
  char at[16] = "", by[16] = "";
  if (depth) snprintf(at, sizeof at, "@%d", depth);
  if (batch) snprintf(by, sizeof by, "/b%d", batch);
  snprintf(w->name, sizeof w->name, "prefill-%d%.9s%.9s", tokens, at, by);
  w->context = depth;
  w->tokens = tokens;
  w->batch = batch;
  return 0;
}

static int add_decode(tern_workload_list *l, int tokens, int depth, tern_error *e) {
  tern_workload *w = add(l, e);
  if (!w) return (int)e->status;
  char at[16] = "";
  if (depth) snprintf(at, sizeof at, "@%d", depth);
  snprintf(w->name, sizeof w->name, "decode-%d%s", tokens, at);
  w->phase = TERN_PHASE_DECODE;
  w->context = depth ? depth : TERN_SHORT_CONTEXT;
  w->tokens = tokens;
  return 0;
}

int tern_workloads_make(tern_workload_list *out, const tern_workload_ask *ask, tern_error *e) {
  static const tern_numbers none = {.count = 1};
  const tern_numbers *depths = ask->depth.count ? &ask->depth : &none,
                     *batches = ask->batch.count ? &ask->batch : &none;
  out->count = 0;
  for (int d = 0; d < depths->count; d++) {
    for (int p = 0; p < ask->prompt.count; p++)
      for (int b = 0; b < batches->count; b++)
        if (add_prefill(out, ask->prompt.items[p], depths->items[d], batches->items[b], e)) return (int)e->status;
    for (int g = 0; g < ask->gen.count; g++)
      if (add_decode(out, ask->gen.items[g], depths->items[d], e)) return (int)e->status;
  }
  return 0;
}

int tern_workloads_add_prompt(tern_workload_list *out, int prompt, int tokens, const tern_numbers *gen, tern_error *e) {
  for (int g = -1; g < gen->count; g++) {
    tern_workload *w = add(out, e);
    if (!w) return (int)e->status;
    w->prompt = prompt;
    if (g < 0) {
      snprintf(w->name, sizeof w->name, "prompt%d-prefill-%d", prompt, tokens);
      w->tokens = tokens;
    } else {
      snprintf(w->name, sizeof w->name, "prompt%d-decode-%d", prompt, gen->items[g]);
      w->phase = TERN_PHASE_DECODE;
      w->context = tokens;
      w->tokens = gen->items[g];
    }
  }
  return 0;
}

int tern_workloads_positions(const tern_workload_list *l) {
  int most = 0;
  for (int i = 0; i < l->count; i++) {
    int n = l->items[i].context + l->items[i].tokens;
    if (n > most) most = n;
  }
  return most;
}
