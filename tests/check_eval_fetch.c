/* Fetching against a server of our own that cuts, stalls, redirects, refuses and
 * lies: what is in place at the end is the publisher's file or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/eval_fetching.h"
#include "tests/scratch.h"

static void says(const fetching *t, const char *words) {
  if (strstr(t->e.text, words) == NULL) fail_msg("'%s' does not say '%s'", t->e.text, words);
}

static void assert_nothing_in_place(const fetching *t) {
  assert_false(fetching_is_there(t, "data/set.bin"));
}

static void a_file_that_is_there_and_right_is_not_asked_for_again(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){0});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_true(fetching_is_right(t));
  assert_int_equal(t->told.state, TERN_FETCH_FETCHED);
  assert_true(t->told.verified);
  assert_string_equal(t->told.sha256, t->sha256);
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(t->told.state, TERN_FETCH_THERE);
  assert_int_equal(fetching_seen(t).requests, 1);
  assert_int_equal(fetching_unfinished(t), -1);
}

static void a_cut_transfer_goes_on_where_it_ended(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){.etag = "\"one\"", .cut_at = 30000});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_true(fetching_is_right(t));
  server_seen seen = fetching_seen(t);
  assert_int_equal(seen.requests, 2);
  assert_string_equal(seen.range, "bytes=30000-");
  assert_string_equal(seen.if_range, "\"one\"");
}

/* The wrong bytes would be of the right number when the hash is not known. */
static void another_range_than_asked_for_is_not_taken(void **state) {
  fetching *t = *state;
  t->file.sha256 = t->file.download_sha256 = NULL;
  t->file.size = t->file.download_size = -1;
  fetching_serve(t, (server_page){.etag = "\"one\"", .cut_at = 30000, .wrong_range = true});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_true(fetching_is_right(t));
}

static void a_server_without_ranges_begins_anew(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){.etag = "\"one\"", .cut_at = 30000, .no_ranges = true});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_true(fetching_is_right(t));
}

static void an_end_without_a_length_before_the_size_is_no_end(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){.etag = "\"one\"", .cut_at = 5000, .no_length = true});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_true(fetching_is_right(t));
}

/* First half of one file, then another one under the same address. */
static void a_file_changed_between_two_tries_is_not_mixed(void **state) {
  fetching *t = *state;
  static unsigned char newer[FETCHING_SIZE];
  t->file.sha256 = t->file.download_sha256 = NULL;
  t->options.tries = 1;
  fetching_serve(t, (server_page){.etag = "\"old\"", .cut_at = 20000, .later_status = 503});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  assert_int_equal(fetching_unfinished(t), 20000);
  memset(newer, 'n', sizeof newer);
  memcpy(t->body, newer, sizeof newer);
  fetching_serve(t, (server_page){.body = newer, .size = sizeof newer, .etag = "\"new\""});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_string_equal(fetching_seen(t).if_range, "\"old\"");
  assert_true(fetching_is_right(t));
}

/* Without a validator nothing tells the mixture but the hash: then once more, whole. */
static void a_mixture_that_the_hash_shows_is_fetched_once_more(void **state) {
  fetching *t = *state;
  static unsigned char older[FETCHING_SIZE];
  fetching_serve(t, (server_page){.body = older, .size = sizeof older, .cut_at = 20000, .later_status = 503});
  t->options.tries = 1;
  assert_int_equal(fetching_run(t), TERN_FAILED);
  fetching_serve(t, (server_page){0});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(fetching_seen(t).requests, 2);
  assert_true(fetching_is_right(t));
}

static void a_wrong_hash_leaves_nothing(void **state) {
  fetching *t = *state;
  static unsigned char wrong[FETCHING_SIZE];
  char sha256[TERN_SHA256_ROOM];
  fetching_hash(sha256, wrong, sizeof wrong);
  fetching_serve(t, (server_page){.body = wrong, .size = sizeof wrong});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, sha256);
  says(t, t->sha256);
  assert_nothing_in_place(t);
  assert_int_equal(fetching_unfinished(t), -1);
}

static void more_bytes_than_the_manifest_has_are_refused(void **state) {
  fetching *t = *state;
  static unsigned char longer[FETCHING_SIZE + 1];
  fetching_serve(t, (server_page){.body = longer, .size = sizeof longer});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "100000 bytes");
  t->file.size = t->file.download_size = -1; /* and over the limit, where no size is known */
  t->entry.most_bytes = 5000;
  fetching_serve(t, (server_page){.no_length = true});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "the limit");
  assert_nothing_in_place(t);
}

static void a_file_that_no_disk_holds_is_not_begun(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){0});
  t->file.size = t->file.download_size = (long long)1 << 60;
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "GB are free");
  assert_int_equal(fetching_seen(t).requests, 0);
}

static void a_page_of_html_is_not_taken_for_data(void **state) {
  fetching *t = *state;
  static const char page[] = "\n<!DOCTYPE html><title>Log in</title>";
  t->file =
      (tern_catalog_file){.file = "data/set.bin", .address = t->address, .size = -1, .download_size = -1, .rows = -1};
  fetching_serve(t, (server_page){.type = "text/html; charset=utf-8"});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "HTML");
  fetching_serve(t, (server_page){.body = page, .size = sizeof page - 1, .type = "text/plain"});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "HTML");
  assert_nothing_in_place(t);
}

static void redirects_stay_on_http(void **state) {
  fetching *t = *state;
  char onward[256];
  snprintf(onward, sizeof onward, "http://localhost:%d/stored", eval_server_port(t->server));
  fetching_serve(t, (server_page){.path = "/stored"});
  fetching_serve(t, (server_page){.location = onward});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_true(fetching_is_right(t));

  t->file.file = "data/other.bin";
  fetching_serve(t, (server_page){.location = "file:///etc/hostname"});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "refused");
  fetching_serve(t, (server_page){.location = t->address});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "redirects over");
  assert_false(fetching_is_there(t, "data/other.bin"));
}

static void a_gated_repository_says_what_to_do(void **state) {
  fetching *t = *state;
  t->entry.gated = true;
  fetching_serve(t, (server_page){.token = "secret"});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, t->entry.home);
  says(t, "HF_TOKEN");
  setenv("HF_TOKEN", "another", 1);
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "accept the terms");
  fetching_serve(t, (server_page){.status = 403});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "(403)");
  setenv("HF_TOKEN", "bad\nX-Evil: 1", 1);
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "no token has");
  unsetenv("HF_TOKEN");
  scratch_file(t->root, ".cache/huggingface/token", "secret\n");
  fetching_serve(t, (server_page){.token = "secret"});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_true(fetching_is_right(t));
}

static void a_token_goes_to_its_own_host_only(void **state) {
  fetching *t = *state;
  char onward[256];
  snprintf(onward, sizeof onward, "http://localhost:%d/stored", eval_server_port(t->server));
  t->entry.gated = true;
  setenv("HF_TOKEN", "secret", 1);
  fetching_serve(t, (server_page){.path = "/stored"});
  fetching_serve(t, (server_page){.token = "secret", .location = onward});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_string_equal(fetching_seen(t).authorization, "Bearer secret");
  assert_string_equal(eval_server_seen(t->server, "/stored").authorization, "");
  t->entry.gated = false; /* and to nobody who did not ask for one */
  t->file.file = "data/other.bin";
  fetching_serve(t, (server_page){0});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_string_equal(fetching_seen(t).authorization, "");
}

static void an_open_address_that_refuses_names_the_other_way(void **state) {
  fetching *t = *state;
  static const int codes[] = {401, 403, 404, 410};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    fetching_serve(t, (server_page){.status = codes[i]});
    assert_int_equal(fetching_run(t), TERN_FAILED);
    says(t, "--from");
    assert_int_equal(fetching_seen(t).requests, 1);
  }
}

static void a_busy_server_is_asked_again_but_not_forever(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){.fail_first = 2, .fail_status = 503});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(fetching_seen(t).requests, 3);
  t->file.file = "data/other.bin";
  fetching_serve(t, (server_page){.status = 500});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "500");
  assert_int_equal(fetching_seen(t).requests, 3);
}

static void a_silent_server_is_left(void **state) {
  fetching *t = *state;
  t->options.stall_s = 1;
  t->options.tries = 1;
  fetching_serve(t, (server_page){.etag = "\"one\"", .stall_at = 30000});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "nothing comes for 1 s");
  assert_int_equal(fetching_unfinished(t), 30000);
  fetching_serve(t, (server_page){.etag = "\"one\""});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_string_equal(fetching_seen(t).range, "bytes=30000-");
  assert_true(fetching_is_right(t));
}

static void a_hash_nobody_knew_is_held_from_its_first_use(void **state) {
  fetching *t = *state;
  static unsigned char newer[FETCHING_SIZE];
  char path[512];
  t->file.sha256 = t->file.download_sha256 = NULL;
  fetching_serve(t, (server_page){0});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_false(t->told.verified);
  assert_true(t->told.first_use);
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_false(t->told.first_use);

  scratch_file(t->root, "data/set.bin", "somebody wrote here");
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "want 100000"); /* and nothing is overwritten */
  char *text = scratch_read(t->root, "data/set.bin");
  assert_string_equal(text, "somebody wrote here");
  free(text);

  snprintf(path, sizeof path, "%s/data/set.bin", t->root);
  remove(path);
  fetching_serve(t, (server_page){.body = newer, .size = sizeof newer});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, t->sha256);
  assert_nothing_in_place(t);
}

static void a_hash_that_others_publish_is_no_verification(void **state) {
  fetching *t = *state;
  static unsigned char wrong[FETCHING_SIZE];
  t->file.hearsay = true;
  fetching_serve(t, (server_page){.body = wrong, .size = sizeof wrong});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "its publisher says");
  fetching_serve(t, (server_page){0});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_false(t->told.verified);
}

static void an_untouched_file_is_hashed_again_when_asked(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){0});
  assert_int_equal(fetching_run(t), TERN_OK);
  t->options.check = true;
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(t->told.state, TERN_FETCH_THERE);
  assert_int_equal(fetching_seen(t).requests, 1);
}

static void a_broken_record_is_not_forgotten_silently(void **state) {
  fetching *t = *state;
  scratch_file(t->root, "held.json", "{\"ternmark_held\": 1, \"files\"");
  fetching_serve(t, (server_page){0});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "held.json");
}

static void a_git_id_vouches_for_a_file(void **state) {
  fetching *t = *state;
  static const char body[] = "what is up, doc?"; /* the example of git's own book */
  t->file = (tern_catalog_file){.file = "data/set.bin",
                                .address = t->address,
                                .git_id = "bd9dbf5aae1a3862dd1526723246b20206e5fc37",
                                .size = -1,
                                .download_size = -1,
                                .rows = -1};
  fetching_serve(t, (server_page){.body = body, .size = sizeof body - 1});
  assert_int_equal(fetching_run(t), TERN_OK);
  t->file.file = "data/other.bin";
  fetching_serve(t, (server_page){.body = body, .size = sizeof body - 2});
  assert_int_equal(fetching_run(t), TERN_FAILED);
  says(t, "git's id");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fetching_setup, fetching_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_file_that_is_there_and_right_is_not_asked_for_again),
      TEST(a_cut_transfer_goes_on_where_it_ended),
      TEST(another_range_than_asked_for_is_not_taken),
      TEST(a_server_without_ranges_begins_anew),
      TEST(an_end_without_a_length_before_the_size_is_no_end),
      TEST(a_file_changed_between_two_tries_is_not_mixed),
      TEST(a_mixture_that_the_hash_shows_is_fetched_once_more),
      TEST(a_wrong_hash_leaves_nothing),
      TEST(more_bytes_than_the_manifest_has_are_refused),
      TEST(a_file_that_no_disk_holds_is_not_begun),
      TEST(a_page_of_html_is_not_taken_for_data),
      TEST(redirects_stay_on_http),
      TEST(a_gated_repository_says_what_to_do),
      TEST(a_token_goes_to_its_own_host_only),
      TEST(an_open_address_that_refuses_names_the_other_way),
      TEST(a_busy_server_is_asked_again_but_not_forever),
      TEST(a_silent_server_is_left),
      TEST(a_hash_nobody_knew_is_held_from_its_first_use),
      TEST(a_hash_that_others_publish_is_no_verification),
      TEST(an_untouched_file_is_hashed_again_when_asked),
      TEST(a_broken_record_is_not_forgotten_silently),
      TEST(a_git_id_vouches_for_a_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
