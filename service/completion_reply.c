/* "logprobs" holds a place for every token told: null for the first of a text,
 * as nothing is before it; top_logprobs the token itself and the likeliest one.
 * Names of tokens: their text; "bytes:\xNN" for a piece of a character;
 * "token_id:N" for what has no text, or the text of another token. */
#include "service/completion_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/text/utf8.h"

enum { NAME = 1024 };

/* The tokens of a completion that are told: the prompt's when it is echoed. */
typedef struct told {
  const tern_tokenizer *tokenizer;
  const tern_work *work;
  int from, to; /* of prompt and answer together */
} told;

static int32_t id_at(const told *x, int i) {
  return i < x->work->count ? x->work->ids[i] : x->work->answer_ids[i - x->work->count];
}

static tern_gguf_string bytes_at(const told *x, int i, int32_t id) {
  return tern_tokenizer_bytes(x->tokenizer, i > 0 ? id_at(x, i - 1) : -1, id);
}

static void name_id(char *out, int32_t id) {
  snprintf(out, NAME, "token_id:%d", id);
}

static void name_token(const told *x, int i, int32_t id, char *out) {
  tern_gguf_string b = bytes_at(x, i, id);
  size_t at;
  if (b.size == 0 || b.size >= NAME / 4 || memchr(b.data, 0, b.size)) {
    name_id(out, id);
  } else if (tern_utf8_span((const uint8_t *)b.data, b.size) == b.size) {
    memcpy(out, b.data, b.size);
    out[b.size] = 0;
  } else {
    at = (size_t)snprintf(out, NAME, "bytes:");
    for (size_t k = 0; k < b.size; k++)
      at += (size_t)snprintf(out + at, NAME - at, "\\x%02x", (unsigned)(unsigned char)b.data[k]);
  }
}

/* The token and the likeliest; a name that both have goes to the likeliest. */
static json_t *top_of(const told *x, int i, const char *name, const tern_score *s) {
  char best[NAME], own[NAME];
  json_t *top = json_object();
  name_token(x, i, s->best, best);
  snprintf(own, sizeof own, "%s", name);
  if (s->best != id_at(x, i) && strcmp(own, best) == 0) name_id(own, id_at(x, i));
  json_object_set_new(top, best, json_real(s->best_logprob));
  if (s->best != id_at(x, i)) json_object_set_new(top, own, json_real(s->logprob));
  return top;
}

/* Characters that begin in a token's bytes: fragments count with the one they begin. */
static int characters(tern_gguf_string b) {
  int n = 0;
  for (size_t i = 0; i < b.size; i++) n += ((unsigned char)b.data[i] & 0xc0) != 0x80;
  return n;
}

static json_t *logprobs_of(const told *x) {
  json_t *tokens = json_array(), *logprobs = json_array(), *tops = json_array(), *offsets = json_array();
  int offset = 0;
  for (int i = x->from; i < x->to; i++) {
    const tern_score *s = i > 0 && x->work->scores ? &x->work->scores[i - 1] : NULL;
    char name[NAME];
    name_token(x, i, id_at(x, i), name);
    json_array_append_new(tokens, json_string(name));
    json_array_append_new(logprobs, s ? json_real(s->logprob) : json_null());
    json_array_append_new(tops, s ? top_of(x, i, name, s) : json_null());
    json_array_append_new(offsets, json_integer(offset));
    offset += characters(bytes_at(x, i, id_at(x, i)));
  }
  return json_pack("{s:o, s:o, s:o, s:o}", "tokens", tokens, "token_logprobs", logprobs, "top_logprobs", tops,
                   "text_offset", offsets);
}

/* The prompt's text, when it is echoed, and the answer's. */
static json_t *text_of(const told *x, bool echo) {
  size_t size = x->work->size, at = 0;
  for (int i = 0; echo && i < x->work->count; i++) size += bytes_at(x, i, id_at(x, i)).size;
  char *text = malloc(size + 1);
  if (!text) return NULL;
  for (int i = 0; echo && i < x->work->count; i++) {
    tern_gguf_string b = bytes_at(x, i, id_at(x, i));
    if (b.size > 0) memcpy(text + at, b.data, b.size);
    at += b.size;
  }
  if (x->work->size > 0) memcpy(text + at, x->work->text, x->work->size);
  json_t *string = tern_json_text(text, size);
  free(text);
  return string;
}

static json_t *choice_of(const tern_completion_ask *a, const tern_work *w, const tern_tokenizer *t, int index) {
  const told x = {.tokenizer = t, .work = w, .from = a->echo ? 0 : w->count, .to = w->count + w->answer_count};
  bool stopped = w->stop == TERN_STOP_END || w->stop == TERN_STOP_STRING;
  return json_pack("{s:o, s:i, s:o, s:s}", "text", text_of(&x, a->echo), "index", index, "logprobs",
                   a->logprobs >= 0 ? logprobs_of(&x) : json_null(), "finish_reason",
                   stopped && a->most_tokens > 0 ? "stop" : "length");
}

json_t *tern_completion_reply(const tern_completion_ask *a, const tern_work *works, const tern_tokenizer *t,
                              const char *model, long long number, long long created) {
  json_int_t prompt = 0, answered = 0, reused = 0;
  char id[48];
  json_t *choices = json_array();
  for (int i = 0; i < a->prompt_count; i++) {
    prompt += works[i].count;
    answered += works[i].answer_count;
    reused += works[i].reused;
    json_array_append_new(choices, choice_of(a, &works[i], t, i));
  }
  snprintf(id, sizeof id, "cmpl-%lld", number);
  json_t *usage = json_pack("{s:I, s:I, s:I, s:{s:I}}", "prompt_tokens", prompt, "completion_tokens", answered,
                            "total_tokens", prompt + answered, "prompt_tokens_details", "cached_tokens", reused);
  return json_pack("{s:s, s:s, s:I, s:s, s:o, s:o}", "id", id, "object", "text_completion", "created",
                   (json_int_t)created, "model", model, "choices", choices, "usage", usage);
}
