/* See sampling_options.h. A bias names its token by id, or by a text in quotes
 * that must be one token. */
#include "harness/sampling_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/job_lists.h"

enum { TEMP = 0x1100, TOP_K, TOP_P, MIN_P, SEED, REPEAT, FREQUENCY, PRESENCE, WINDOW, BIAS, STOP };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Choice of tokens", 5},
    {"temp", TEMP, "T", 0, "temperature; 0 (default): always the likeliest token", 0},
    {"top-k", TOP_K, "K", 0, "sample from the K likeliest (0: all)", 0},
    {"top-p", TOP_P, "P", 0, "sample from the likeliest that together reach P (1: all)", 0},
    {"min-p", MIN_P, "P", 0, "leave out what is less than P times as likely as the likeliest (0)", 0},
    {"seed", SEED, "N", 0, "seed of the draws (0): same seed, same text, on every machine", 0},
    {"repeat-penalty", REPEAT, "R", 0, "divide logits of tokens that were there by R, multiply negative ones (1)", 0},
    {"frequency-penalty", FREQUENCY, "F", 0, "subtract F for each time that a token was there (0)", 0},
    {"presence-penalty", PRESENCE, "P", 0, "subtract P when a token was there (0)", 0},
    {"penalty-window", WINDOW, "N", 0, "penalties look at the last N tokens, prompt included (64; 0: at all)", 0},
    {"logit-bias", BIAS, "ID+V", 0,
     "add V to a token's logit: 42+1.5, 42-3, 42-inf (never), or its text in quotes: '\" Hello\"-inf'", 0},
    {"stop", STOP, "TEXT", 0, "end before this text; may be given several times", 0},
    {0},
};

static void add_text(struct argp_state *state, const char *option, const char **list, int *count, int most,
                     const char *text) {
  if (*count == most) argp_error(state, "--%s can be given %d times", option, most);
  if (*text == 0) argp_error(state, "--%s wants a text", option);
  list[(*count)++] = text;
}

static uint64_t seed_of(struct argp_state *state, const char *text) {
  char *end;
  unsigned long long value = strtoull(text, &end, 10);
  if (end == text || *end != 0 || strchr(text, '-') != NULL) argp_error(state, "--seed '%.40s': a whole number", text);
  return value;
}

static error_t parse(int key, char *text, struct argp_state *state) {
  tern_sampling_options *o = state->input;
  tern_sampler_params *p = &o->params;
  switch (key) {
  case TEMP:
    p->temperature = (float)tern_option_real(state, "temp", text, 0, 1e6);
    break;
  case TOP_K:
    p->top_k = (int)tern_option_number(state, "top-k", text, 0, INT32_MAX);
    break;
  case TOP_P:
    p->top_p = (float)tern_option_real(state, "top-p", text, 1e-6, 1);
    break;
  case MIN_P:
    p->min_p = (float)tern_option_real(state, "min-p", text, 0, 1);
    break;
  case SEED:
    p->seed = seed_of(state, text);
    break;
  case REPEAT:
    p->repeat = (float)tern_option_real(state, "repeat-penalty", text, 0.01, 100);
    break;
  case FREQUENCY:
    p->frequency = (float)tern_option_real(state, "frequency-penalty", text, -100, 100);
    break;
  case PRESENCE:
    p->presence = (float)tern_option_real(state, "presence-penalty", text, -100, 100);
    break;
  case WINDOW:
    p->window = (int)tern_option_number(state, "penalty-window", text, 0, INT32_MAX);
    if (p->window == 0) p->window = -1;
    break;
  case BIAS:
    add_text(state, "logit-bias", o->bias_texts, &o->bias_count, TERN_MOST_BIASES, text);
    break;
  case STOP:
    add_text(state, "stop", o->stops, &o->stop_count, TERN_MOST_STOPS, text);
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

const struct argp tern_sampling_argp = {.options = table, .parser = parse};

void tern_sampling_options_start(tern_sampling_options *o) {
  *o = (tern_sampling_options){.params = {.top_p = 1}};
}

/* The one token that the text between quotes is. */
static int token_of(const tern_tokenizer *t, const char *text, size_t size, const char *whole, int32_t *id,
                    tern_error *e) {
  int32_t *ids;
  size_t n;
  if (tern_tokenizer_encode(t, text, size, true, &ids, &n, e) != TERN_OK) return TERN_FAILED;
  if (n == 1) *id = ids[0];
  free(ids);
  if (n == 1) return TERN_OK;
  return tern_fail(e, TERN_USAGE, "--logit-bias %.60s: the text is %zu tokens, not one; see ternmark tokenize", whole,
                   n);
}

static int read_bias(tern_bias *b, const char *text, const tern_tokenizer *t, tern_error *e) {
  const char *value = text;
  char *end;
  if (*text == '"') {
    const char *close = strrchr(text + 1, '"');
    if (close == NULL) return tern_fail(e, TERN_USAGE, "--logit-bias %.60s: the closing quote is missing", text);
    if (token_of(t, text + 1, (size_t)(close - text - 1), text, &b->id, e) != TERN_OK) return (int)e->status;
    value = close + 1;
  } else {
    long id = strtol(text, &end, 10);
    if (end == text || id < 0 || id > INT32_MAX)
      return tern_fail(e, TERN_USAGE, "--logit-bias wants ID+V, ID-V or \"TEXT\"+V, not \"%.60s\"", text);
    b->id = (int32_t)id;
    value = end;
  }
  double add = strtod(value, &end);
  if ((*value != '+' && *value != '-') || end == value || *end != 0 || isnan(add) || (isinf(add) && add > 0))
    return tern_fail(e, TERN_USAGE, "--logit-bias %.60s: want a sign and a number, or -inf, behind the token", text);
  b->add = (float)add;
  return TERN_OK;
}

int tern_sampling_options_finish(tern_sampling_options *o, const tern_tokenizer *t, int vocab, tern_error *e) {
  tern_sampler *s;
  for (int i = 0; i < o->bias_count; i++) {
    if (read_bias(&o->biases[i], o->bias_texts[i], t, e) != TERN_OK) return (int)e->status;
  }
  o->params.biases = o->biases;
  o->params.bias_count = o->bias_count;
  int status = tern_sampler_open(&s, vocab, &o->params, e);
  tern_sampler_close(s);
  return status;
}

tern_answer_params tern_sampling_answer(const tern_sampling_options *o) {
  return (tern_answer_params){.sampling = o->params, .stops = o->stops, .stop_count = o->stop_count};
}
