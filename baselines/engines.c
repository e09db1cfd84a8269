/* Engines: one graph, other weights. A row is a name and two layouts. */
#include "baselines/engines.h"

#include <string.h>

static const tern_engine_info infos[] = {
    {"ternary", "ternary weights, int8 activations, f16 head"},
    {"f16", "f16 weights, float activations, f16 head"},
    {"bf16", "bf16 weights, float activations, bf16 head"},
    {"f32", "f32 weights, float activations, f32 head"},
    {"int8", "int8 weights (a scale a row), int8 activations, f16 head"},
    {"int8-q8head", "int8 weights and int8 head, int8 activations"},
    {NULL, NULL},
};

/* Layouts of the same rows; the ternary body's is the caller's choice. */
static const struct {
  const char *body, *head;
} layouts[] = {{"t2", "f16"}, {"f16", "f16"}, {"bf16", "bf16"}, {"f32", "f32"}, {"q8", "f16"}, {"q8", "q8"}};

const tern_engine_info *tern_engines(void) {
  return infos;
}

const tern_engine_info *tern_engine_find(const char *name) {
  for (const tern_engine_info *i = infos; i->name; i++) {
    if (strcmp(i->name, name) == 0) return i;
  }
  return NULL;
}

int tern_engine_params(tern_model_params *p, const tern_runner_spec *spec, tern_error *e) {
  const tern_engine_info *info = tern_engine_find(spec->engine);
  if (!info) {
    return tern_fail(e, TERN_USAGE, "engine \"%s\": not known (ternary, f16, bf16, f32, int8, int8-q8head)",
                     spec->engine);
  }
  const char *body = layouts[info - infos].body, *head = layouts[info - infos].head;
  bool ternary = tern_layout_find(body)->kind == TERN_KIND_TERNARY;
  bool float_head = tern_layout_find(head)->kind == TERN_KIND_FLOAT;
  if (ternary && spec->ternary_layout) {
    const tern_layout *chosen = tern_layout_find(spec->ternary_layout);
    if (!chosen || !tern_layout_is_ternary(chosen)) {
      return tern_fail(e, TERN_USAGE, "layout \"%s\": not a ternary one (t2, t5, t5l, t2b64, t2b128)",
                       spec->ternary_layout);
    }
    body = chosen->name;
  }
  *p = (tern_model_params){.layout = body,
                           .any_layout = ternary && !spec->ternary_layout,
                           .head_layout = head,
                           .exact_head = spec->exact_head && float_head,
                           .isa_cap = spec->isa_cap,
                           .tuning = spec->tuning,
                           .threads = spec->threads,
                           .i2s = spec->i2s,
                           .progress = spec->progress};
  return 0;
}
