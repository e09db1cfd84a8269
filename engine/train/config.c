/* The configuration, by a table of keys: one row each, with its section, range
 * and default. */
#include "engine/train/config.h"

#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/nearest.h"

enum { CONFIG_LIMIT = 1 << 20, NEAR = 4 };

const char *const tern_train_targets[TERN_TRAIN_TARGETS] = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                                            "ffn_gate", "ffn_up", "ffn_down"};

typedef enum kind { INTEGER, WIDE, REAL, NAME, PATH, FILES, WEIGHTS, TASKS, TARGETS, CHAT } kind;

static const struct row {
  const char *section, *key; /* section "": the top */
  kind kind;
  size_t offset;
  double low, high, standard; /* standard NAN: required */
  const char *text;           /* standard of a name */
} rows[] = {
#define AT(field) offsetof(tern_train_config, field)
    {"", "name", NAME, AT(name), 0, 0, 0, "model"},
    {"", "tokenizer", PATH, AT(tokenizer), 0, 0, NAN, NULL},
    {"", "from", PATH, AT(from), 0, 0, 0, NULL},
    {"model", "arch", NAME, AT(arch), 0, 0, 0, "bitnet-b1.58"},
    {"model", "weights", WEIGHTS, AT(weights), 0, 0, 0, "ternary"},
    {"model", "layers", INTEGER, AT(layers), 1, 256, NAN, NULL},
    {"model", "hidden", INTEGER, AT(hidden), 16, 16384, NAN, NULL},
    {"model", "ffn", INTEGER, AT(ffn), 16, 65536, NAN, NULL},
    {"model", "heads", INTEGER, AT(heads), 1, 1024, NAN, NULL},
    {"model", "kv_heads", INTEGER, AT(kv_heads), 1, 1024, NAN, NULL},
    {"model", "context", INTEGER, AT(context), 8, 1 << 17, 2048, NULL},
    {"model", "rope_theta", REAL, AT(rope_theta), 1, 1e9, 10000, NULL},
    {"model", "init", REAL, AT(init), 0, 100, 1, NULL},
    {"data", "mini", PATH, AT(mini), 0, 0, 0, NULL},
    {"data", "mini_items", INTEGER, AT(mini_items), 1, 10000000, 300000, NULL},
    {"data", "mini_seed", WIDE, AT(mini_seed), 0, 9e15, 1, NULL},
    {"data", "train", FILES, AT(train), 0, 0, NAN, NULL},
    {"data", "eval", FILES, AT(eval), 0, 0, 0, NULL},
    {"data", "prompt_weight", REAL, AT(prompt_weight), 0, 100, 0.2, NULL},
    {"data", "template", CHAT, AT(chat), 0, 0, 0, NULL},
    {"data", "task_weights", TASKS, AT(tasks), 0, 100, 0, NULL},
    {"train", "steps", INTEGER, AT(steps), 1, 100000000, NAN, NULL},
    {"train", "batch_tokens", INTEGER, AT(batch_tokens), 16, 1 << 22, 4096, NULL},
    {"train", "slices", INTEGER, AT(slices), 1, 256, 4, NULL},
    {"train", "seed", WIDE, AT(seed), 0, 9e15, 1, NULL},
    {"train", "lr", REAL, AT(lr), 0, 10, 6e-3, NULL},
    {"train", "beta1", REAL, AT(beta1), 0, 0.99999, 0.9, NULL},
    {"train", "beta2", REAL, AT(beta2), 0, 0.999999, 0.98, NULL},
    {"train", "eps", REAL, AT(eps), 1e-20, 1, 1e-8, NULL},
    {"train", "clip", REAL, AT(clip), 0, 1e9, 1, NULL},
    {"train", "dropout", REAL, AT(dropout), 0, 0.9, 0, NULL},
    {"train", "warmup", INTEGER, AT(warmup), 0, 1000000, 60, NULL},
    {"train", "stage", REAL, AT(stage), 0, 1, 0.55, NULL},
    {"train", "stage1_end", REAL, AT(stage1_end), 0, 1, 0.4, NULL},
    {"train", "stage2_start", REAL, AT(stage2_start), 0, 1, 0.35, NULL},
    {"train", "weight_decay", REAL, AT(weight_decay), 0, 10, 0.1, NULL},
    {"train", "eval_every", INTEGER, AT(eval_every), 0, INT_MAX, 0, NULL},
    {"train", "checkpoint_every", INTEGER, AT(checkpoint_every), 0, INT_MAX, 500, NULL},
    {"train", "patience", INTEGER, AT(patience), 0, INT_MAX, 0, NULL},
    {"lora", "rank", INTEGER, AT(lora_rank), 0, 1024, 0, NULL},
    {"lora", "alpha", REAL, AT(lora_alpha), 0, 1e6, 16, NULL},
    {"lora", "targets", TARGETS, AT(lora_targets), 0, 0, 0, NULL},
#undef AT
};
enum { ROWS = sizeof rows / sizeof *rows };

typedef struct parser {
  tern_train_config *c;
  const char *where, *folder; /* folder NULL: paths are as they are */
  tern_error *e;
} parser;

static int refuse(const parser *p, const struct row *r, const char *want) {
  return tern_fail(p->e, TERN_FAILED, "%s: key %s%s%s: want %s", p->where, r->section, *r->section ? "." : "", r->key,
                   want);
}

static int refuse_range(const parser *p, const struct row *r, const char *what) {
  char want[96];
  snprintf(want, sizeof want, "%s from %.10g to %.10g", what, r->low, r->high);
  return refuse(p, r, want);
}

static int put_path(const parser *p, const struct row *r, char *to, const char *from) {
  char joined[2 * TERN_TRAIN_PATH];
  if (strlen(from) >= TERN_TRAIN_PATH) return refuse(p, r, "a shorter path");
  if (p->folder && from[0] != '/')
    snprintf(joined, sizeof joined, "%s/%s", p->folder, from);
  else
    snprintf(joined, sizeof joined, "%s", from);
  if (strlen(joined) >= TERN_TRAIN_PATH) return refuse(p, r, "a shorter path");
  strcpy(to, joined);
  return TERN_OK;
}

static int put_number(const parser *p, const struct row *r, const json_t *v, void *to) {
  const double x = json_number_value(v);
  if (r->kind == REAL) {
    if (!json_is_number(v) || !(x >= r->low && x <= r->high)) return refuse_range(p, r, "a number");
    *(double *)to = x;
    return TERN_OK;
  }
  if (!json_is_integer(v) || !(x >= r->low && x <= r->high)) return refuse_range(p, r, "a whole number");
  if (r->kind == WIDE)
    *(int64_t *)to = json_integer_value(v);
  else
    *(int *)to = (int)json_integer_value(v);
  return TERN_OK;
}

static int put_weights(const parser *p, const struct row *r, const char *text, tern_train_weights *to) {
  static const char *const names[] = {
      [TERN_TRAIN_TERNARY] = "ternary", [TERN_TRAIN_F16] = "f16", [TERN_TRAIN_F32] = "f32"};
  for (size_t i = 0; text && i < sizeof names / sizeof *names; i++) {
    if (strcmp(text, names[i]) != 0) continue;
    *to = (tern_train_weights)i;
    return TERN_OK;
  }
  return refuse(p, r, "\"ternary\", \"f16\" or \"f32\"");
}

static int put_file_part(const parser *p, const struct row *r, const char *key, const json_t *v, tern_train_file *f) {
  static const struct row parts[] = {{"", "repeat", REAL, offsetof(tern_train_file, repeat), 1e-6, 1000, 0, NULL},
                                     {"", "first", INTEGER, offsetof(tern_train_file, first), 1, 1000000, 0, NULL},
                                     {"", "last", INTEGER, offsetof(tern_train_file, last), 1, 1000000, 0, NULL}};
  const char *text = json_string_value(v);
  if (strcmp(key, "file") == 0 && text) return put_path(p, r, f->path, text);
  if (strcmp(key, "task") == 0 && text && strlen(text) < TERN_TRAIN_NAME) {
    strcpy(f->task, text);
    return TERN_OK;
  }
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (strcmp(key, parts[i].key) != 0) continue;
    struct row named = parts[i];
    named.section = r->key;
    return put_number(p, &named, v, (char *)f + named.offset);
  }
  return refuse(p, r, "a list of paths or of {\"file\": PATH} with \"repeat\", \"task\", \"first\", \"last\"");
}

/* "a.jsonl", or {"file": "a.jsonl", "repeat": 2}; one or a list. */
static int put_file(const parser *p, const struct row *r, json_t *v, tern_train_files *to) {
  const char *key;
  json_t *part;
  if (to->count == TERN_TRAIN_FILES) return refuse(p, r, "at most 32 files");
  tern_train_file *f = &to->at[to->count++];
  *f = (tern_train_file){.repeat = 1, .first = 1};
  if (!json_is_object(v)) return put_file_part(p, r, "file", v, f);
  json_object_foreach(v, key, part) {
    if (put_file_part(p, r, key, part, f) != TERN_OK) return TERN_FAILED;
  }
  if (!*f->path) return refuse(p, r, "\"file\" in every object");
  if (p->folder) json_object_set_new(v, "file", json_string(f->path)); /* the kept text stands anywhere */
  return TERN_OK;
}

static int put_files(const parser *p, const struct row *r, json_t *v, tern_train_files *to) {
  if (!json_is_array(v)) return put_file(p, r, v, to);
  for (size_t i = 0; i < json_array_size(v); i++) {
    if (put_file(p, r, json_array_get(v, i), to) != TERN_OK) return TERN_FAILED;
    if (p->folder && json_is_string(json_array_get(v, i)))
      json_array_set_new(v, i, json_string(to->at[to->count - 1].path));
  }
  return TERN_OK;
}

static int put_tasks(const parser *p, const struct row *r, json_t *v) {
  const char *key;
  json_t *weight;
  if (!json_is_object(v)) return refuse(p, r, "an object of task names and numbers");
  json_object_foreach(v, key, weight) {
    const double x = json_number_value(weight);
    if (!json_is_number(weight) || !(x >= r->low && x <= r->high)) return refuse_range(p, r, "numbers");
    if (p->c->task_count == TERN_TRAIN_TASKS || strlen(key) >= TERN_TRAIN_NAME)
      return refuse(p, r, "at most 32 tasks with names of at most 63 bytes");
    tern_train_task *t = &p->c->tasks[p->c->task_count++];
    strcpy(t->name, key);
    t->weight = x;
  }
  return TERN_OK;
}

static int put_targets(const parser *p, const struct row *r, json_t *v, unsigned *to) {
  *to = 0;
  for (size_t i = 0; i < json_array_size(v); i++) {
    const char *name = json_string_value(json_array_get(v, i));
    int k = 0;
    while (name && k < TERN_TRAIN_TARGETS && strcmp(name, tern_train_targets[k]) != 0) k++;
    if (!name || k == TERN_TRAIN_TARGETS) break;
    *to |= 1U << k;
    if (i + 1 == json_array_size(v)) return TERN_OK;
  }
  return refuse(p, r, "a list of attn_q, attn_k, attn_v, attn_output, ffn_gate, ffn_up, ffn_down");
}

static int put_template(const parser *p, const struct row *r, const char *text, const tern_chat_template **to) {
  *to = text ? tern_chat_template_find(text) : NULL;
  if (*to) return TERN_OK;
  char want[512] = "one of";
  size_t used = strlen(want);
  for (int i = 0; tern_chat_template_at(i) && used < sizeof want; i++)
    used += (size_t)snprintf(want + used, sizeof want - used, "%s %s", i ? "," : "",
                             tern_chat_template_name(tern_chat_template_at(i)));
  return refuse(p, r, want);
}

static int put(const parser *p, const struct row *r, json_t *v) {
  void *to = (char *)p->c + r->offset;
  const char *text = json_string_value(v);
  switch (r->kind) {
  case NAME:
    if (!text || strlen(text) >= TERN_TRAIN_NAME) return refuse(p, r, "a text of at most 63 bytes");
    strcpy(to, text);
    return TERN_OK;
  case PATH:
    return text ? put_path(p, r, to, text) : refuse(p, r, "a path");
  case FILES:
    return put_files(p, r, v, to);
  case WEIGHTS:
    return put_weights(p, r, text, to);
  case TASKS:
    return put_tasks(p, r, v);
  case CHAT:
    return put_template(p, r, text, to);
  case TARGETS:
    return put_targets(p, r, v, to);
  default:
    return put_number(p, r, v, to);
  }
}

static int put_standard(const parser *p, const struct row *r) {
  void *to = (char *)p->c + r->offset;
  if (isnan(r->standard))
    return tern_fail(p->e, TERN_FAILED, "%s: key %s%s%s is missing", p->where, r->section, *r->section ? "." : "",
                     r->key);
  if (r->kind == NAME)
    strcpy(to, r->text);
  else if (r->kind == REAL)
    *(double *)to = r->standard;
  else if (r->kind == WIDE)
    *(int64_t *)to = (int64_t)r->standard;
  else if (r->kind == INTEGER)
    *(int *)to = (int)r->standard;
  else if (r->kind == TARGETS)
    *(unsigned *)to = (1U << TERN_TRAIN_TARGETS) - 1;
  return TERN_OK;
}

/* A key that no row has: the nearest that is one, in this section or another. */
static int refuse_key(const parser *p, const char *section, const char *key) {
  const char *near = NULL, *near_section = "";
  int best = NEAR;
  for (int i = 0; i < ROWS; i++) {
    int d = tern_name_distance(key, rows[i].key) + (strcmp(rows[i].section, section) != 0);
    if (d >= best) continue;
    best = d;
    near = rows[i].key;
    near_section = rows[i].section;
  }
  if (near)
    return tern_fail(p->e, TERN_FAILED, "%s: key %s%s%.60s is not known; did you mean %s%s%s?", p->where, section,
                     *section ? "." : "", key, near_section, *near_section ? "." : "", near);
  return tern_fail(p->e, TERN_FAILED, "%s: key %s%s%.60s is not known (docs/training.md lists all)", p->where, section,
                   *section ? "." : "", key);
}

static bool is_section(const char *name) {
  for (int i = 0; i < ROWS; i++) {
    if (*rows[i].section && strcmp(rows[i].section, name) == 0) return true;
  }
  return false;
}

static const struct row *row_of(const char *section, const char *key) {
  for (int i = 0; i < ROWS; i++) {
    if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0) return &rows[i];
  }
  return NULL;
}

static int check_keys(const parser *p, const char *section, json_t *object) {
  const char *key;
  json_t *v;
  if (!json_is_object(object))
    return tern_fail(p->e, TERN_FAILED, "%s: key %s: want an object", p->where, *section ? section : "(top)");
  json_object_foreach(object, key, v) {
    if (!*section && is_section(key)) {
      if (check_keys(p, key, v) != TERN_OK) return TERN_FAILED;
    } else if (!row_of(section, key)) {
      return refuse_key(p, section, key);
    }
  }
  return TERN_OK;
}

static bool lasts(const tern_train_files *f) {
  for (int i = 0; i < f->count; i++) {
    if (!f->at[i].last) return true;
  }
  return false;
}

/* What single ranges cannot say. */
static int check_shape(const parser *p) {
  const tern_train_config *c = p->c;
  const struct {
    bool bad;
    const char *text;
  } rules[] = {
      {strcmp(c->arch, "bitnet-b1.58") != 0 && strcmp(c->arch, "bitnet") != 0,
       "model.arch: want \"bitnet-b1.58\" (squared ReLU) or \"bitnet\" (SiLU)"},
      {c->hidden % 16 || c->ffn % 16, "model.hidden and model.ffn: want multiples of 16"},
      {c->hidden % c->heads || c->hidden / c->heads % 16, "model.heads: want heads of a multiple of 16 dimensions"},
      {c->heads % c->kv_heads, "model.kv_heads: want a divisor of model.heads"},
      {c->warmup > c->steps, "train.warmup: want at most train.steps"},
      {!lasts(&c->train), "data.train: want a file without \"last\", or training runs out of text"},
      {c->lora_rank > 0 && !c->from[0], "from: adapters (lora.rank) want the model that they adapt"},
      {c->patience > 0 && (c->eval_every == 0 || c->eval.count == 0),
       "train.patience: wants data.eval and train.eval_every"},
  };
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    if (rules[i].bad) return tern_fail(p->e, TERN_FAILED, "%s: key %s", p->where, rules[i].text);
  }
  return TERN_OK;
}

static int parse(tern_train_config *c, const char *text, const char *where, const char *folder, tern_error *e) {
  json_error_t bad;
  *c = (tern_train_config){0};
  const parser p = {.c = c, .where = where, .folder = folder, .e = e};
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &bad);
  if (!root) return tern_fail(e, TERN_FAILED, "%s: line %d: %s", where, bad.line, bad.text);
  int status = check_keys(&p, "", root);
  for (int i = 0; i < ROWS && status == TERN_OK; i++) {
    const struct row *r = &rows[i];
    json_t *v = json_object_get(*r->section ? json_object_get(root, r->section) : root, r->key);
    status = v ? put(&p, r, v) : put_standard(&p, r);
    if (status == TERN_OK && folder && json_is_string(v) && (r->kind == PATH || r->kind == FILES)) {
      const char *full =
          r->kind == PATH ? (char *)c + r->offset : ((tern_train_files *)((char *)c + r->offset))->at[0].path;
      json_object_set_new(*r->section ? json_object_get(root, r->section) : root, r->key, json_string(full));
    }
  }
  if (status == TERN_OK) status = check_shape(&p);
  if (status == TERN_OK) {
    c->text = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (!c->text) status = tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  }
  json_decref(root);
  return status;
}

int tern_train_config_parse(tern_train_config *c, const char *text, const char *where, tern_error *e) {
  return parse(c, text, where, NULL, e);
}

int tern_train_config_read(tern_train_config *c, const char *path, tern_error *e) {
  size_t size;
  char *text = tern_file_read(path, CONFIG_LIMIT, &size, e), *full = text ? realpath(path, NULL) : NULL;
  int status = TERN_FAILED;
  if (text && !full) tern_fail_errno(e, "%s", path);
  if (full) status = parse(c, text, path, dirname(full), e);
  free(full);
  free(text);
  return status;
}

void tern_train_config_close(tern_train_config *c) {
  free(c->text);
  c->text = NULL;
}

void tern_train_schedule(const tern_train_config *c, int step, double *rate, double *decay) {
  const double turn = c->stage * c->steps;
  double share;
  if (step < turn) {
    share = 1 + (c->stage1_end - 1) * (step / turn);
    *decay = c->weight_decay;
  } else {
    share = c->stage2_start * (c->steps - step) / (c->steps - turn);
    *decay = 0;
  }
  if (step < c->warmup) share *= (step + 1.0) / c->warmup;
  *rate = c->lr * share;
}
