/* Files out of a user's folder, and repositories of which the server says what
 * they have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "harness/eval/data_root.h"
#include "tests/eval_fetching.h"
#include "tests/scratch.h"

static const char rows[] = "{\"a\": 1}\n{\"a\": 2}\n";

/* A user's folder with these rows under a name; the entry's file is data/set.NAME. */
static void have(fetching *t, char *from, const char *name, const char *text) {
  char inside[256];
  snprintf(from, 512, "%s/user", t->root);
  snprintf(inside, sizeof inside, "user/%s", name);
  scratch_file(t->root, inside, text);
  t->options.from = from;
}

static void want_rows(fetching *t, const char *file) {
  fetching_hash(t->sha256, rows, strlen(rows));
  t->file = (tern_catalog_file){.file = file,
                                .address = t->address,
                                .sha256 = t->sha256,
                                .size = (long long)strlen(rows),
                                .download_size = -1,
                                .rows = 2};
}

static void our_layout_is_taken_as_it_is(void **state) {
  fetching *t = *state;
  char from[512];
  want_rows(t, "data/set.jsonl");
  have(t, from, "data/set.jsonl", rows);
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(t->told.state, TERN_FETCH_TAKEN);
  char *text = scratch_read(t->root, "data/set.jsonl");
  assert_string_equal(text, rows);
  free(text);
}

static void the_same_rows_unpacked_are_packed(void **state) {
  fetching *t = *state;
  char from[512], path[512], text[100] = "";
  want_rows(t, "data/set.jsonl.gz");
  have(t, from, "data/set.jsonl", rows);
  assert_int_equal(fetching_run(t), TERN_OK);
  snprintf(path, sizeof path, "%s/data/set.jsonl.gz", t->root);
  gzFile f = gzopen(path, "rb");
  assert_int_equal(gzread(f, text, sizeof text - 1), (int)strlen(rows));
  assert_int_equal(gzdirect(f), 0);
  gzclose(f);
  assert_string_equal(text, rows);
}

static void other_rows_under_that_name_are_refused(void **state) {
  fetching *t = *state;
  char from[512];
  want_rows(t, "data/set.jsonl");
  have(t, from, "data/set.jsonl", "{\"a\": 1}\n{\"a\": 3}\n");
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_non_null(strstr(t->e.text, t->sha256));
  assert_false(fetching_is_there(t, "data/set.jsonl"));
}

static void fewer_rows_than_said_are_refused(void **state) {
  fetching *t = *state;
  char from[512];
  want_rows(t, "data/set.jsonl");
  t->file.sha256 = NULL;
  t->file.size = -1;
  have(t, from, "data/set.jsonl", "{\"a\": 1}\n\n");
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_non_null(strstr(t->e.text, "1 rows, want 2"));
}

static void what_a_folder_has_not_is_told_and_no_address_asked(void **state) {
  fetching *t = *state;
  char from[512];
  have(t, from, "unrelated", "");
  fetching_serve(t, (server_page){0});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(t->told.state, TERN_FETCH_MISSING);
  assert_int_equal(fetching_seen(t).requests, 0);
}

static void a_download_is_taken_under_its_own_name(void **state) {
  fetching *t = *state;
  char from[512];
  json_t *form = json_pack("{s:s, s:{s:s}}", "kind", "rows", "row", "a", "doc.x");
  want_rows(t, "data/set.jsonl");
  t->file.form = form;
  have(t, from, "data.bin", "{\"doc\": {\"x\": 1}}\n{\"doc\": {\"x\": 2}}\n");
  assert_int_equal(fetching_run(t), TERN_OK);
  char *text = scratch_read(t->root, "data/set.jsonl");
  assert_string_equal(text, rows);
  free(text);
  json_decref(form);
}

/* A repository with a listing, on the server that HF_ENDPOINT names. */
static char listing[1024];
static void offer(fetching *t, const char *files) {
  static char host[64];
  static const char *const patterns = "[\"*.json\", \"*.gguf\"]";
  snprintf(host, sizeof host, "http://127.0.0.1:%d", eval_server_port(t->server));
  setenv("HF_ENDPOINT", host, 1);
  json_decref((json_t *)t->entry.take);
  t->entry = (tern_catalog_entry){.name = "model",
                                  .kind = "model",
                                  .home = "https://publisher.example/terms",
                                  .repository = "who/model",
                                  .revision = "main",
                                  .folder = "models/model",
                                  .take = json_loads(patterns, 0, NULL),
                                  .gated = t->entry.gated,
                                  .most_bytes = 10 * FETCHING_SIZE};
  snprintf(listing, sizeof listing, "%s", files);
  fetching_serve(t, (server_page){.path = "/api/models/who/model/tree/main?recursive=true",
                                  .body = listing,
                                  .size = strlen(listing),
                                  .type = "application/json",
                                  .token = t->entry.gated ? "secret" : NULL});
}

static int close_offer(void **state) {
  fetching *t = *state;
  json_decref((json_t *)t->entry.take);
  return fetching_teardown(state);
}

static void offer_weights(fetching *t) {
  char files[1024];
  snprintf(files, sizeof files,
           "[{\"type\": \"directory\", \"path\": \"x\", \"size\": 0, \"oid\": \"0\"},"
           "{\"type\": \"file\", \"path\": \"README.md\", \"size\": 3, \"oid\": \"0\"},"
           "{\"type\": \"file\", \"path\": \"config.json\", \"size\": 16,"
           " \"oid\": \"bd9dbf5aae1a3862dd1526723246b20206e5fc37\"},"
           "{\"type\": \"file\", \"path\": \"weights.gguf\", \"size\": %d, \"oid\": \"0\","
           " \"lfs\": {\"oid\": \"%s\", \"size\": %d}}]",
           FETCHING_SIZE, t->sha256, FETCHING_SIZE);
  offer(t, files);
  fetching_serve(t,
                 (server_page){.path = "/who/model/resolve/main/config.json", .body = "what is up, doc?", .size = 16});
  fetching_serve(t, (server_page){.path = "/who/model/resolve/main/weights.gguf"});
}

static void a_repository_gives_what_its_entry_takes(void **state) {
  fetching *t = *state;
  offer_weights(t);
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(t->files, 2);
  assert_true(fetching_is_there(t, "models/model/weights.gguf"));
  assert_true(fetching_is_there(t, "models/model/config.json"));
  assert_false(fetching_is_there(t, "models/model/README.md"));
  assert_string_equal(t->told.sha256, t->sha256);
  assert_false(t->told.verified); /* the server's own word */
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(t->told.state, TERN_FETCH_THERE);
}

static void weights_that_change_after_their_first_use_are_an_error(void **state) {
  fetching *t = *state;
  offer_weights(t);
  assert_int_equal(fetching_run(t), TERN_OK);
  t->sha256[0] = t->sha256[0] == 'a' ? 'b' : 'a';
  offer_weights(t);
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_non_null(strstr(t->e.text, "its publisher has another file now"));
}

static void bytes_that_are_not_what_their_server_says_are_refused(void **state) {
  fetching *t = *state;
  t->sha256[0] = t->sha256[0] == 'a' ? 'b' : 'a';
  offer_weights(t);
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_non_null(strstr(t->e.text, "its publisher says"));
  assert_false(fetching_is_there(t, "models/model/weights.gguf"));
}

static void a_listing_cannot_name_files_elsewhere(void **state) {
  fetching *t = *state;
  offer(t, "[{\"type\": \"file\", \"path\": \"..\\u002f..\\u002fx.json\", \"size\": 3, \"oid\": \"0\"},"
           "{\"type\": \"file\", \"path\": \"..json\", \"size\": 3, \"oid\": \"0\"},"
           "{\"type\": \"file\", \"path\": \"a b.json\", \"size\": 3, \"oid\": \"0\"}]");
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_non_null(strstr(t->e.text, "unusable name"));
  assert_int_equal(t->files, 0);
  offer(t, "{\"error\": \"gone\"}");
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_non_null(strstr(t->e.text, "no list of files"));
  offer(t, "[]");
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_non_null(strstr(t->e.text, "none of the files"));
}

static void a_gated_listing_says_what_to_do(void **state) {
  fetching *t = *state;
  t->entry.gated = true;
  offer(t, "[]");
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_non_null(strstr(t->e.text, "HF_TOKEN"));
}

static void a_models_folder_is_taken_and_held(void **state) {
  fetching *t = *state;
  char from[512];
  offer(t, "[]");
  have(t, from, "config.json", "{}");
  scratch_file(from, "notes.txt", "");
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(t->files, 1);
  assert_true(t->told.first_use);
  assert_true(fetching_is_there(t, "models/model/config.json"));
}

static void a_named_data_folder_is_never_widened(void **state) {
  fetching *t = *state;
  char path[4096];
  scratch_file(t->root, "cache/ternmark/data/a/x.jsonl", rows);
  scratch_file(t->root, "named/b.jsonl", rows);
  snprintf(path, sizeof path, "%s/cache", t->root);
  setenv("XDG_CACHE_HOME", path, 1);
  unsetenv("TERN_DATA");
  assert_int_equal(tern_data_find(path, sizeof path, NULL, "a/x.jsonl", &t->e), TERN_OK);
  assert_non_null(strstr(path, "cache/ternmark/data/a/x.jsonl"));
  char named[512];
  snprintf(named, sizeof named, "%s/named", t->root);
  assert_int_equal(tern_data_find(path, sizeof path, named, "a/x.jsonl", &t->e), TERN_FAILED);
  assert_non_null(strstr(t->e.text, "ternmark fetch"));
  assert_null(strstr(t->e.text, "../shared"));
  setenv("TERN_DATA", named, 1);
  assert_int_equal(tern_data_find(path, sizeof path, NULL, "a/x.jsonl", &t->e), TERN_FAILED);
  assert_int_equal(tern_data_find(path, sizeof path, NULL, "b.jsonl", &t->e), TERN_OK);
  unsetenv("TERN_DATA");
  assert_int_equal(tern_data_find(path, sizeof path, NULL, "no/such.jsonl", &t->e), TERN_FAILED);
  unsetenv("XDG_CACHE_HOME");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fetching_setup, close_offer)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(our_layout_is_taken_as_it_is),
      TEST(the_same_rows_unpacked_are_packed),
      TEST(other_rows_under_that_name_are_refused),
      TEST(fewer_rows_than_said_are_refused),
      TEST(what_a_folder_has_not_is_told_and_no_address_asked),
      TEST(a_download_is_taken_under_its_own_name),
      TEST(a_repository_gives_what_its_entry_takes),
      TEST(weights_that_change_after_their_first_use_are_an_error),
      TEST(bytes_that_are_not_what_their_server_says_are_refused),
      TEST(a_listing_cannot_name_files_elsewhere),
      TEST(a_gated_listing_says_what_to_do),
      TEST(a_models_folder_is_taken_and_held),
      TEST(a_named_data_folder_is_never_widened),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
