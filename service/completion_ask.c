/* Reading is driven by tables: numbers of the sampler with their bounds, and
 * what OpenAI has and this server has not. Fields it does not know are passed
 * over, as clients send many. */
#include "service/completion_ask.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

enum { BAD = 400, FAULT = 500, MOST_LOGPROBS = 1, USUAL_TOKENS = 16 };

void tern_completion_ask_free(tern_completion_ask *a) {
  for (int i = 0; i < a->prompt_count; i++) free(a->prompts[i].ids);
  for (int i = 0; i < a->stop_count; i++) free(a->stops[i]);
  free(a->prompts);
  free(a->stops);
  *a = (tern_completion_ask){0};
}

/* A field that is there and not null. */
static const json_t *field(const json_t *root, const char *name) {
  const json_t *v = json_object_get(root, name);
  return json_is_null(v) ? NULL : v;
}

static int read_whole(const json_t *root, const char *name, int least, int most, int *out, tern_problem *p) {
  const json_t *v = field(root, name);
  if (!v) return 0;
  if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most)
    return tern_refuse(p, BAD, name, "%s: a whole number from %d to %d, please", name, least, most);
  *out = (int)json_integer_value(v);
  return 0;
}

typedef struct real_field {
  const char *name;
  double least, most;
  size_t at; /* float of tern_sampler_params */
} real_field;

static const real_field reals[] = {
    {"temperature", 0, 1e6, offsetof(tern_sampler_params, temperature)},
    {"top_p", 1e-6, 1, offsetof(tern_sampler_params, top_p)},
    {"min_p", 0, 1, offsetof(tern_sampler_params, min_p)},
    {"frequency_penalty", -2, 2, offsetof(tern_sampler_params, frequency)},
    {"presence_penalty", -2, 2, offsetof(tern_sampler_params, presence)},
};

static int read_sampling(const json_t *root, tern_sampler_params *s, tern_problem *p) {
  *s = (tern_sampler_params){.temperature = 1, .top_p = 1, .window = -1};
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
    const real_field *r = &reals[i];
    const json_t *v = field(root, r->name);
    double value = v ? json_number_value(v) : 0;
    if (!v) continue;
    if (!json_is_number(v) || !(value >= r->least && value <= r->most))
      return tern_refuse(p, BAD, r->name, "%s: a number from %g to %g, please", r->name, r->least, r->most);
    *(float *)((char *)s + r->at) = (float)value;
  }
  const json_t *seed = field(root, "seed");
  if (seed && !json_is_integer(seed)) return tern_refuse(p, BAD, "seed", "seed: a whole number, please");
  s->seed = seed ? (uint64_t)json_integer_value(seed) : 0;
  return read_whole(root, "top_k", 0, INT32_MAX, &s->top_k, p);
}

/* What the API has and this server does not do: harmless values pass. */
static int refuse_unsupported(const json_t *root, tern_problem *p) {
  static const char *const ones[] = {"n", "best_of"};
  const json_t *v = field(root, "stream");
  if (v && !json_is_false(v)) return tern_refuse(p, BAD, "stream", "stream: answers come whole here");
  for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) {
    v = field(root, ones[i]);
    if (v && json_integer_value(v) != 1) return tern_refuse(p, BAD, ones[i], "%s: only 1 is possible here", ones[i]);
  }
  v = field(root, "suffix");
  if (v && json_string_length(v) > 0) return tern_refuse(p, BAD, "suffix", "suffix: text is only continued here");
  v = field(root, "logit_bias");
  if (v && json_object_size(v) > 0) return tern_refuse(p, BAD, "logit_bias", "logit_bias is not taken here");
  return 0;
}

static int add_stop(tern_completion_ask *a, const json_t *v, tern_problem *p) {
  const char *text = json_string_value(v);
  if (!text || !*text || strlen(text) != json_string_length(v))
    return tern_refuse(p, BAD, "stop", "stop: texts, please, none of them empty and none with a NUL");
  if (!(a->stops[a->stop_count] = strdup(text))) return tern_refuse(p, FAULT, "stop", "out of memory");
  a->stop_count++;
  return 0;
}

static int read_stops(tern_completion_ask *a, const json_t *v, int most, tern_problem *p) {
  if (!v) return 0;
  size_t n = json_is_array(v) ? json_array_size(v) : 1;
  if (n > (size_t)most) return tern_refuse(p, BAD, "stop", "stop: at most %d texts", most);
  if (!(a->stops = calloc(n + 1, sizeof *a->stops))) return tern_refuse(p, FAULT, "stop", "out of memory");
  if (!json_is_array(v)) return add_stop(a, v, p);
  int code = 0;
  for (size_t i = 0; i < n && !code; i++) code = add_stop(a, json_array_get(v, i), p);
  return code;
}

static int read_ids(tern_prompt_ids *out, const json_t *list, int vocab, tern_problem *p) {
  size_t n = json_array_size(list);
  if (n == 0 || n > INT32_MAX / 2) return tern_refuse(p, BAD, "prompt", "prompt: %zu ids are none to go on from", n);
  out->ids = malloc(tern_mul(n, sizeof *out->ids));
  if (!out->ids) return tern_refuse(p, FAULT, "prompt", "not enough memory for %zu ids", n);
  for (size_t i = 0; i < n; i++) {
    const json_t *v = json_array_get(list, i);
    json_int_t id = json_integer_value(v);
    if (!json_is_integer(v) || id < 0 || id >= vocab)
      return tern_refuse(p, BAD, "prompt", "prompt: id %zu of the list is not one of 0 to %d", i, vocab - 1);
    out->ids[i] = (int32_t)id;
  }
  out->count = (int)n;
  return 0;
}

static int read_text(tern_prompt_ids *out, const json_t *text, const tern_ask_limits *l, tern_problem *p) {
  tern_error e = {0};
  if (l->encode(l->encoder, json_string_value(text), json_string_length(text), &out->ids, &out->count, &e) != TERN_OK)
    return tern_refuse(p, FAULT, "prompt", "%s", e.text);
  if (out->count == 0)
    return tern_refuse(p, BAD, "prompt", "prompt: an empty text gives this model no token to start from");
  return 0;
}

/* A text, texts, ids, or lists of ids. */
static int read_prompts(tern_completion_ask *a, const json_t *v, const tern_ask_limits *l, tern_problem *p) {
  static const char forms[] = "prompt: a text, a list of ids, or a list of either, please";
  bool ids = json_is_array(v) && json_is_integer(json_array_get(v, 0)), one = json_is_string(v) || ids;
  if (!one && !json_is_array(v)) return tern_refuse(p, BAD, "prompt", "%s", forms);
  size_t n = one ? 1 : json_array_size(v);
  if (n == 0) return tern_refuse(p, BAD, "prompt", "%s", forms);
  if (n > (size_t)l->prompts) return tern_refuse(p, BAD, "prompt", "prompt: at most %d at once", l->prompts);
  if (!(a->prompts = calloc(n, sizeof *a->prompts))) return tern_refuse(p, FAULT, "prompt", "out of memory");
  int code = 0;
  for (size_t i = 0; i < n && !code; i++) {
    const json_t *item = one ? v : json_array_get(v, i);
    a->prompt_count++;
    if (json_is_string(item))
      code = read_text(&a->prompts[i], item, l, p);
    else if (json_is_array(item))
      code = read_ids(&a->prompts[i], item, l->vocab, p);
    else
      code = tern_refuse(p, BAD, "prompt", "%s", forms);
  }
  return code;
}

static int read_body(tern_completion_ask *a, const json_t *root, const tern_ask_limits *l, tern_problem *p) {
  const json_t *echo = field(root, "echo");
  int code = refuse_unsupported(root, p);
  a->most_tokens = USUAL_TOKENS;
  a->logprobs = -1;
  a->echo = json_is_true(echo);
  if (!code && echo && !json_is_boolean(echo)) code = tern_refuse(p, BAD, "echo", "echo: true or false, please");
  if (!code) code = read_whole(root, "max_tokens", 0, INT32_MAX, &a->most_tokens, p);
  if (!code) code = read_whole(root, "logprobs", 0, MOST_LOGPROBS, &a->logprobs, p);
  if (!code) code = read_sampling(root, &a->sampling, p);
  if (!code) code = read_stops(a, field(root, "stop"), l->stops, p);
  if (!code && !field(root, "prompt")) code = tern_refuse(p, BAD, "prompt", "prompt: which?");
  return code ? code : read_prompts(a, field(root, "prompt"), l, p);
}

int tern_completion_ask_read(tern_completion_ask *out, const char *body, size_t size, const tern_ask_limits *l,
                             tern_problem *p) {
  json_error_t where;
  *out = (tern_completion_ask){0};
  json_t *root = json_loadb(body, size, JSON_ALLOW_NUL, &where);
  int code;
  if (!root)
    code = tern_refuse(p, BAD, NULL, "the body is not JSON: %s (byte %d)", where.text, where.position);
  else if (!json_is_object(root))
    code = tern_refuse(p, BAD, NULL, "the body is not a JSON object");
  else
    code = read_body(out, root, l, p);
  json_decref(root);
  if (code) tern_completion_ask_free(out);
  return code;
}
