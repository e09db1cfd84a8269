/* ternmark inspect: what a model's file or folder holds: metadata, tensors, bits
 * a weight, share of zeros, and the memory that running it takes. The JSON and
 * the text say the same; strings from the file are made printable in both. */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/format/convert_rows.h"
#include "engine/model/model.h"
#include "harness/command.h"

enum { KEY_JSON = 256, KEY_FAST, SHOWN_ITEMS = 6, SHOWN_TEXT = 200 };

typedef struct options {
  const char *path;
  bool json, fast;
} options;

static const struct argp_option option_table[] = {
    {"json", KEY_JSON, NULL, 0, "as JSON on stdout", 0},
    {"fast", KEY_FAST, NULL, 0, "do not read the weights (no share of zeros)", 0},
    {0},
};

static const char help[] =
    "Show a model's metadata, tensors, bits a weight, share of zero weights and memory plan.\v"
    "FILE is a GGUF file, a Hugging Face folder (shown with the keys and names of the GGUF file that it would convert "
    "to) or a llama2.c checkpoint.\n"
    "\n"
    "Examples:\n"
    "  ternmark inspect model.gguf\n"
    "  ternmark inspect bitnet-b1.58-2B-4T/ --json --fast\n";

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case KEY_JSON:
    o->json = true;
    return 0;
  case KEY_FAST:
    o->fast = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->path) argp_error(state, "one file at a time; '%s' is too many", arg);
    o->path = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->path) argp_error(state, "which file?");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* Text of the file as JSON: at most SHOWN_TEXT bytes, what is no UTF-8 shown as '?'. */
static json_t *text_json(tern_gguf_string s) {
  char text[SHOWN_TEXT + 4];
  size_t n = s.size < SHOWN_TEXT ? s.size : SHOWN_TEXT;
  memcpy(text, s.data, n);
  while (n < s.size && n > 0 && ((unsigned char)s.data[n] & 0xc0) == 0x80) n--; /* not inside a character */
  if (n < s.size) {
    memcpy(text + n, "...", 3);
    n += 3;
  }
  json_t *j = json_stringn(text, n);
  if (j) return j;
  for (size_t i = 0; i < n; i++) {
    if ((unsigned char)text[i] >= 0x80) text[i] = '?';
  }
  return json_stringn(text, n);
}

static json_t *real_json(double v) {
  return isfinite(v) ? json_real(v) : json_null();
}

/* The first items of an array, and its length. */
static json_t *array_json(const tern_gguf *g, const char *key, int64_t length) {
  int64_t n = 0, shown;
  json_t *items = json_array();
  tern_gguf_string *texts = tern_gguf_texts(g, key, &n);
  int64_t *integers = texts ? NULL : tern_gguf_integers(g, key, &n);
  double *reals = texts ? NULL : tern_gguf_reals(g, key, &n);
  shown = n < SHOWN_ITEMS ? n : SHOWN_ITEMS;
  for (int64_t i = 0; i < shown; i++) {
    bool whole = integers && (!reals || reals[i] == (double)integers[i]);
    json_array_append_new(items, texts   ? text_json(texts[i])
                                 : whole ? json_integer(integers[i])
                                 : reals ? real_json(reals[i])
                                         : json_null());
  }
  free(texts);
  free(integers);
  free(reals);
  return json_pack("{sI, so}", "length", (json_int_t)length, "first", items);
}

static json_t *value_json(const tern_gguf *g, const char *key) {
  tern_gguf_string s;
  bool b;
  int64_t i;
  double d;
  if (tern_gguf_array_length(g, key) >= 0) return array_json(g, key, tern_gguf_array_length(g, key));
  if (tern_gguf_text(g, key, &s)) return text_json(s);
  if (tern_gguf_bool(g, key, &b)) return json_boolean(b);
  if (tern_gguf_integer(g, key, &i)) return json_integer(i);
  if (tern_gguf_real(g, key, &d)) return real_json(d);
  return json_null();
}

static json_t *metadata_json(const tern_gguf *g) {
  json_t *list = json_object();
  for (int i = 0; i < tern_gguf_key_count(g); i++) {
    tern_gguf_string k = tern_gguf_key_at(g, i);
    char *key = strndup(k.data, k.size);
    json_t *name = text_json(k);
    if (key) json_object_set_new(list, json_string_value(name), value_json(g, key));
    json_decref(name);
    free(key);
  }
  return list;
}

typedef struct counts {
  double weights, bytes; /* of all tensors */
  double ternary, zeros; /* weights in ternary matrices, zeros among them */
  double ternary_bytes;
  bool broken; /* a ternary tensor holds what is no code */
} counts;

/* Zeros of a ternary tensor; -1 when it holds what is no code. The order of
 * the fields permutes codes, it does not change their number. */
static int count_zeros(const tern_gguf *g, const tern_gguf_tensor *t, double *zeros, tern_error *e) {
  int cols = (int)t->shape[0], rows = tern_tensor_rows(t);
  size_t scales = t->type->scale_block ? (size_t)(cols / t->type->scale_block) * sizeof(uint16_t) : 1;
  uint16_t *unused = tern_alloc(scales, "a row's scales", e);
  if (!unused) return TERN_FAILED;
  int8_t *codes = tern_alloc((size_t)cols, "a row of codes", e);
  int64_t n = 0;
  int rc = codes ? 0 : TERN_FAILED;
  for (int row = 0; row < rows && n >= 0 && !rc; row++) {
    float scale;
    bool codes_bad = t->type->row_codes(t->data, rows, cols, row, tern_gguf_i2s_order(g), codes, &scale) != 0;
    /* Blocks may have scales of their own: codes all the same. */
    if (codes_bad && (!t->type->row_blocks || t->type->row_blocks(t->data, cols, row, codes, unused))) {
      n = -1;
      break;
    }
    int zero = 0;
    for (int c = 0; c < cols; c++) zero += codes[c] == 0;
    n += zero;
    if (row % 64 == 0) rc = tern_interrupt_check(e);
  }
  tern_free(codes, (size_t)cols);
  tern_free(unused, scales);
  *zeros = (double)n;
  return rc;
}

static int count_all(const tern_gguf *g, bool fast, counts *out, tern_error *e) {
  tern_progress p;
  int rc = 0;
  *out = (counts){0};
  tern_progress_start(&p, "reading weights", (double)tern_gguf_size(g));
  for (int i = 0; i < tern_gguf_tensor_count(g) && !rc; i++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_at(g, i);
    double n = (double)t->shape[0] * (double)t->shape[1] * (double)t->shape[2] * (double)t->shape[3], zeros = 0;
    out->weights += n;
    out->bytes += (double)t->bytes;
    if (!t->type->ternary) continue;
    out->ternary += n;
    out->ternary_bytes += (double)t->bytes;
    if (!fast) rc = count_zeros(g, t, &zeros, e);
    if (zeros < 0) out->broken = true;
    out->zeros += zeros;
    tern_gguf_tensor_done(g, t);
    tern_progress_update(&p, out->bytes);
  }
  tern_progress_end(&p);
  return rc;
}

static json_t *tensors_json(const tern_gguf *g) {
  json_t *list = json_array();
  for (int i = 0; i < tern_gguf_tensor_count(g); i++) {
    const tern_gguf_tensor *t = tern_gguf_tensor_at(g, i);
    json_t *shape = json_array(), *name = text_json((tern_gguf_string){t->name, strlen(t->name)});
    for (int d = 0; d < t->dims; d++) json_array_append_new(shape, json_integer(t->shape[d]));
    json_array_append_new(list, json_pack("{so, ss, so, sI, sI}", "name", name, "type", t->type->name, "shape", shape,
                                          "bytes", (json_int_t)t->bytes, "offset", (json_int_t)t->offset));
  }
  return list;
}

static json_t *totals_json(const counts *c, bool fast) {
  bool known = c->ternary > 0 && !fast && !c->broken;
  return json_pack("{sI, sI, so, so, so, sI}", "weights", (json_int_t)c->weights, "bytes", (json_int_t)c->bytes,
                   "bits_per_weight", c->weights > 0 ? json_real(8 * c->bytes / c->weights) : json_null(),
                   "ternary_bits_per_weight",
                   c->ternary > 0 ? json_real(8 * c->ternary_bytes / c->ternary) : json_null(), "zero_share",
                   known ? json_real(c->zeros / c->ternary) : json_null(), "ternary_weights", (json_int_t)c->ternary);
}

/* What running it takes, from metadata alone. */
static json_t *memory_json(const tern_gguf *g) {
  const tern_model_params params = {.isa_cap = TERN_ISA_COUNT};
  const tern_session_params sizes = {.kv = TERN_KV_F16};
  tern_model_facts f;
  tern_error e;
  size_t model, session;
  if (tern_model_preview(g, &params, &f, &e) || tern_model_plan(g, &params, &model, &e) ||
      tern_session_plan(&f, &sizes, 1, &session, &e)) {
    json_t *why = text_json((tern_gguf_string){e.text, strlen(e.text)});
    return json_pack("{so}", "unavailable", why);
  }
  return json_pack("{ss, ss, sI, sI, sI, sI, sI, sI, si}", "layout", f.body_layout, "head_layout", f.head_layout,
                   "projections", (json_int_t)f.body_bytes, "head", (json_int_t)f.head_bytes, "embedding",
                   (json_int_t)f.embedding_bytes, "norms", (json_int_t)f.norm_bytes, "model", (json_int_t)model,
                   "session", (json_int_t)session, "context", f.context < 4096 ? f.context : 4096);
}

static void print_memory(const json_t *m) {
  const char *why = json_string_value(json_object_get(m, "unavailable"));
  if (why) {
    printf("memory plan: none: %s\n", why);
    return;
  }
  const char *const parts[] = {"projections", "head", "embedding", "norms"};
  printf("memory plan: %.1f MB as %s with a %s head (", 1e-6 * json_number_value(json_object_get(m, "model")),
         json_string_value(json_object_get(m, "layout")), json_string_value(json_object_get(m, "head_layout")));
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    printf("%s%s %.1f", i ? ", " : "", parts[i], 1e-6 * json_number_value(json_object_get(m, parts[i])));
  }
  printf("), %.1f MB a session of %d positions with an f16 cache\n",
         1e-6 * json_number_value(json_object_get(m, "session")),
         (int)json_integer_value(json_object_get(m, "context")));
}

/* Names are printed bare: without control characters. */
static void printable(char *to, size_t size, const char *from) {
  snprintf(to, size, "%s", from);
  for (; *to; to++) *to = (unsigned char)*to < ' ' || *to == 127 ? '?' : *to;
}

static void print_tensors(const json_t *tensors) {
  size_t i;
  json_t *t;
  printf("\n%-36s %-6s %-20s %14s\n", "tensor", "type", "shape", "bytes");
  json_array_foreach(tensors, i, t) {
    char shape[80] = "";
    size_t d;
    json_t *n;
    json_array_foreach(json_object_get(t, "shape"), d, n) {
      size_t used = strlen(shape);
      snprintf(shape + used, sizeof shape - used, "%s%" JSON_INTEGER_FORMAT, d ? " x " : "", json_integer_value(n));
    }
    char name[128];
    printable(name, sizeof name, json_string_value(json_object_get(t, "name")));
    printf("%-36s %-6s %-20s %14" JSON_INTEGER_FORMAT "\n", name, json_string_value(json_object_get(t, "type")), shape,
           json_integer_value(json_object_get(t, "bytes")));
  }
}

static void print_text(const json_t *root, const counts *c, bool fast) {
  const char *key;
  json_t *value;
  json_object_foreach(json_object_get(root, "metadata"), key, value) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    char name[128];
    printable(name, sizeof name, key);
    printf("%-44s %s\n", name, text ? text : "");
    free(text);
  }
  print_tensors(json_object_get(root, "tensors"));
  printf("\n%.0f weights in %.0f bytes", c->weights, c->bytes);
  if (c->weights > 0) printf(": %.3f bits a weight", 8 * c->bytes / c->weights);
  if (c->ternary > 0) printf("\n%.0f of them ternary, %.3f bits each", c->ternary, 8 * c->ternary_bytes / c->ternary);
  if (c->ternary > 0 && !fast && !c->broken) printf(", %.2f %% zero", 100 * c->zeros / c->ternary);
  if (c->broken) printf("; some fields are no ternary codes: a damaged file, or another layout");
  printf("\n");
  print_memory(json_object_get(root, "memory"));
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {.options = option_table, .parser = parse, .args_doc = "FILE", .doc = help};
  options o = {0};
  tern_gguf *g = NULL;
  json_t *root = NULL;
  counts c;
  static char name[] = "ternmark inspect"; /* how messages and usage call it */
  argv[0] = name;
  if (argp_parse(&parser, argc, argv, 0, NULL, &o)) return TERN_USAGE;
  int rc = tern_gguf_open(&g, o.path, e);
  if (rc) goto out;
  if ((rc = count_all(g, o.fast, &c, e))) goto out;
  root = json_pack("{so, so, so, so}", "memory", memory_json(g), "metadata", metadata_json(g), "tensors",
                   tensors_json(g), "totals", totals_json(&c, o.fast));
  if (!root) {
    rc = tern_fail(e, TERN_FAILED, "%s: out of memory", o.path);
  } else if (o.json) {
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    printf("\n");
  } else {
    print_text(root, &c, o.fast);
  }
  if (!rc && fflush(stdout) != 0) rc = tern_fail_errno(e, "cannot write to stdout");
out:
  json_decref(root);
  tern_gguf_close(g);
  return rc;
}

const tern_command tern_command_inspect = {"inspect", "show what a model file or folder holds", run};
