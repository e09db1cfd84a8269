/* tokenizer.json written from a vocabulary: read back, it gives the ids that
 * the first one gave (what transformers reads from it was compared by hand:
 * docs/files.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/class_texts.h"
#include "tests/own_folder.h"

static void exported_files_give_the_same_ids(void **state) {
  (void)state;
  static const char *const names[] = {"llama3", "qwen2", "gpt2", "smollm", "llama2"};
  static const tern_gguf_string template = {"{{ messages }}", 14};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[4096];
    tern_error e = {0};
    tern_tokenizer *given = NULL, *exported = NULL;
    folder s = folder_open();
    snprintf(path, sizeof path, "%s/fixtures/tokenizers/%s.json", TERN_TESTS_DIR, names[i]);
    if (tern_tokenizer_from_json(&given, path, &e)) fail_msg("%s", e.text);
    int rows = tern_tokenizer_size(given) + 3;
    if (tern_tokenizer_export(given, rows, template, s.folder, &e) ||
        tern_tokenizer_from_json(&exported, folder_path(&s, "tokenizer.json"), &e))
      fail_msg("%s: %s", names[i], e.text);
    assert_int_equal(tern_tokenizer_size(exported), rows);
    assert_int_equal(tern_tokenizer_bos(exported), tern_tokenizer_bos(given));
    assert_int_equal(tern_tokenizer_eos(exported), tern_tokenizer_eos(given));
    assert_int_equal(tern_tokenizer_adds_bos(exported), tern_tokenizer_adds_bos(given));
    if (hash_of_ids(exported, &e) != hash_of_ids(given, &e)) fail_msg("%s: other ids %s", names[i], e.text);
    tern_tokenizer_close(given);
    tern_tokenizer_close(exported);
    folder_close(&s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exported_files_give_the_same_ids)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
