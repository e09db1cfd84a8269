/* Chat templates: byte for byte what Jinja2 makes of the families' published
 * templates (fixtures/chat), and the choice of a family by a file's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "engine/text/chat_template.h"
#include "tests/own_folder.h"

enum { MOST_MESSAGES = 8 };

static int messages_of(const json_t *list, tern_chat_message *out) {
  int n = (int)json_array_size(list);
  assert_in_range(n, 1, MOST_MESSAGES);
  for (int i = 0; i < n; i++) {
    const json_t *m = json_array_get(list, (size_t)i);
    out[i] = (tern_chat_message){json_string_value(json_object_get(m, "role")),
                                 json_string_value(json_object_get(m, "content"))};
  }
  return n;
}

/* Where Jinja raises an exception, one clear line comes instead. */
static void check_row(const json_t *row, const json_t *conversations) {
  tern_error e = {0};
  tern_chat_message messages[MOST_MESSAGES];
  char *text;
  const char *name = json_string_value(json_object_get(row, "template"));
  const json_t *want = json_object_get(row, "text");
  size_t conversation = (size_t)json_integer_value(json_object_get(row, "conversation"));
  int n = messages_of(json_array_get(conversations, conversation), messages);
  const tern_chat_template *t = tern_chat_template_find(name);
  assert_non_null(t);
  int status = tern_chat_format(t, messages, n, json_is_true(json_object_get(row, "prompt")), &text, &e);
  if (json_is_null(want)) {
    if (status == TERN_OK) fail_msg("%s takes conversation %zu, which its template refuses", name, conversation);
    assert_true(e.text[0] && !text);
    return;
  }
  if (status) fail_msg("%s, conversation %zu: %s", name, conversation, e.text);
  assert_string_equal(text, json_string_value(want));
  free(text);
}

static void conversations_are_rendered_as_jinja_does(void **state) {
  (void)state;
  json_error_t problem;
  json_t *root = json_load_file(TERN_TESTS_DIR "/fixtures/chat/rendered.json", 0, &problem);
  assert_non_null(root);
  const json_t *rows = json_object_get(root, "rows");
  assert_in_range(json_array_size(rows), 300, 500);
  for (size_t i = 0; i < json_array_size(rows); i++)
    check_row(json_array_get(rows, i), json_object_get(root, "conversations"));
  json_decref(root);
}

static void every_row_has_a_fixture_and_stops(void **state) {
  (void)state;
  json_t *root = json_load_file(TERN_TESTS_DIR "/fixtures/chat/rendered.json", 0, NULL);
  const tern_chat_template *t;
  int rows = 0;
  for (; (t = tern_chat_template_at(rows)); rows++) {
    const char *name = tern_chat_template_name(t);
    bool found = false;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), i, row) {
      found |= strcmp(json_string_value(json_object_get(row, "template")), name) == 0;
    }
    if (!found) fail_msg("%s has no fixture", name);
    assert_non_null(tern_chat_stops(t)[0]);
    assert_ptr_equal(tern_chat_template_find(name), t);
  }
  assert_in_range(rows, 15, 40);
  json_decref(root);
}

/* Short templates of our own with the marks of a family, or nearly. */
static const struct {
  const char *text, *family; /* NULL: none */
} templates[] = {
    {"{{'<|im_start|>' + message['role'] + x + '<|im_end|>'}}", "chatml"},
    {"{{'<|im_start|>' + message['role'] + x + '<|im_end|>'}}<|im_start|>system You rule<|im_end|>", NULL},
    {"{{'<|im_start|>' + message['role']}} <|im_start|>system You are a helpful assistant.<|im_end|>", "qwen2"},
    {"<|start_of_turn|>user", NULL},
    {"{{'<start_of_turn>' + (first_user_prefix) }}<end_of_turn>", "gemma3"},
    {"'<start_of_turn>' raise('System role not supported') <end_of_turn>", "gemma"},
    {"Human: x BITNETAssistant: y", "bitnet"},
    {"'<|start_header_id|>' + message['role'] + '<|end_header_id|>' + c| trim + '<|eot_id|>'", "llama3"},
    {"'<|start_header_id|>' + message['role'] + '<|end_header_id|>' + tools + c| trim + '<|eot_id|>'", NULL},
    {"", NULL},
};

static void a_family_is_known_by_its_marks_and_never_guessed(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
    tern_error e = {0};
    const tern_chat_template *t;
    int status = tern_chat_template_match(templates[i].text, strlen(templates[i].text), "m.gguf", NULL, &t, &e);
    if (templates[i].family) {
      if (status) fail_msg("%s: %s", templates[i].family, e.text);
      assert_string_equal(tern_chat_template_name(t), templates[i].family);
    } else {
      assert_int_not_equal(status, TERN_OK);
      assert_null(t);
      assert_non_null(strstr(e.text, "m.gguf: "));
      assert_non_null(strstr(e.text, "--template NAME: chatml, qwen2"));
      assert_non_null(strstr(e.text, "deepseek-r1")); /* the list is whole */
    }
  }
}

static int of_file(const char *text, const char *eos, const char *wanted, const tern_chat_template **t, tern_error *e) {
  folder s = folder_open();
  tern_gguf_writer *w;
  tern_gguf *g;
  const tern_gguf_string tokens[] = {{"a", 1}, {eos, strlen(eos)}};
  if (tern_gguf_writer_open(&w, folder_path(&s, "t.gguf"), e)) fail_msg("%s", e->text);
  if (text) tern_gguf_put_text(w, "tokenizer.chat_template", text);
  tern_gguf_put_texts(w, "tokenizer.ggml.tokens", tokens, 2);
  tern_gguf_put_u32(w, "tokenizer.ggml.eos_token_id", 1);
  if (tern_gguf_writer_start(w, e) || tern_gguf_writer_finish(w, e)) fail_msg("%s", e->text);
  if (tern_gguf_open(&g, folder_path(&s, "t.gguf"), e)) fail_msg("%s", e->text);
  int status = tern_chat_template_of(g, wanted, t, e);
  tern_gguf_close(g);
  folder_close(&s);
  return status;
}

static void a_name_overrides_the_file(void **state) {
  (void)state;
  static const char llama2[] = "<<SYS>> {{ bos_token + '[INST] ' + content + ' ' }}";
  tern_error e = {0};
  const tern_chat_template *t;
  if (of_file(llama2, "</s>", NULL, &t, &e)) fail_msg("%s", e.text);
  assert_string_equal(tern_chat_template_name(t), "llama2");
  assert_int_equal(of_file(llama2, "</s>", "gemma3", &t, &e), TERN_OK);
  assert_string_equal(tern_chat_template_name(t), "gemma3");
  assert_int_equal(of_file(llama2, "</s>", "lama", &t, &e), TERN_USAGE);
  assert_non_null(strstr(e.text, "--template: \"lama\" is none of chatml"));
  assert_int_equal(of_file(NULL, "</s>", NULL, &t, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "no chat template"));
  /* Turns that end otherwise are another family's. */
  assert_int_equal(of_file(llama2, "<|end|>", NULL, &t, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "\"llama2\""));
  assert_null(t);
}

static void roles_without_a_place_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *name;
    tern_chat_message messages[3];
    int count;
    const char *part;
  } rows[] = {
      {"chatml", {{"tool", "x"}}, 1, "role \"tool\""},
      {"chatml", {{"user", "x"}}, 0, "at least one message"},
      {"chatml", {{"user", "x"}, {"system", "y"}}, 2, "can only be the first"},
      {"gemma", {{"system", "x"}, {"user", "y"}}, 2, "no system message"},
      {"llama2", {{"system", "x"}}, 1, "there is none"},
      {"llama2", {{"user", "x"}, {"user", "y"}}, 2, "message 2"},
      {"llama2", {{"system", "x"}, {"assistant", "y"}}, 2, "user first"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    tern_error e = {0};
    char *text;
    int status =
        tern_chat_format(tern_chat_template_find(rows[i].name), rows[i].messages, rows[i].count, true, &text, &e);
    assert_int_equal(status, TERN_FAILED);
    if (!strstr(e.text, rows[i].part)) fail_msg("'%s' does not tell '%s'", e.text, rows[i].part);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(conversations_are_rendered_as_jinja_does),
      cmocka_unit_test(every_row_has_a_fixture_and_stops),
      cmocka_unit_test(a_family_is_known_by_its_marks_and_never_guessed),
      cmocka_unit_test(a_name_overrides_the_file),
      cmocka_unit_test(roles_without_a_place_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
