/* The table of architectures. Facts from the readers that run these files:
 * bitnet.cpp's and llama.cpp's graphs (RoPE kind, activation, sub norms, tied
 * head) and the bitllama2c training code (bare norms at every matrix). */
#include "engine/model/arch.h"

#include <stddef.h>
#include <string.h>

static const tern_arch archs[] = {
    {.name = "bitnet-b1.58",
     .activation = TERN_ACT_RELU2,
     .rope = TERN_ROPE_NEOX,
     .attn_norm = TERN_NORM_GAIN,
     .attn_sub_norm = TERN_NORM_GAIN,
     .ffn_norm = TERN_NORM_GAIN,
     .ffn_sub_norm = TERN_NORM_GAIN,
     .head = TERN_HEAD_TIED,
     .note = "BitNet b1.58 2B4T"},
    {.name = "bitnet-25",
     .activation = TERN_ACT_RELU2,
     .rope = TERN_ROPE_NEOX,
     .attn_norm = TERN_NORM_GAIN,
     .attn_sub_norm = TERN_NORM_GAIN,
     .ffn_norm = TERN_NORM_GAIN,
     .ffn_sub_norm = TERN_NORM_GAIN,
     .head = TERN_HEAD_TIED,
     .note = "BitNet b1.58 2B4T, earlier name"},
    {.name = "bitnet",
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_NEOX,
     .attn_norm = TERN_NORM_GAIN,
     .attn_sub_norm = TERN_NORM_GAIN,
     .ffn_norm = TERN_NORM_GAIN,
     .ffn_sub_norm = TERN_NORM_GAIN,
     .head = TERN_HEAD_TIED,
     .matrix_scales = true,
     .note = "bitnet_b1_58 large and 3B"},
    {.name = "llama",
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_INTERLEAVED,
     .attn_norm = TERN_NORM_GAIN,
     .attn_sub_norm = TERN_NORM_NONE,
     .ffn_norm = TERN_NORM_GAIN,
     .ffn_sub_norm = TERN_NORM_NONE,
     .head = TERN_HEAD_OWN,
     .note = "LLaMA-shaped: Llama3-8B-1.58, Falcon3-1.58, stories"},
    {.name = "bitllama2c",
     .activation = TERN_ACT_SILU,
     .rope = TERN_ROPE_INTERLEAVED,
     .attn_norm = TERN_NORM_BARE,
     .attn_sub_norm = TERN_NORM_BARE,
     .ffn_norm = TERN_NORM_BARE,
     .ffn_sub_norm = TERN_NORM_BARE,
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
