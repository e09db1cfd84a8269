/* Threads, batching and the instruction set are no part of it: figures don't
 * depend on them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/eval/digest.h"
#include "harness/eval/item.h"
#include "harness/eval_job.h"
#include "harness/version.h"

const char *const tern_eval_bos_names[] = {"current", "v0.4.8", NULL};
const char *const tern_eval_window_names[] = {[TERN_WINDOW_HF] = "hf", [TERN_WINDOW_COMPLETIONS] = "completions", NULL};

static const long long most_bytes = INT64_MAX;

/* Files of a folder that make a model. */
static int is_part(const struct dirent *d) {
  static const char *const ends[] = {".safetensors", ".json", ".model", ".txt"};
  size_t n = strlen(d->d_name);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    size_t size = strlen(ends[i]);
    if (n > size && strcmp(d->d_name + n - size, ends[i]) == 0) return 1;
  }
  return 0;
}

/* Of a folder: the hash of its files' names and hashes. */
static int hash_folder(const char *folder, char out[TERN_HASH_ROOM], tern_error *e) {
  struct dirent **list;
  int count = scandir(folder, &list, is_part, alphasort), status = 0;
  if (count < 0) return tern_fail_errno(e, "%s: cannot read", folder);
  char *all = NULL;
  size_t size;
  FILE *text = open_memstream(&all, &size);
  for (int i = 0; i < count; i++) {
    char path[TERN_EVAL_PATH];
    tern_digest d;
    if (status == 0 && snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name) >= TERN_EVAL_PATH)
      status = tern_fail(e, TERN_FAILED, "%.200s: name too long", folder);
    if (status == 0) status = tern_digest_file(&d, path, false, most_bytes, e);
    if (status == 0 && text != NULL) fprintf(text, "%s %s\n", list[i]->d_name, d.sha256);
    free(list[i]);
  }
  free(list);
  if (text == NULL || fclose(text) != 0) status = tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  if (status == 0) status = tern_hash_text(all, out, e);
  free(all);
  return status;
}

static json_t *hash_path(const char *path, tern_error *e) {
  struct stat st;
  char folder[TERN_HASH_ROOM];
  tern_digest d;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
    return hash_folder(path, folder, e) == 0 ? json_string(folder) : NULL;
  return tern_digest_file(&d, path, false, most_bytes, e) == 0 ? json_string(d.sha256) : NULL;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static json_t *options_of(const tern_eval_options *o, const tern_chat_template *chat, int context) {
  json_t *seed = o->seed_given ? json_integer(o->seed) : json_null();
  return json_pack("{s:s, s:I, s:i, s:o, s:i, s:s?, s:b, s:s, s:s, s:i, s:i}", "tasks", o->names, "limit",
                   (json_int_t)o->limit, "shots", o->shots, "seed", seed, "chat", o->chat, "template",
                   chat != NULL ? tern_chat_template_name(chat) : NULL, "shots_as_turns", (int)o->shots_as_turns,
                   "lm_eval_bos", tern_eval_bos_names[o->bos], "window", tern_eval_window_names[o->window], "context",
                   context, "most_tokens", o->most_tokens);
}

/* What the file says of itself: it may have any name. */
static void tell_model(json_t *head, const tern_gguf *g) {
  tern_gguf_string name = {0};
  bool synthetic = false;
  tern_gguf_text(g, "general.name", &name);
  tern_gguf_bool(g, "ternmark.synthetic", &synthetic);
  json_t *text = json_stringn(name.data, name.size); /* NULL: not UTF-8 */
  if (text != NULL) json_object_set_new(head, "name", text);
  json_object_set_new(head, "synthetic", json_boolean(synthetic));
}

json_t *tern_eval_head(const tern_eval_options *o, const tern_eval_plan *p, const tern_opened *opened,
                       const tern_chat_template *chat, int context, tern_error *e) {
  const tern_model_facts *f = &opened->facts;
  char shard[32];
  json_t *model = hash_path(o->open.model, e), *tokenizer = NULL, *head = NULL;
  if (model != NULL) tokenizer = o->open.tokenizer != NULL ? hash_path(o->open.tokenizer, e) : json_string("model");
  snprintf(shard, sizeof shard, "%d/%d", o->shard, o->shards);
  if (model != NULL && tokenizer != NULL) {
    head = json_pack("{s:s, s:O, s:O, s:s, s:s, s:s, s:b, s:s, s:O, s:O, s:o, s:s, s:O, s:s}", "model",
                     base_name(o->open.model), "model_sha256", model, "tokenizer", tokenizer, "engine",
                     o->open.engine != NULL ? o->open.engine : "ternary", "body", f->body_layout, "head",
                     f->head_layout, "exact_head", (int)o->open.exact, "kv", tern_kv_names[o->open.kv], "tasks",
                     p->tasks, "data", p->data, "options", options_of(o, chat, context), "shard", shard, "left_out",
                     p->left_out, "revision", tern_revision() != NULL ? tern_revision() : "unknown");
    if (head == NULL) tern_fail(e, TERN_FAILED, "what runs: out of memory, or a name that is not UTF-8");
    if (head != NULL) tell_model(head, opened->gguf);
  }
  json_decref(model);
  json_decref(tokenizer);
  return head;
}

static int place_of(const char *const *names, const char *name) {
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], name) == 0) return i;
  }
  return -1;
}

int tern_eval_head_read(const json_t *head, tern_eval_options *o, const tern_chat_template **chat, tern_error *e) {
  const char *names, *bos, *window, *shard = NULL;
  json_t *options = json_object_get(head, "options");
  json_int_t limit;
  int as_turns, context;
  if (json_unpack(options, "{s:s, s:I, s:i, s:i, s:b, s:s, s:s, s:i, s:i}", "tasks", &names, "limit", &limit, "shots",
                  &o->shots, "chat", &o->chat, "shots_as_turns", &as_turns, "lm_eval_bos", &bos, "window", &window,
                  "context", &context, "most_tokens", &o->most_tokens) != 0 ||
      json_unpack((json_t *)head, "{s:s}", "shard", &shard) != 0 || sscanf(shard, "%d/%d", &o->shard, &o->shards) != 2)
    return tern_fail(e, TERN_FAILED, "%s: its first line is not of `ternmark eval`", o->from);
  const json_t *seed = json_object_get(options, "seed");
  const char *template_name = json_string_value(json_object_get(options, "template"));
  o->seed_given = json_is_integer(seed);
  o->seed = json_integer_value(seed);
  if (o->names == NULL) o->names = names;
  o->limit = (size_t)limit;
  o->shots_as_turns = as_turns != 0;
  o->bos = place_of(tern_eval_bos_names, bos);
  o->window = place_of(tern_eval_window_names, window);
  *chat = template_name != NULL ? tern_chat_template_find(template_name) : NULL;
  if (o->bos < 0 || o->window < 0 || o->shards < 1 || (template_name != NULL && *chat == NULL))
    return tern_fail(e, TERN_FAILED, "%s: options that this version does not know", o->from);
  return 0;
}

bool tern_eval_bos_never(const tern_eval_options *o, const tern_opened *opened, bool chat) {
  return o->bos != 0 && !chat && strncmp(opened->facts.arch->name, "gemma", 5) != 0;
}
