/* The table of families. Facts from the readers that run these files:
 * llama.cpp's and bitnet.cpp's graphs, transformers' modelling files, the
 * guide to microsoft's BitNet embeddings (input norms) and the bitllama2c
 * training code (bare norms at every matrix). docs/families.md says more. */
#include "engine/format/arch.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const tern_projection_form tern_projection_forms[TERN_PROJECTIONS] = {
    [TERN_Q] = {"attn_q", TERN_DIM_QUERY, TERN_DIM_HIDDEN},
    [TERN_K] = {"attn_k", TERN_DIM_KV, TERN_DIM_HIDDEN},
    [TERN_V] = {"attn_v", TERN_DIM_KV, TERN_DIM_HIDDEN},
    [TERN_O] = {"attn_output", TERN_DIM_HIDDEN, TERN_DIM_QUERY},
    [TERN_GATE] = {"ffn_gate", TERN_DIM_FFN, TERN_DIM_HIDDEN},
    [TERN_UP] = {"ffn_up", TERN_DIM_FFN, TERN_DIM_HIDDEN},
    [TERN_DOWN] = {"ffn_down", TERN_DIM_HIDDEN, TERN_DIM_FFN},
};

const tern_norm_form tern_norm_forms[TERN_NORMS] = {
    [TERN_NORM_ATTN] = {"attn_norm", TERN_DIM_HIDDEN},
    [TERN_NORM_Q_HEAD] = {"attn_q_norm", TERN_DIM_HEAD},
    [TERN_NORM_K_HEAD] = {"attn_k_norm", TERN_DIM_HEAD},
    [TERN_NORM_ATTN_SUB] = {"attn_sub_norm", TERN_DIM_QUERY},
    [TERN_NORM_ATTN_POST] = {"post_attention_norm", TERN_DIM_HIDDEN},
    [TERN_NORM_FFN] = {"ffn_norm", TERN_DIM_HIDDEN},
    [TERN_NORM_FFN_SUB] = {"ffn_sub_norm", TERN_DIM_FFN},
    [TERN_NORM_FFN_POST] = {"post_ffw_norm", TERN_DIM_HIDDEN},
    [TERN_NORM_Q_IN] = {"attn_q_norm_in", TERN_DIM_HIDDEN},
    [TERN_NORM_K_IN] = {"attn_k_norm_in", TERN_DIM_HIDDEN},
    [TERN_NORM_V_IN] = {"attn_v_norm_in", TERN_DIM_HIDDEN},
    [TERN_NORM_GATE_IN] = {"ffn_gate_norm_in", TERN_DIM_HIDDEN},
    [TERN_NORM_UP_IN] = {"ffn_up_norm_in", TERN_DIM_HIDDEN},
};

/* Sets of norms and biases that several rows have. */
#define BRANCHES(kind) [TERN_NORM_ATTN] = kind, [TERN_NORM_FFN] = kind
#define SUBS(kind) [TERN_NORM_ATTN_SUB] = kind, [TERN_NORM_FFN_SUB] = kind
#define POSTS(kind) [TERN_NORM_ATTN_POST] = kind, [TERN_NORM_FFN_POST] = kind
#define HEADS(kind) [TERN_NORM_Q_HEAD] = kind, [TERN_NORM_K_HEAD] = kind
#define INPUTS(kind)                                                                                                   \
  SUBS(kind), [TERN_NORM_Q_IN] = kind, [TERN_NORM_K_IN] = kind, [TERN_NORM_V_IN] = kind, [TERN_NORM_GATE_IN] = kind,   \
              [TERN_NORM_UP_IN] = kind
#define QKV(kind) [TERN_Q] = kind, [TERN_K] = kind, [TERN_V] = kind

/* BitNet embedding models: an input norm at each projection. */
static const tern_alias input_norms[] = {
    {"attn_sub_norm", "attn_output_norm_in"}, {"ffn_sub_norm", "ffn_down_norm_in"}, {0}};

static const tern_arch archs[] = {
    {.name = "bitnet-b1.58",
     .activation = TERN_ACT_RELU2,
     .rope = TERN_ROPE_NEOX,
     .norms = {BRANCHES(TERN_NORM_GAIN), SUBS(TERN_NORM_GAIN)},
     .head = TERN_HEAD_TIED,
     .note = "BitNet b1.58 2B4T"},
    {.name = "bitnet-25",
     .activation = TERN_ACT_RELU2,
     .rope = TERN_ROPE_NEOX,
     .norms = {BRANCHES(TERN_NORM_GAIN), SUBS(TERN_NORM_GAIN)},
     .head = TERN_HEAD_TIED,
     .note = "BitNet b1.58 2B4T, earlier name"},
    {.name = "bitnet",
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_NEOX,
     .norms = {BRANCHES(TERN_NORM_GAIN), SUBS(TERN_NORM_GAIN)},
     .head = TERN_HEAD_TIED,
     .matrix_scales = true,
     .note = "bitnet_b1_58 large and 3B"},
    {.name = "llama",
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_INTERLEAVED,
     .norms = {BRANCHES(TERN_NORM_GAIN)},
     .biases = {QKV(TERN_BIAS_WHERE_HAD), [TERN_O] = TERN_BIAS_WHERE_HAD},
     .head = TERN_HEAD_OWN,
     .note = "LLaMA 2 and 3, SmolLM2, Llama3-8B-1.58, Falcon3-1.58, Falcon-E, TriLM, stories"},
    {.name = "qwen2",
     .norm_eps = 1e-6,
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_NEOX,
     .norms = {BRANCHES(TERN_NORM_GAIN)},
     .biases = {QKV(TERN_BIAS_ALWAYS)},
     .head = TERN_HEAD_OWN,
     .note = "Qwen2, Qwen2.5"},
    {.name = "qwen3",
     .norm_eps = 1e-6,
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_NEOX,
     .norms = {BRANCHES(TERN_NORM_GAIN), HEADS(TERN_NORM_GAIN), INPUTS(TERN_NORM_WHERE_HAD)},
     .names = input_norms,
     .head = TERN_HEAD_OWN,
     .note = "Qwen3, Ternary-Bonsai, BitNet embeddings 0.6B"},
    {.name = "gemma3",
     .norm_eps = 1e-6,
     .activation = TERN_ACT_GELU,
     .rope = TERN_ROPE_NEOX,
     .norms = {BRANCHES(TERN_NORM_GAIN), POSTS(TERN_NORM_GAIN), HEADS(TERN_NORM_GAIN), INPUTS(TERN_NORM_WHERE_HAD)},
     .names = input_norms,
     .embedding = {.value = 1, .hidden_roots = 1},
     .window_period = 6,
     .layers_scaled_by_width = 62,
     .head = TERN_HEAD_OWN,
     .note = "Gemma 3 (text), BitNet embeddings 270M"},
    {.name = "minicpm",
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_INTERLEAVED,
     .norms = {BRANCHES(TERN_NORM_GAIN)},
     .embedding = {.key = "embedding_scale", .value = 12},
     .residual = {.key = "residual_scale", .value = 1.4, .layer_roots = -1},
     .logits = {.key = "logit_scale", .value = 1.0 / 256, .hidden_roots = 2},
     .head = TERN_HEAD_OWN,
     .note = "MiniCPM 1B and 2B"},
    {.name = "bitllama2c",
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_INTERLEAVED,
     .norms = {BRANCHES(TERN_NORM_BARE), SUBS(TERN_NORM_BARE)},
     .norm_eps_bare = 1e-24, /* runbit.c has none; the residual's squares are far below 1e-5. Keeps zeros zero */
     .head = TERN_HEAD_TIED,
     .note = "ternary TinyStories models of bitllama2c"},
};

const tern_arch *tern_arch_at(int i) {
  return i >= 0 && (size_t)i < sizeof archs / sizeof *archs ? &archs[i] : NULL;
}

const tern_arch *tern_arch_find(const char *name) {
  for (int i = 0; tern_arch_at(i); i++) {
    if (strcmp(tern_arch_at(i)->name, name) == 0) return tern_arch_at(i);
  }
  return NULL;
}

const char *tern_arch_name(const tern_arch *a, const char *usual) {
  for (const tern_alias *n = a->names; n && n->usual; n++) {
    if (strcmp(n->usual, usual) == 0) return n->here;
  }
  return usual;
}

double tern_factor_usual(const tern_factor *f, int hidden, int layers) {
  double factor = f->value == 0 ? 1 : f->value;
  for (int i = 0; i < f->hidden_roots; i++) factor *= sqrt(hidden);
  for (int i = 0; i > f->layer_roots; i--) factor /= sqrt(layers);
  return factor;
}
