/* Modelled arithmetic energy of a 512-token pass (the 2B4T report's column). */
#include "reports/energy_model.h"

static const tern_energy_row rows[] = {
    {"LLaMA-3.2-1B", "LLaMA 3.2 1B", false}, {"Gemma-3-1B", "Gemma-3 1B", false},
    {"Qwen2.5-1.5B", "Qwen2.5 1.5B", false}, {"SmolLM2-1.7B", "SmolLM2 1.7B", false},
    {"MiniCPM-2B", "MiniCPM 2B", false},     {"2B4T", "BitNet b1.58 2B4T", true},
};

double tern_energy_model(const tern_shape *s, bool ternary) {
  double mac = ternary ? TERN_ENERGY_INT8_ADD : TERN_ENERGY_FP16_MAC;
  double width = (double)s->heads * s->head_dim;
  /* Scores and values: two products of the whole 512 x 512 square, no causal saving. */
  double attention = s->layers * width * 2 * TERN_ENERGY_TOKENS * TERN_ENERGY_FP16_MAC;
  return TERN_ENERGY_TOKENS * (tern_shape_body_weights(s) * mac + attention) * 1e-12;
}

const tern_energy_row *tern_energy_rows(size_t *count) {
  *count = sizeof rows / sizeof *rows;
  return rows;
}
