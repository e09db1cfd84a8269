/* Workloads and presets. Decode at depth N follows prefill-N in each list, so
 * that the prompt's own KV cache is the context and nothing is fed twice. */
#include "harness/workload.h"

#include <stddef.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* "short": room for a prompt of a few words. */
enum { SHORT = 8 };

static const tern_workload quick[] = {
    {"prefill-128", TERN_PHASE_PREFILL, 0, 128, 0},
    {"decode-16@128", TERN_PHASE_DECODE, 128, 16, 0},
    {"decode-16", TERN_PHASE_DECODE, SHORT, 16, 0},
};

static const tern_workload normal[] = {
    {"prefill-512", TERN_PHASE_PREFILL, 0, 512, 0},
    {"decode-128@512", TERN_PHASE_DECODE, 512, 128, 0},
    {"decode-128", TERN_PHASE_DECODE, SHORT, 128, 0},
};

static const tern_workload full[] = {
    {"prefill-512", TERN_PHASE_PREFILL, 0, 512, 0},       {"decode-128@512", TERN_PHASE_DECODE, 512, 128, 0},
    {"decode-128", TERN_PHASE_DECODE, SHORT, 128, 0},     {"prefill-2048", TERN_PHASE_PREFILL, 0, 2048, 0},
    {"decode-128@2048", TERN_PHASE_DECODE, 2048, 128, 0},
};

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

int tern_preset_positions(const tern_preset *p) {
  int most = 0;
  for (int i = 0; i < p->count; i++) {
    int n = p->workloads[i].context + p->workloads[i].tokens;
    if (n > most) most = n;
  }
  return most;
}
