/* The context is encoded alone and with its continuation, whose ids are what the
 * second has beyond as many as the first: lm-eval's rule, also where the two
 * don't begin alike. */
#include "harness/eval/ask.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "harness/eval/python_text.h"

static int prefix_id(const tern_tokenizer *t) {
  int32_t bos = tern_tokenizer_bos(t);
  return bos >= 0 ? bos : tern_tokenizer_eos(t);
}

static int no_prefix(tern_error *e) {
  return tern_fail(e, TERN_FAILED,
                   "a text without context starts from the tokenizer's BOS or EOS, and it has neither: such tasks "
                   "cannot be asked of this model");
}

/* Special texts are tokens, as in transformers' encode. `own`: with what the
 * tokenizer's file puts around a text. One place is left before the ids. */
static int encode(const tern_splitter *s, const char *text, size_t size, bool own, int32_t **out, size_t *count,
                  tern_error *e) {
  const tern_tokenizer *t = s->tokenizer;
  int32_t *ids = NULL, bos = tern_tokenizer_bos(t), eos = tern_tokenizer_eos(t);
  size_t n = 0;
  if (tern_tokenizer_encode(t, text, size, true, &ids, &n, e) != 0) return (int)e->status;
  bool first = own && tern_tokenizer_adds_bos(t) && bos >= 0 && !(n > 0 && ids[0] == bos);
  bool last = own && tern_tokenizer_adds_eos(t) && eos >= 0;
  int32_t *all = n < INT32_MAX / 2 ? malloc((n + 3) * sizeof *all) : NULL;
  if (all != NULL) {
    if (n > 0) memcpy(all + 1 + first, ids, n * sizeof *all);
    if (first) all[1] = bos;
    if (last) all[1 + first + n] = eos;
    *count = n + first + last;
  }
  free(ids);
  *out = all;
  return all != NULL ? 0 : tern_fail(e, TERN_FAILED, "not enough memory for a text of %zu tokens", n);
}

void tern_splitter_close(tern_splitter *s) {
  free(s->context);
  free(s->context_ids);
  *s = (tern_splitter){0};
}

/* The last `keep` ids; at least one of them is context. */
static void cut_left(tern_ask_ids *a, int keep) {
  a->cut = a->count > keep ? a->count - keep : 0;
  memmove(a->ids, a->ids + a->cut, (size_t)(a->count - a->cut) * sizeof *a->ids);
  a->count -= a->cut;
  if (a->scored >= a->count) a->scored = a->count - 1;
}

static int remember(tern_splitter *s, const char *context, size_t size, tern_error *e) {
  if (s->context != NULL && strncmp(s->context, context, size) == 0 && s->context[size] == '\0') return 0;
  free(s->context);
  free(s->context_ids);
  s->context_ids = NULL;
  s->context = strndup(context, size);
  if (s->context == NULL) return tern_fail(e, TERN_FAILED, "a context of %zu bytes: out of memory", size);
  int status = encode(s, context, size, s->rules.bos == TERN_BOS_OWN, &s->context_ids, &s->context_count, e);
  if (status == 0) return 0;
  free(s->context);
  s->context = NULL;
  return status;
}

/* context_ids, then what the whole has beyond as many; the prefix where there are none. */
static int join(const tern_splitter *s, int32_t *whole, size_t count, tern_ask_ids *out, tern_error *e) {
  size_t context = s->context_count;
  if (context == 0) {
    int32_t prefix = prefix_id(s->tokenizer);
    if (prefix < 0) return no_prefix(e);
    whole[0] = prefix;
    out->count = (int)count + 1;
    out->scored = (int)count;
    return 0;
  }
  if (count < context) {
    int32_t *more = realloc(whole, tern_mul(context + 1, sizeof *more));
    if (more == NULL) return tern_fail(e, TERN_FAILED, "a context of %zu tokens: out of memory", context);
    out->ids = whole = more;
    count = context;
  }
  out->scored = (int)(count - context);
  memmove(whole + context, whole + 1 + context, (count - context) * sizeof *whole);
  memcpy(whole, s->context_ids + 1, context * sizeof *whole);
  out->count = (int)count;
  return 0;
}

static int split_pair(tern_splitter *s, const tern_ask *a, tern_ask_ids *out, tern_error *e) {
  size_t all = strlen(a->context), size = tern_python_rstrip(a->context), more = strlen(a->continuation), count;
  bool own = s->rules.bos == TERN_BOS_OWN;
  char *text = malloc(all + more + 1);
  if (text == NULL) return tern_fail(e, TERN_FAILED, "a text of %zu bytes: out of memory", all + more);
  memcpy(text, a->context, all);
  memcpy(text + all, a->continuation, more + 1);
  int status = remember(s, a->context, size, e);
  if (status == 0) status = encode(s, text, all + more, own, &out->ids, &count, e);
  free(text);
  if (status == 0) status = join(s, out->ids, count, out, e);
  return status;
}

/* The prefix, then the text's ids; of a continuation that begins with the prefix itself once. */
static int split_alone(const tern_splitter *s, const char *text, bool own, bool once, tern_ask_ids *out,
                       tern_error *e) {
  int32_t prefix = prefix_id(s->tokenizer);
  size_t n;
  if (prefix < 0) return no_prefix(e);
  int status = encode(s, text, strlen(text), own, &out->ids, &n, e);
  if (status != 0) return status;
  out->ids[0] = prefix;
  if (once && n > 0 && out->ids[1] == prefix) {
    n--;
    memmove(out->ids + 1, out->ids + 2, n * sizeof *out->ids);
  }
  out->count = (int)n + 1;
  out->scored = (int)n;
  return 0;
}

static int split_prompt(const tern_splitter *s, const char *text, tern_ask_ids *out, tern_error *e) {
  const tern_ask_rules *r = &s->rules;
  int room = r->context - r->most_tokens - (r->window == TERN_WINDOW_COMPLETIONS);
  size_t n;
  if (room <= 0)
    return tern_fail(e, TERN_FAILED,
                     "%d tokens are to be generated in a context of %d: nothing is left for a question; give "
                     "--most-tokens or a longer --context",
                     r->most_tokens, r->context);
  int status = encode(s, text, strlen(text), r->bos == TERN_BOS_OWN, &out->ids, &n, e);
  if (status != 0) return status;
  if (n == 0 && (out->ids[0] = prefix_id(s->tokenizer)) < 0) return no_prefix(e);
  if (n > 0) memmove(out->ids, out->ids + 1, n * sizeof *out->ids);
  out->count = n > 0 ? (int)n : 1;
  cut_left(out, room);
  return 0;
}

int tern_ask_split(tern_splitter *s, const tern_ask *a, tern_ask_ids *out, tern_error *e) {
  const tern_ask_rules *r = &s->rules;
  int status;
  *out = (tern_ask_ids){0};
  if (a->continuation == NULL)
    status = split_prompt(s, a->context, out, e);
  else if (a->context == NULL)
    status = split_alone(s, a->continuation, r->bos == TERN_BOS_OWN, false, out, e);
  else if (*a->context == '\0')
    status = split_alone(s, a->continuation, false, true, out, e);
  else
    status = split_pair(s, a, out, e);
  if (status == 0 && a->context != NULL && a->continuation != NULL)
    cut_left(out, r->window == TERN_WINDOW_HF ? r->context + 1 : r->context - 1);
  if (status != 0) {
    free(out->ids);
    *out = (tern_ask_ids){0};
  }
  return status;
}

bool tern_ask_window(const tern_ask_rules *r, const tern_ask_ids *a, int i, int *from, int *count, int *scored) {
  int64_t most = r->window == TERN_WINDOW_HF ? r->context : r->context - 2, n = a->count - 1, begin = i * most;
  if (begin >= n) return false;
  int64_t end = begin + most < n ? begin + most : n, first = i == 0 ? 0 : end - most;
  *from = (int)first;
  *count = (int)(end + 1 - first);
  *scored = (int)(end - begin);
  return true;
}
