/* lm-eval 0.4.13 writes what a model answered as text: str() of each number. */
#include "harness/eval/sample_line.h"

#include <stdlib.h>
#include <string.h>

#include "harness/eval/item.h"
#include "harness/eval/python_json.h"

enum { KEYS = 12 }; /* of a line, without figures */

static json_t *texts(const tern_texts *t) {
  json_t *list = json_array();
  for (int i = 0; i < t->count; i++) json_array_append_new(list, json_string(t->list[i]));
  return list;
}

/* doc_to_target: what lm-eval prints of it, str()ed. */
static char *target(const tern_task *t, const tern_row_texts *r, tern_error *e) {
  json_t *value;
  if (t->kind == TERN_ASK_ROLLING)
    value = json_string(r->original != NULL ? r->original : r->prompt);
  else if (t->kind == TERN_ASK_TEXT && t->references.path != NULL)
    value = texts(&r->references);
  else if (r->target != NULL)
    value = json_string(r->target);
  else if (r->gold < 0)
    value = json_string("");
  else if (t->wording.gold_is == TERN_GOLD_TEXT && r->gold < r->choices.count)
    value = json_string(r->choices.list[r->gold]);
  else
    value = json_integer(r->gold);
  if (value == NULL) {
    tern_fail(e, TERN_FAILED, "a sample's line: out of memory");
    return NULL;
  }
  char *text = tern_python_str(value, e);
  json_decref(value);
  return text;
}

static json_t *generation(const tern_task *t) {
  json_t *until = json_array();
  for (int i = 0; i < t->stop_count; i++) json_array_append_new(until, json_string(t->stops[i]));
  return json_pack("{s:o, s:b, s:i}", "until", until, "do_sample", 0, "max_gen_toks", t->most_tokens);
}

static json_t *arguments(const tern_task *t, const tern_document *d) {
  json_t *all = json_object();
  for (int i = 0; i < d->ask_count; i++) {
    const tern_ask *a = &d->asks[i];
    char key[32];
    json_t *one = json_object();
    snprintf(key, sizeof key, "gen_args_%d", i);
    if (t->kind == TERN_ASK_ROLLING) {
      json_object_set_new(one, "arg_0", json_string(a->continuation));
    } else {
      json_object_set_new(one, "arg_0", a->context != NULL ? json_string(a->context) : json_null());
      json_object_set_new(one, "arg_1", t->kind == TERN_ASK_TEXT ? generation(t) : json_string(a->continuation));
    }
    json_object_set_new(all, key, one);
  }
  return all;
}

/* As lm-eval has it before str(): (logprob, greedy), a logprob, a text. */
static json_t *answer(const tern_task *t, const tern_reply *r) {
  char real[TERN_REAL_ROOM];
  if (t->kind == TERN_ASK_TEXT) return json_string(r->text);
  tern_python_real(r->logprob, real);
  if (t->kind == TERN_ASK_ROLLING) return json_string(real);
  return json_pack("[s, s]", real, r->greedy ? "True" : "False");
}

static int hash_into(json_t *line, const char *key, const char *text, tern_error *e) {
  char hash[TERN_HASH_ROOM];
  if (text == NULL || tern_hash_text(text, hash, e) != 0) return (int)e->status;
  json_object_set_new(line, key, json_string(hash));
  return 0;
}

static int set_hashes(json_t *line, const tern_scored *item, const char *told, tern_error *e) {
  const tern_ask *first = &item->document->asks[0];
  char *doc = tern_python_dumps(item->row, 2, e);
  int status = hash_into(line, "doc_hash", doc, e);
  free(doc);
  if (status == 0)
    status = hash_into(line, "prompt_hash", first->context != NULL ? first->context : first->continuation, e);
  return status == 0 ? hash_into(line, "target_hash", told, e) : status;
}

static json_t *own(const tern_scored *item, const char *prompt) {
  json_t *tokens = json_array(), *truncated = json_array();
  for (int i = 0; i < item->document->ask_count; i++) {
    json_array_append_new(tokens, json_integer(item->replies[i].tokens));
    json_array_append_new(truncated, json_integer(item->replies[i].truncated));
  }
  return json_pack("{s:s, s:o, s:o, s:O}", "prompt", prompt, "tokens", tokens, "truncated", truncated, "facts",
                   item->facts);
}

json_t *tern_sample_line(const tern_task *t, const char *filter, const tern_scored *item, const char *prompt,
                         tern_error *e) {
  const tern_document *d = item->document;
  json_t *line = json_object(), *resps = json_array(), *filtered = json_array(), *metrics = json_array();
  char *told = target(t, &d->texts, e);
  const char *name;
  json_t *value;
  for (int i = 0; i < d->ask_count; i++) {
    json_t *said = answer(t, &item->replies[i]);
    bool cut = item->filtered != NULL && i + 1 == d->ask_count;
    json_array_append_new(filtered, cut ? json_string(item->filtered) : json_incref(said));
    json_array_append_new(resps, json_pack("[o]", said));
  }
  json_object_foreach(item->figures, name, value) json_array_append_new(metrics, json_string(name));
  json_object_set_new(line, "doc_id", json_integer((json_int_t)d->id));
  json_object_set(line, "doc", (json_t *)item->row);
  json_object_set_new(line, "target", told != NULL ? json_string(told) : json_null());
  json_object_set_new(line, "arguments", arguments(t, d));
  json_object_set_new(line, "resps", resps);
  json_object_set_new(line, "filtered_resps", filtered);
  json_object_set_new(line, "filter", json_string(filter));
  json_object_set_new(line, "metrics", metrics);
  int status = told != NULL ? set_hashes(line, item, told, e) : (int)e->status;
  json_object_update(line, item->figures);
  json_object_set_new(line, "ternmark", own(item, prompt));
  free(told);
  if (status == 0 && json_object_size(line) < KEYS + json_object_size(item->figures))
    status = tern_fail(e, TERN_FAILED, "item %zu: its sample's line: out of memory", d->id);
  if (status == 0) return line;
  json_decref(line);
  return NULL;
}
