/* Folders from the tables of families: each projection, norm and bias that the
 * architecture has, under the name that transformers gives it. */
#include "tests/hf_fixture.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/random.h"
#include "engine/format/arch.h"
#include "engine/format/hf_parts.h"

enum { MOST_TENSORS = 400 };

typedef struct planned {
  char name[120];
  int dims;
  int64_t shape[2];
  double middle, reach;
  bool packed;   /* or its scale: values are codes */
  bool is_scale; /* of the tensor before */
} planned;

typedef struct plan {
  const hf_fixture *f;
  const hf_family *family;
  const tern_arch *arch;
  planned list[MOST_TENSORS];
  int count;
} plan;

static void check(int failed, const char *what, const tern_error *e) {
  if (!failed) return;
  fprintf(stderr, "%s: %s\n", what, e ? e->text : "");
  abort();
}

hf_fixture hf_fixture_of(const char *class_name) {
  return (hf_fixture){.class_name = class_name,
                      .type = TERN_SAFE_BF16,
                      .layers = 2,
                      .hidden = 256,
                      .ffn = 512,
                      .heads = 4,
                      .kv_heads = 2,
                      .head_dim = 64,
                      .vocab = 512};
}

double hf_fixture_value(const char *name, long i, double middle, double reach) {
  uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
  for (const char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
  uint64_t r = tern_random_mix(h + ((uint64_t)i + 1) * UINT64_C(0x9e3779b97f4a7c15));
  return middle + ((double)(r >> 40) * 0x1p-24 - 0.5) * 2 * reach;
}

static int dim(const hf_fixture *f, tern_dim d) {
  const int sizes[TERN_DIMS] = {[TERN_DIM_ONE] = 1,
                                [TERN_DIM_HIDDEN] = f->hidden,
                                [TERN_DIM_QUERY] = f->heads * f->head_dim,
                                [TERN_DIM_KV] = f->kv_heads * f->head_dim,
                                [TERN_DIM_FFN] = f->ffn,
                                [TERN_DIM_VOCAB] = f->vocab,
                                [TERN_DIM_HEAD] = f->head_dim,
                                [TERN_DIM_ANGLES] = f->head_dim / 2};
  return sizes[d];
}

static planned *add(plan *p, const char *gguf, int dims, int rows, int cols, double middle, double reach) {
  planned *t = &p->list[p->count++];
  check(p->count > MOST_TENSORS || !tern_hf_name(p->family, gguf, t->name, sizeof t->name), gguf, NULL);
  t->dims = dims;
  t->shape[0] = dims == 2 ? rows : cols;
  t->shape[1] = cols;
  t->middle = middle;
  t->reach = reach;
  return t;
}

static void add_projection(plan *p, int layer, int i) {
  const tern_projection_form *form = &tern_projection_forms[i];
  int rows = dim(p->f, form->rows), cols = dim(p->f, form->cols);
  char name[96];
  snprintf(name, sizeof name, "blk.%d.%s.weight", layer, form->name);
  planned *t = add(p, name, 2, rows, cols, 0, sqrt(3.0 / cols));
  t->packed = p->f->store == HF_PACKED || p->f->store == HF_PACKED_DIVIDES;
  if (t->packed) {
    t->shape[0] = rows / 4;
    planned *scale = &p->list[p->count++];
    *scale = (planned){.dims = 1, .shape = {1, 0}, .is_scale = true};
    size_t n = strlen(t->name);
    check(n + sizeof "_scale" > sizeof scale->name, t->name, NULL);
    memcpy(scale->name, t->name, n);
    memcpy(scale->name + n, "_scale", sizeof "_scale");
    bool divides = p->f->store == HF_PACKED_DIVIDES;
    scale->middle = divides ? sqrt(cols) : 1 / sqrt(cols);
  }
  if (p->arch->biases[i] != TERN_BIAS_ALWAYS) return;
  snprintf(name, sizeof name, "blk.%d.%s.bias", layer, form->name);
  add(p, name, 1, 1, rows, 0, 0.2);
}

static void make_plan(plan *p, const hf_fixture *f) {
  char name[96];
  *p = (plan){.f = f, .family = tern_hf_family(f->class_name, NULL)};
  check(!p->family, f->class_name, NULL);
  p->arch = tern_arch_find(p->family->arch);
  check(!p->arch, p->family->arch, NULL);
  double one = p->family->gains_lack_one ? 0 : 1;
  add(p, "token_embd.weight", 2, f->vocab, f->hidden, 0, 1);
  for (int layer = 0; layer < f->layers; layer++) {
    for (int i = 0; i < TERN_PROJECTIONS; i++) add_projection(p, layer, i);
    for (int i = 0; i < TERN_NORMS; i++) {
      bool input = f->input_norms && p->arch->norms[i] == TERN_NORM_WHERE_HAD;
      if (p->arch->norms[i] != TERN_NORM_GAIN && !input) continue;
      snprintf(name, sizeof name, "blk.%d.%s.weight", layer, tern_arch_name(p->arch, tern_norm_forms[i].name));
      add(p, name, 1, 1, dim(f, tern_norm_forms[i].size), input ? 1 : one, 0.2);
    }
  }
  add(p, "output_norm.weight", 1, 1, f->hidden, one, 0.2);
  if (f->untied) add(p, "output.weight", 2, f->vocab, f->hidden, 0, sqrt(3.0 / f->hidden));
}

static int code(const char *name, int64_t i) {
  return (int)floor(hf_fixture_value(name, (long)i, 1.5, 1.5)); /* 0, 1, 2: a code + 1 */
}

static void put_values(tern_safetensors_writer *w, int index, const planned *t, tern_safetype type) {
  int64_t n = t->shape[0] * (t->dims == 2 ? t->shape[1] : 1);
  size_t size = t->packed ? 1 : type == TERN_SAFE_F32 ? 4 : 2;
  uint8_t *bytes = malloc((size_t)n * size);
  tern_error e;
  for (int64_t i = 0; i < n; i++) {
    float v = (float)hf_fixture_value(t->name, (long)i, t->middle, t->reach);
    uint16_t half = type == TERN_SAFE_F16 ? tern_f16_from_f32(v) : tern_bf16_from_f32(v);
    if (t->packed) {
      bytes[i] = 0;
      for (int k = 0; k < 4; k++) bytes[i] |= (uint8_t)(code(t->name, k * n + i) << 2 * k);
    } else {
      memcpy(bytes + (size_t)i * size, type == TERN_SAFE_F32 ? (const void *)&v : &half, size);
    }
  }
  check(tern_safetensors_writer_data(w, index, 0, bytes, (size_t)n * size, &e), t->name, &e);
  free(bytes);
}

static tern_safetype type_of(const planned *t, const hf_fixture *f) {
  return t->packed ? TERN_SAFE_U8 : t->is_scale ? TERN_SAFE_F32 : f->type;
}

static void write_shard(const char *folder, const char *name, const plan *p, int first, int end) {
  char path[700];
  tern_error e;
  tern_safetensors_writer *w;
  int index[MOST_TENSORS];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  check(tern_safetensors_writer_open(&w, path, &e), path, &e);
  for (int i = first; i < end; i++) {
    index[i] = tern_safetensors_put(w, p->list[i].name, type_of(&p->list[i], p->f), p->list[i].dims, p->list[i].shape);
  }
  check(tern_safetensors_writer_start(w, &e), path, &e);
  for (int i = first; i < end; i++) put_values(w, index[i], &p->list[i], type_of(&p->list[i], p->f));
  check(tern_safetensors_writer_finish(w, &e), path, &e);
}

static void write_shards(const char *folder, const plan *p) {
  char path[700];
  json_t *map = json_object(),
         *root = json_pack("{s{sI}, so}", "metadata", "total_size", (json_int_t)0, "weight_map", map);
  int half = p->count / 2;
  for (int i = 0; i < p->count; i++) {
    const char *name = i < half ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
    json_object_set_new(map, p->list[i].name, json_string(name));
  }
  snprintf(path, sizeof path, "%s/model.safetensors.index.json", folder);
  check(json_dump_file(root, path, JSON_INDENT(1)), path, NULL);
  json_decref(root);
  write_shard(folder, "model-00001-of-00002.safetensors", p, 0, half);
  write_shard(folder, "model-00002-of-00002.safetensors", p, half, p->count);
}

char *hf_fixture_config(const hf_fixture *f) {
  static const char *const quantised[] = {
      [HF_DENSE] = "",
      [HF_PACKED] = "\"quantization_config\": {\"quant_method\": \"bitnet\", \"linear_class\": \"autobitlinear\", "
                    "\"quantization_mode\": \"offline\"}, ",
      [HF_PACKED_DIVIDES] =
          "\"quantization_config\": {\"modules_to_not_convert\": null, \"quant_method\": \"bitnet\"}, ",
      [HF_ONLINE] = "\"quantization_config\": {\"quant_method\": \"bitnet\", \"linear_class\": \"autobitlinear\", "
                    "\"quantization_mode\": \"online\"}, "};
  char *text = NULL;
  const hf_family *family = tern_hf_family(f->class_name, NULL);
  check(!family || asprintf(&text,
                            "{\"architectures\": [\"%s\"], \"model_type\": \"%s\", \"hidden_act\": \"%s\", %s%s"
                            "\"num_hidden_layers\": %d, \"hidden_size\": %d, \"intermediate_size\": %d, "
                            "\"num_attention_heads\": %d, \"num_key_value_heads\": %d, \"head_dim\": %d, "
                            "\"vocab_size\": %d, \"max_position_embeddings\": 256, \"rms_norm_eps\": 1e-06, "
                            "\"tie_word_embeddings\": %s}\n",
                            f->class_name, family->model_type, family->act, quantised[f->store],
                            f->extra ? f->extra : "", f->layers, f->hidden, f->ffn, f->heads, f->kv_heads, f->head_dim,
                            f->vocab, f->untied ? "false" : "true") < 0,
        f->class_name, NULL);
  return text;
}

static void copy(const char *from, const char *to) {
  size_t size;
  tern_error e;
  char *text = tern_file_read(from, 1 << 20, &size, &e);
  check(!text, from, &e);
  FILE *out = fopen(to, "w");
  check(!out || fwrite(text, 1, size, out) != size || fclose(out) != 0, to, NULL);
  free(text);
}

void hf_fixture_write(const char *folder, const hf_fixture *f) {
  static plan p;
  char path[700], *config = hf_fixture_config(f);
  check(mkdir(folder, 0777), folder, NULL);
  snprintf(path, sizeof path, "%s/config.json", folder);
  FILE *out = fopen(path, "w");
  check(!out || fputs(config, out) < 0 || fclose(out) != 0, path, NULL);
  free(config);
  snprintf(path, sizeof path, "%s/tokenizer.json", folder);
  if (f->tokenizer) copy(f->tokenizer, path);
  make_plan(&p, f);
  if (f->sharded) {
    write_shards(folder, &p);
  } else {
    write_shard(folder, "model.safetensors", &p, 0, p.count);
  }
}
