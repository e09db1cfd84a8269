/* Lines of the samples file become lines of answers. */
#include "harness/eval/mtbench.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/eval/item.h"
#include "harness/eval/python_json.h"
#include "harness/eval/python_text.h"
#include "harness/eval/samples.h"

enum { ID_ROOM = 23 }; /* as many characters as FastChat's ids have */

/* The last answer to each turn, white space around it left out, as FastChat does. */
static json_t *turns(const json_t *sample) {
  json_t *list = json_array(), *said;
  size_t i;
  json_array_foreach(json_object_get(sample, "resps"), i, said) {
    const char *text = json_string_value(json_array_get(said, 0));
    char *copy = text == NULL ? NULL : strdup(text);
    if (copy == NULL) {
      json_decref(list);
      return NULL;
    }
    json_array_append_new(list, json_string(tern_python_strip(copy)));
    free(copy);
  }
  return list;
}

/* An id that depends on model, question and answers alone. */
static int make_id(const char *model, const json_t *question, const json_t *said, char out[ID_ROOM], tern_error *e) {
  char hash[TERN_HASH_ROOM];
  json_t *all = json_pack("[s,O,O]", model, question, said);
  char *text = all == NULL ? NULL : json_dumps(all, JSON_COMPACT);
  int status = text == NULL ? tern_fail(e, TERN_FAILED, "mtbench: out of memory") : tern_hash_text(text, hash, e);
  if (status == 0) *(char *)mempcpy(out, hash, ID_ROOM - 1) = '\0';
  free(text);
  json_decref(all);
  return status;
}

static json_t *answer(const json_t *sample, const char *model, tern_error *e) {
  char id[ID_ROOM];
  json_t *question = json_object_get(json_object_get(sample, "doc"), "question_id"), *said = turns(sample);
  json_t *out = NULL;
  if (!json_is_integer(question) || said == NULL)
    tern_fail(e, TERN_FAILED,
              "item %" JSON_INTEGER_FORMAT ": question_id, a number, and texts as answers were expected",
              json_integer_value(json_object_get(sample, "doc_id")));
  else if (make_id(model, question, said, id, e) == 0)
    out = json_pack("{s:O, s:s, s:s, s:[{s:i, s:O}], s:i}", "question_id", question, "answer_id", id, "model_id", model,
                    "choices", "index", 0, "turns", said, "tstamp", 0);
  json_decref(said);
  return out;
}

static json_int_t question_of(const json_t *line) {
  return json_integer_value(json_object_get(line, "question_id"));
}

static int by_question(const void *a, const void *b) {
  json_int_t left = question_of(*(json_t *const *)a), right = question_of(*(json_t *const *)b);
  return (left > right) - (left < right);
}

static int write_answers(json_t *const *list, size_t count, const char *path, tern_error *e) {
  tern_output *o;
  if (tern_output_open(&o, path, e) != 0) return (int)e->status;
  for (size_t i = 0; i < count; i++) {
    char *text = tern_python_dumps(list[i], 0, e);
    if (text == NULL) {
      tern_output_abandon(o);
      return (int)e->status;
    }
    fprintf(tern_output_stream(o), "%s\n", text);
    free(text);
  }
  return tern_output_commit(o, e);
}

/* Answers of all lines; *list: grown, *count: as many as were made. */
static int read_samples(const char *path, const char *model, json_t ***list, size_t *count, tern_error *e) {
  FILE *f = fopen(path, "re");
  char *line = NULL;
  size_t room = 0, size = 0;
  int status = f == NULL ? tern_fail_errno(e, "%s", path) : 0;
  while (status == 0 && getline(&line, &room, f) >= 0) {
    json_t *sample = json_loads(line, 0, NULL), *made = answer(sample, model, e);
    json_decref(sample);
    if (*count == size) {
      json_t **more = realloc(*list, (size = 2 * size + 64) * sizeof **list);
      if (more != NULL) *list = more;
      if (more == NULL) status = tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    }
    if (made == NULL) status = (int)e->status;
    if (status == 0)
      (*list)[(*count)++] = made;
    else
      json_decref(made);
  }
  free(line);
  if (f != NULL) fclose(f);
  return status;
}

int tern_mtbench_write(const char *folder, const char *task, const char *model, tern_error *e) {
  char path[PATH_MAX], name[NAME_MAX + 1];
  json_t **list = NULL;
  size_t count = 0, size = strlen(model);
  if (size > 5 && strcmp(model + size - 5, ".gguf") == 0) size -= 5;
  snprintf(name, sizeof name, "%.*s", (int)size, model);
  char *samples = tern_samples_path(folder, task, e);
  int status = samples == NULL ? (int)e->status : read_samples(samples, name, &list, &count, e);
  if (status == 0 && snprintf(path, sizeof path, "%s/model_answer", folder) >= (int)sizeof path)
    status = tern_fail(e, TERN_FAILED, "%s: path too long", folder);
  if (status == 0) status = tern_directory_make(path, e);
  if (status == 0 && snprintf(path, sizeof path, "%s/model_answer/%s.jsonl", folder, name) >= (int)sizeof path)
    status = tern_fail(e, TERN_FAILED, "%s: path too long", folder);
  if (status == 0 && count > 0) qsort(list, count, sizeof *list, by_question);
  if (status == 0) status = write_answers(list, count, path, e);
  for (size_t i = 0; i < count; i++) json_decref(list[i]);
  free(list);
  free(samples);
  return status;
}
