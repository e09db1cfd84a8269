/* Families of Hugging Face models and the names of their tensors. A new family
 * is a row here and, where its layers' names differ, a map.
 * Sources: transformers models/<name>/modeling_<name>.py, llama.cpp
 * gguf-py/gguf/tensor_mapping.py, 1bitLLM/bitnet_b1_58-large. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/format/hf_parts.h"

/* Norms in front of a projection: of Microsoft's BitNet embeddings, and of
 * AutoBitLinear with use_rms_norm. */
#define INPUT_NORMS                                                                                                    \
  {"self_attn.q_proj.norm", "attn_q_norm_in"}, {"self_attn.k_proj.norm", "attn_k_norm_in"},                            \
      {"self_attn.v_proj.norm", "attn_v_norm_in"}, {"self_attn.o_proj.norm", "attn_output_norm_in"},                   \
      {"mlp.gate_proj.norm", "ffn_gate_norm_in"}, {"mlp.up_proj.norm", "ffn_up_norm_in"},                              \
      {"mlp.down_proj.norm", "ffn_down_norm_in"}, {"self_attn.q_proj.rms_norm", "attn_q_norm_in"},                     \
      {"self_attn.k_proj.rms_norm", "attn_k_norm_in"}, {"self_attn.v_proj.rms_norm", "attn_v_norm_in"},                \
      {"self_attn.o_proj.rms_norm", "attn_output_norm_in"}, {"mlp.gate_proj.rms_norm", "ffn_gate_norm_in"},            \
      {"mlp.up_proj.rms_norm", "ffn_up_norm_in"}, {                                                                    \
    "mlp.down_proj.rms_norm", "ffn_down_norm_in"                                                                       \
  }

static const hf_name usual[] = {
    INPUT_NORMS,
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"self_attn.attn_sub_norm", "attn_sub_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"mlp.ffn_sub_norm", "ffn_sub_norm"},
    {0},
};
static const hf_name first_bitnet[] = {
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.inner_attn_ln", "attn_sub_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"mlp.ffn_layernorm", "ffn_sub_norm"},
    {0},
};
static const hf_name gemma3[] = {
    INPUT_NORMS,
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"post_feedforward_layernorm", "post_ffw_norm"},
    {0},
};
static const hf_name outside[] = {{"embed_tokens", "token_embd"}, {"norm", "output_norm"}, {"lm_head", "output"}, {0}};

static const hf_family families[] = {
    {.classes = {"BitNetForCausalLM"},
     .model_type = "bitnet",
     .arch = "bitnet-b1.58",
     .act = "relu2",
     .layer = usual,
     .masters = true,
     .rope_theta = 500000},
    {.classes = {"BitnetForCausalLM"},
     .model_type = "bitnet_b1_58",
     .arch = "bitnet",
     .act = "silu",
     .layer = first_bitnet,
     .masters = true,
     .rope_theta = 10000},
    {.classes = {"LlamaForCausalLM", "LlamaModel"},
     .model_type = "llama",
     .arch = "llama",
     .act = "silu",
     .layer = usual,
     .rope_theta = 10000},
    {.classes = {"Qwen2ForCausalLM", "Qwen2Model"},
     .model_type = "qwen2",
     .arch = "qwen2",
     .act = "silu",
     .layer = usual,
     .rope_theta = 10000},
    {.classes = {"Qwen3ForCausalLM", "Qwen3Model"},
     .model_type = "qwen3",
     .arch = "qwen3",
     .act = "silu",
     .layer = usual,
     .head_dim = 128,
     .rope_theta = 10000},
    {.classes = {"Gemma3ForCausalLM", "Gemma3TextModel", "Gemma3ForConditionalGeneration"},
     .model_type = "gemma3_text",
     .arch = "gemma3",
     .act = "gelu_pytorch_tanh",
     .layer = gemma3,
     .gains_lack_one = true,
     .tied = true,
     .head_dim = 256,
     .rope_theta = 1000000},
    {.classes = {"MiniCPMForCausalLM"},
     .model_type = "minicpm",
     .arch = "minicpm",
     .act = "silu",
     .layer = usual,
     .tied = true,
     .rope_theta = 10000},
};

const hf_family *tern_hf_family_at(int i) {
  return i >= 0 && (size_t)i < sizeof families / sizeof *families ? &families[i] : NULL;
}

const hf_family *tern_hf_family(const char *class_name, const char *model_type) {
  for (int i = 0; class_name && tern_hf_family_at(i); i++) {
    for (int k = 0; k < 4 && families[i].classes[k]; k++) {
      if (strcmp(families[i].classes[k], class_name) == 0) return &families[i];
    }
  }
  for (int i = 0; !class_name && model_type && tern_hf_family_at(i); i++) {
    if (strcmp(families[i].model_type, model_type) == 0) return &families[i];
  }
  return NULL;
}

const hf_family *tern_hf_family_of_arch(const char *arch) {
  for (int i = 0; tern_hf_family_at(i); i++) {
    if (strcmp(families[i].arch, arch) == 0) return &families[i];
  }
  return NULL;
}

static const struct {
  const char *text, *gguf;
  hf_part part;
} suffixes[] = {{".weight_scale", ".weight", HF_SCALE}, {".weight", ".weight", HF_WEIGHT}, {".bias", ".bias", HF_BIAS}};

static bool starts(const char **text, const char *prefix) {
  size_t n = strlen(prefix);
  if (strncmp(*text, prefix, n) != 0) return false;
  *text += n;
  return true;
}

/* Finds `hf` (without its suffix, n bytes) in a map. */
static const hf_name *find(const hf_name *map, const char *hf, size_t n) {
  for (; map->hf; map++) {
    if (strlen(map->hf) == n && memcmp(map->hf, hf, n) == 0) return map;
  }
  return NULL;
}

static void describe(hf_place *out, const char *gguf) {
  size_t n = strlen(gguf);
  out->query = strcmp(gguf, "attn_q") == 0;
  out->key = strcmp(gguf, "attn_k") == 0;
  out->norm = strstr(gguf, "norm") != NULL;
  out->own_norm = n > 4 && strcmp(gguf + n - 4, "norm") == 0;
  out->projection = !out->norm;
}

int tern_hf_place(const hf_family *f, const char *name, int layers, const char *file, hf_place *out, tern_error *e) {
  const char *rest = name;
  long layer = -1;
  *out = (hf_place){.part = HF_UNUSED};
  starts(&rest, "language_model."); /* multimodal Gemma 3; its vision tensors have no place */
  starts(&rest, "model.");
  starts(&rest, "language_model.");
  if (starts(&rest, "layers.")) {
    char *end;
    layer = strtol(rest, &end, 10);
    if (end == rest || *end != '.' || layer < 0 || layer >= layers) {
      return tern_fail(e, TERN_FAILED, "%s: tensor %.100s: config.json says num_hidden_layers %d", file, name, layers);
    }
    rest = end + 1;
    if (strcmp(rest, "self_attn.rotary_emb.inv_freq") == 0) return 0; /* a table that rope_theta gives */
  }
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    size_t n = strlen(rest), m = strlen(suffixes[i].text);
    if (n <= m || strcmp(rest + n - m, suffixes[i].text) != 0) continue;
    const hf_name *row = find(layer < 0 ? outside : f->layer, rest, n - m);
    if (!row) break;
    out->part = suffixes[i].part;
    describe(out, row->gguf);
    out->projection = out->projection && layer >= 0;
    if (layer < 0) snprintf(out->name, sizeof out->name, "%s%s", row->gguf, suffixes[i].gguf);
    if (layer >= 0) snprintf(out->name, sizeof out->name, "blk.%ld.%s%s", layer, row->gguf, suffixes[i].gguf);
    return 0;
  }
  return tern_fail(e, TERN_FAILED, "%s: tensor %.100s has no place in a model of class %s", file, name, f->classes[0]);
}

const char *tern_hf_name(const hf_family *f, const char *gguf, char *out, size_t size) {
  const char *rest = gguf, *dot = strrchr(gguf, '.');
  const hf_name *map = outside;
  char layer[32] = "";
  if (starts(&rest, "blk.")) {
    size_t digits = strspn(rest, "0123456789");
    if (digits == 0 || digits > 8 || rest[digits] != '.') return NULL;
    snprintf(layer, sizeof layer, "layers.%.*s.", (int)digits, rest);
    rest += digits + 1;
    map = f->layer;
  }
  if (!dot || dot < rest || (strcmp(dot, ".weight") != 0 && strcmp(dot, ".bias") != 0)) return NULL;
  for (; map->hf; map++) {
    if (strlen(map->gguf) != (size_t)(dot - rest) || memcmp(map->gguf, rest, (size_t)(dot - rest)) != 0) continue;
    snprintf(out, size, "%s%s%s%s", strcmp(map->hf, "lm_head") == 0 ? "" : "model.", layer, map->hf, dot);
    return out;
  }
  return NULL;
}
