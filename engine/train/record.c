/* Kinds of records. In chats the template's text is cut where an answer begins
 * and ends: each answer is learnt given all that came before it. */
#include "engine/train/record.h"

#include <stdlib.h>
#include <string.h>

static const char *const roles[] = {"system", "user", "assistant"};
enum { ROLES = sizeof roles / sizeof *roles, LAST_ROLE = ROLES - 1 };

static int want_text(json_t *record, const char *key, bool required, const char **text, tern_error *e) {
  json_t *v = json_object_get(record, key);
  *text = v ? json_string_value(v) : "";
  if ((!v && !required) || json_is_string(v)) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "\"%s\": want a text", key);
}

static void put(tern_train_record *r, const char *text, size_t size, bool answer, bool special) {
  r->pieces[r->count++] = (tern_train_piece){.text = text, .size = size, .answer = answer, .special = special};
}

/* "answers": [[begin, end], ...], bytes of the prompt, in their order; what is
 * between them is prompt. */
static int split_prompt(tern_train_record *r, json_t *answers, const char *prompt, tern_error *e) {
  const size_t size = strlen(prompt), count = json_array_size(answers);
  size_t at = 0;
  if (!json_is_array(answers) || count > 100000)
    return tern_fail(e, TERN_FAILED, "\"answers\": want a list of [begin, end]");
  tern_train_piece *pieces = realloc(r->pieces, (2 * count + 2) * sizeof *pieces);
  if (!pieces) return tern_fail(e, TERN_FAILED, "out of memory");
  r->pieces = pieces;
  for (size_t i = 0; i < count; i++) {
    json_int_t begin, end;
    if (json_unpack(json_array_get(answers, i), "[I, I!]", &begin, &end) != 0 || begin < (json_int_t)at ||
        end <= begin || end > (json_int_t)size)
      return tern_fail(e, TERN_FAILED, "\"answers\": entry %zu is no part of the prompt behind the ones before it",
                       i + 1);
    put(r, prompt + at, (size_t)begin - at, false, false);
    put(r, prompt + begin, (size_t)(end - begin), true, false);
    at = (size_t)end;
  }
  put(r, prompt + at, size - at, false, false);
  return TERN_OK;
}

static int read_completion(tern_train_record *r, json_t *json, tern_error *e) {
  const char *prompt, *text;
  json_t *answers = json_object_get(json, "answers");
  if (want_text(json, "completion", true, &text, e) != TERN_OK ||
      want_text(json, "prompt", false, &prompt, e) != TERN_OK)
    return TERN_FAILED;
  if (!answers)
    put(r, prompt, strlen(prompt), false, false);
  else if (split_prompt(r, answers, prompt, e) != TERN_OK)
    return TERN_FAILED;
  put(r, text, strlen(text), true, false);
  return TERN_OK;
}

/* The prompt is instruction and input, a line-end after each. */
static int read_instruction(tern_train_record *r, json_t *json, tern_error *e) {
  const char *instruction, *input, *output;
  if (want_text(json, "instruction", true, &instruction, e) != TERN_OK ||
      want_text(json, "input", false, &input, e) != TERN_OK || want_text(json, "output", true, &output, e) != TERN_OK)
    return TERN_FAILED;
  const size_t head = strlen(instruction), tail = strlen(input);
  if (head == 0 || !*output)
    return tern_fail(e, TERN_FAILED, "\"%s\": want a text that is not empty", head ? "output" : "instruction");
  r->text = malloc(head + tail + 3);
  if (!r->text) return tern_fail(e, TERN_FAILED, "out of memory");
  size_t size = (size_t)(stpcpy(stpcpy(r->text, instruction), "\n") - r->text);
  if (tail) size = (size_t)(stpcpy(stpcpy(r->text + size, input), "\n") - r->text);
  put(r, r->text, size, false, false);
  put(r, output, strlen(output), true, false);
  return TERN_OK;
}

static int read_message(tern_chat_message *m, json_t *json, size_t i, tern_error *e) {
  const char *role = json_string_value(json_object_get(json, "role"));
  int k = 0;
  while (role && k < ROLES && strcmp(role, roles[k]) != 0) k++;
  if (!role || k == ROLES)
    return tern_fail(e, TERN_FAILED, "message %zu: \"role\": want \"system\", \"user\" or \"assistant\"", i + 1);
  *m = (tern_chat_message){.role = roles[k], .content = json_string_value(json_object_get(json, "content"))};
  return m->content ? TERN_OK : tern_fail(e, TERN_FAILED, "message %zu: \"content\": want a text", i + 1);
}

/* How much of the whole conversation's text the first `count` messages are;
 * with `open`, up to where an answer begins. */
static int cut(const tern_train_record *r, const tern_train_config *c, const tern_chat_message *messages, int count,
               bool open, size_t *size, tern_error *e) {
  char *text;
  if (tern_chat_format(c->chat, messages, count, open, &text, e) != TERN_OK) return TERN_FAILED;
  *size = strlen(text);
  const bool same = strncmp(r->text, text, *size) == 0;
  free(text);
  if (same) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "\"messages\": the chat template %s changes earlier turns; give one answer a record",
                   tern_chat_template_name(c->chat));
}

static int split_chat(tern_train_record *r, const tern_train_config *c, const tern_chat_message *messages, int count,
                      tern_error *e) {
  size_t at = 0, begin, end;
  if (tern_chat_format(c->chat, messages, count, false, &r->text, e) != TERN_OK) return TERN_FAILED;
  for (int i = 0; i < count; i++) {
    if (messages[i].role != roles[LAST_ROLE]) continue;
    if (cut(r, c, messages, i, true, &begin, e) != TERN_OK) return TERN_FAILED;
    end = strlen(r->text);
    if (i + 1 < count && cut(r, c, messages, i + 1, false, &end, e) != TERN_OK) return TERN_FAILED;
    put(r, r->text + at, begin - at, false, true);
    put(r, r->text + begin, end - begin, true, true);
    at = end;
  }
  return TERN_OK;
}

static int read_messages(tern_train_record *r, json_t *list, const tern_train_config *c, tern_error *e) {
  const size_t count = json_array_size(list);
  if (!c->chat)
    return tern_fail(e, TERN_FAILED,
                     "\"messages\": the vocabulary has no chat template that is known: set data.template");
  if (count == 0 || count > 10000) return tern_fail(e, TERN_FAILED, "\"messages\": want a list of messages");
  tern_chat_message *messages = calloc(count, sizeof *messages);
  free(r->pieces);
  r->pieces = calloc(2 * count, sizeof *r->pieces);
  int status = messages && r->pieces ? TERN_OK : tern_fail(e, TERN_FAILED, "out of memory");
  for (size_t i = 0; i < count && status == TERN_OK; i++)
    status = read_message(&messages[i], json_array_get(list, i), i, e);
  if (status == TERN_OK && messages[count - 1].role != roles[LAST_ROLE])
    status = tern_fail(e, TERN_FAILED, "\"messages\": the last one is not the assistant's");
  if (status == TERN_OK) status = split_chat(r, c, messages, (int)count, e);
  free(messages);
  return status;
}

static double task_weight(const tern_train_config *c, const char *task) {
  for (int i = 0; i < c->task_count; i++) {
    if (strcmp(c->tasks[i].name, task) == 0) return c->tasks[i].weight;
  }
  return 1;
}

int tern_train_record_read(tern_train_record *r, json_t *json, const tern_train_config *c, tern_error *e) {
  enum { PARTS = 2 };
  json_t *messages = json_object_get(json, "messages"), *weight = json_object_get(json, "weight");
  *r = (tern_train_record){0};
  if (!json_is_object(json)) return tern_fail(e, TERN_FAILED, "want an object on each line");
  if (want_text(json, "task", false, &r->task, e) != TERN_OK) return TERN_FAILED;
  if (weight && !(json_is_number(weight) && json_number_value(weight) >= 0 && json_number_value(weight) <= 1e6))
    return tern_fail(e, TERN_FAILED, "\"weight\": want a number from 0 to 1e6");
  r->factor = task_weight(c, r->task) * (weight ? json_number_value(weight) : 1);
  r->pieces = calloc(PARTS, sizeof *r->pieces);
  if (!r->pieces) return tern_fail(e, TERN_FAILED, "out of memory");
  if (messages) return read_messages(r, messages, c, e);
  return (json_object_get(json, "instruction") ? read_instruction : read_completion)(r, json, e);
}

void tern_train_record_close(tern_train_record *r) {
  free(r->pieces);
  free(r->text);
  *r = (tern_train_record){0};
}
