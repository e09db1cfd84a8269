/* Output formats of a result folder: for people, for programs, and for readers
 * of llama-bench. The fixture holds three outside engines, a block that was
 * taken again, two placements and energy of some. */
#include <csv.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/bench_output.h"
#include "harness/summary.h"
#include "tests/scratch.h"

#define SIDE FIXTURES "/results-side"
enum { ROWS = 14, BLOCKS = 6 };

static char *printed(const char *dir, const char *format) {
  char *text = NULL;
  size_t size;
  tern_error e = {0};
  FILE *out = open_memstream(&text, &size);
  assert_non_null(out);
  if (tern_bench_print(dir, format, out, &e)) fail_msg("%s", e.text);
  fclose(out);
  return text;
}

static json_t *parsed(const char *dir, const char *format) {
  char *text = printed(dir, format);
  json_t *list = json_loads(text, 0, NULL);
  assert_true(json_is_array(list));
  free(text);
  return list;
}

/* Row of an engine, workload and placement. */
static const json_t *row_of(const json_t *list, const char *engine, const char *workload, const char *placement) {
  size_t i;
  json_t *row;
  json_array_foreach(list, i, row) {
    if (strcmp(json_string_value(json_object_get(row, "engine")), engine) == 0 &&
        strcmp(json_string_value(json_object_get(row, "workload")), workload) == 0 &&
        strcmp(json_string_value(json_object_get(row, "placement")), placement) == 0)
      return row;
  }
  fail_msg("no row of %s, %s", engine, workload);
  return NULL;
}

static double real(const json_t *row, const char *key) {
  const json_t *v = json_object_get(row, key);
  assert_true(json_is_number(v));
  return json_number_value(v);
}

/* What `llama-bench -o json` of b10573 prints, in its order: s text, i whole
 * number, f real, b truth. */
static const char *const llama_fields[][2] = {
    {"build_commit", "s"},   {"build_number", "i"},
    {"cpu_info", "s"},       {"gpu_info", "s"},
    {"backends", "s"},       {"model_filename", "s"},
    {"model_type", "s"},     {"model_size", "i"},
    {"model_n_params", "i"}, {"n_batch", "i"},
    {"n_ubatch", "i"},       {"n_threads", "i"},
    {"cpu_mask", "s"},       {"cpu_strict", "b"},
    {"poll", "i"},           {"type_k", "s"},
    {"type_v", "s"},         {"n_gpu_layers", "i"},
    {"n_cpu_moe", "i"},      {"split_mode", "s"},
    {"main_gpu", "i"},       {"no_kv_offload", "b"},
    {"flash_attn", "i"},     {"devices", "s"},
    {"tensor_split", "s"},   {"tensor_buft_overrides", "s"},
    {"load_mode", "s"},      {"embeddings", "b"},
    {"no_op_offload", "i"},  {"no_host", "b"},
    {"fit_target", "i"},     {"fit_min_ctx", "i"},
    {"n_prompt", "i"},       {"n_gen", "i"},
    {"n_depth", "i"},        {"test_time", "s"},
    {"avg_ns", "i"},         {"stddev_ns", "i"},
    {"avg_ts", "f"},         {"stddev_ts", "f"},
};
enum { LLAMA_FIELDS = sizeof llama_fields / sizeof *llama_fields };

static char kind_of(const json_t *v) {
  switch (json_typeof(v)) {
  case JSON_STRING:
    return 's';
  case JSON_INTEGER:
    return 'i';
  case JSON_REAL:
    return 'f';
  case JSON_TRUE:
  case JSON_FALSE:
    return 'b';
  default:
    return '?';
  }
}

static void llama_bench_json_has_its_keys_and_types(void **state) {
  (void)state;
  json_t *list = parsed(SIDE, "llama-bench-json"), *row;
  size_t i;
  assert_int_equal(json_array_size(list), ROWS);
  json_array_foreach(list, i, row) {
    const char *key;
    json_t *value;
    size_t k = 0;
    json_object_foreach(row, key, value) {
      if (k < LLAMA_FIELDS) {
        assert_string_equal(key, llama_fields[k][0]);
        if (kind_of(value) != llama_fields[k][1][0]) fail_msg("%s is of another type", key);
      }
      k++;
    }
    assert_int_equal(k, LLAMA_FIELDS + 2);
    assert_true(json_is_integer(json_array_get(json_object_get(row, "samples_ns"), 0)));
    assert_true(json_is_real(json_array_get(json_object_get(row, "samples_ts"), 0)));
  }
  json_decref(list);
}

static void llama_bench_averages_are_of_the_samples_that_stand(void **state) {
  (void)state;
  json_t *list = parsed(SIDE, "llama-bench-json"), *row;
  size_t i;
  json_array_foreach(list, i, row) {
    const json_t *ns = json_object_get(row, "samples_ns"), *ts = json_object_get(row, "samples_ts");
    double sum = 0, squares = 0, tokens = real(row, "n_prompt") + real(row, "n_gen");
    assert_int_equal(json_array_size(ns), BLOCKS); /* seven were taken, one again */
    for (size_t k = 0; k < BLOCKS; k++) {
      double t = json_number_value(json_array_get(ns, k));
      assert_true(fabs(json_number_value(json_array_get(ts, k)) - tokens / t * 1e9) < 1e-4);
      sum += t;
      squares += t * t;
    }
    double mean = sum / BLOCKS, deviation = sqrt((squares - sum * mean) / (BLOCKS - 1));
    assert_true(fabs(real(row, "avg_ns") - mean) < 2);
    assert_true(fabs(real(row, "stddev_ns") - deviation) < 1e-4 * mean);
  }
  json_decref(list);
}

static void count_column(void *data, size_t size, void *arg) {
  (void)data, (void)size;
  ++*(int *)arg;
}
static void end_row(int c, void *arg) {
  (void)c;
  int *columns = arg;
  assert_int_equal(*columns, LLAMA_FIELDS);
  *columns = 0;
}

static void llama_bench_csv_quotes_every_value(void **state) {
  (void)state;
  char *text = printed(SIDE, "llama-bench-csv");
  struct csv_parser parser;
  int columns = 0;
  assert_int_equal(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI), 0);
  assert_int_equal(csv_parse(&parser, text, strlen(text), count_column, end_row, &columns), strlen(text));
  assert_int_equal(csv_fini(&parser, count_column, end_row, &columns), 0);
  csv_free(&parser);
  assert_non_null(strstr(text, "\n\"0123456789ab\",\"0\",\"AMD EPYC (example)\",\"\",\"CPU\","));
  assert_non_null(strstr(text, ",\"-1\",\"0\",\"layer\",\"0\",\"0\",\"-1\",\"auto\",\"0.00\",\"none\",\"auto\","));
  free(text);
}

static void rows_hold_speed_ratio_latency_and_energy(void **state) {
  (void)state;
  json_t *list = parsed(SIDE, "json");
  const json_t *ternary = row_of(list, "ternary", "decode-128", ""), *f16 = row_of(list, "f16", "decode-128", ""),
               *peer = row_of(list, "peer:ik_llama.cpp:iq2_bn", "decode-128", ""),
               *prefill = row_of(list, "f16", "prefill-512", "");
  assert_int_equal(json_array_size(list), ROWS);
  assert_true(real(ternary, "tokens_per_s") > 42 && real(ternary, "tokens_per_s") < 46);
  /* The ratio was taken as ternary/f16; to the reference it is turned round. */
  assert_true(real(f16, "times_reference") > 0.235 && real(f16, "times_reference") < 0.245);
  assert_true(real(f16, "times_reference_low") < real(f16, "times_reference"));
  assert_true(real(f16, "times_reference_high") > real(f16, "times_reference"));
  assert_true(json_is_null(json_object_get(ternary, "times_reference")));
  assert_true(real(ternary, "token_p99_ms") > real(ternary, "token_p90_ms"));
  assert_true(real(prefill, "ttft_ms") > 11000 && real(prefill, "ttft_ms") < 12000);
  assert_string_equal(json_string_value(json_object_get(ternary, "energy_scope")), "package+dram");
  assert_true(json_is_null(json_object_get(peer, "joules_per_token")));
  assert_string_equal(json_string_value(json_object_get(peer, "energy_how")), "unavailable");
  assert_string_equal(json_string_value(json_object_get(ternary, "stopped")), "time");
  row_of(list, "f16", "decode-128", "spread");
  json_decref(list);
}

static void json_lines_are_the_rows_of_json(void **state) {
  (void)state;
  json_t *list = parsed(SIDE, "json");
  char *text = printed(SIDE, "jsonl");
  size_t rows = 0;
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    json_t *row = json_loads(line, 0, NULL);
    assert_true(json_equal(row, json_array_get(list, rows++)));
    json_decref(row);
  }
  assert_int_equal(rows, ROWS);
  free(text);
  json_decref(list);
}

static void table_is_ascii_in_straight_columns(void **state) {
  (void)state;
  char *text = printed(SIDE, "table");
  size_t length = 0, lines = 0;
  assert_non_null(strstr(text, "x reference"));
  assert_non_null(strstr(text, "package+dram"));
  assert_non_null(strstr(text, "reference: ternary"));
  assert_non_null(strstr(text, "2B4T: stopped by time after 6 blocks; half widths: ternary/f16 1.21 %"));
  for (const char *s = text; *s; s++) assert_true(*s == '\n' || (*s >= ' ' && *s <= '~'));
  for (char *line = strtok(text, "\n"); line && lines <= ROWS; line = strtok(NULL, "\n"), lines++) {
    if (lines == 0) length = strlen(line);
    assert_int_equal(strlen(line), length); /* the last column is of numbers, set to the right */
  }
  free(text);
}

static void markdown_rows_have_the_cells_of_their_header(void **state) {
  (void)state;
  char *text = printed(SIDE, "md");
  int columns = 0, rows = 0;
  for (char *line = strtok(text, "\n"); line && line[0] == '|'; line = strtok(NULL, "\n"), rows++) {
    int n = 0;
    for (const char *s = line; *s; s++) n += *s == '|' && (s == line || s[-1] != '\\');
    if (rows == 0) columns = n;
    assert_int_equal(n, columns);
  }
  assert_int_equal(rows, ROWS + 2);
  free(text);
}

#define HOSTILE "a'); DROP TABLE ternmark; --"

/* A folder with one row whose model's name is hostile. */
static void hostile_folder(char *dir, int size) {
  tern_error e = {0};
  scratch_make(dir, size);
  scratch_file(dir, "manifest.json", "{\"schema\": 1, \"started\": \"not a time\"}");
  scratch_file(dir, "samples.csv",
               "sample,block,place,start_s,engine,model,workload,phase,threads,kernel,head,kv,tokens,seconds,read_gbs,"
               "bytes_per_token,joules,joules_how,joules_scope,joules_why,body_bytes,head_bytes,embedding_bytes,"
               "kv_bytes,peak_rss_bytes,cycles,instructions,cache_misses,branch_misses,task_clock_ns,page_faults,"
               "context_switches,migrations,steal_ticks,mark\n"
               "0,0,0,,f16,\"" HOSTILE "\",decode-4,decode,1,,,,4,1,,,,,,,,,,,,,,,,,,,,,\n");
  if (tern_summary_write(dir, &e)) fail_msg("%s", e.text);
}

static void sql_keeps_hostile_names_as_text(void **state) {
  (void)state;
  static const char *const formats[] = {"sql", "llama-bench-sql"};
  char dir[512];
  hostile_folder(dir, sizeof dir);
  for (size_t f = 0; f < 2; f++) {
    char *text = printed(dir, formats[f]);
    assert_non_null(strstr(text, "'a''); DROP TABLE ternmark; --"));
    /* Outside of quotes: one statement that creates and one that inserts. */
    int statements = 0;
    bool quoted = false;
    for (const char *s = text; *s; s++) {
      if (*s == '\'') quoted = !quoted;
      statements += *s == ';' && !quoted;
    }
    assert_false(quoted);
    assert_int_equal(statements, 2);
    free(text);
  }
  scratch_remove(dir);
}

static void figures_that_are_not_available_are_null(void **state) {
  (void)state;
  char dir[512];
  hostile_folder(dir, sizeof dir);
  json_t *list = parsed(dir, "json");
  const json_t *row = json_array_get(list, 0);
  static const char *const absent[] = {"tokens_per_s_low", "times_reference", "ttft_ms", "joules_per_token", "batch",
                                       "body_bytes",       "disturbed_share"};
  assert_true(real(row, "tokens_per_s") == 4);
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
    assert_true(json_is_null(json_object_get(row, absent[i])));
  json_decref(list);
  /* llama-bench has no null: one repetition deviates by nothing. */
  list = parsed(dir, "llama-bench-json");
  assert_true(real(json_array_get(list, 0), "stddev_ts") == 0);
  assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "build_commit")), "unknown");
  json_decref(list);
  scratch_remove(dir);
}

static void unknown_formats_and_folders_get_one_clear_line(void **state) {
  (void)state;
  tern_error e = {0};
  assert_int_equal(tern_bench_print(SIDE, "xml", stdout, &e), TERN_USAGE);
  assert_non_null(strstr(e.text, "'xml': no such format; one of table, csv"));
  assert_false(tern_bench_format_known("xml"));
  char dir[512], path[600];
  hostile_folder(dir, sizeof dir);
  snprintf(path, sizeof path, "%s/summary.csv", dir);
  remove(path);
  e = (tern_error){0};
  assert_int_equal(tern_bench_print(dir, "csv", stdout, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "summary.csv"));
  scratch_remove(dir);
}

static void every_format_named_is_printed(void **state) {
  (void)state;
  char names[256];
  snprintf(names, sizeof names, "%s", tern_bench_formats());
  for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", ")) {
    assert_true(tern_bench_format_known(name));
    char *text = printed(SIDE, name);
    assert_true(strlen(text) > 500);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(llama_bench_json_has_its_keys_and_types),
      cmocka_unit_test(llama_bench_averages_are_of_the_samples_that_stand),
      cmocka_unit_test(llama_bench_csv_quotes_every_value),
      cmocka_unit_test(rows_hold_speed_ratio_latency_and_energy),
      cmocka_unit_test(json_lines_are_the_rows_of_json),
      cmocka_unit_test(table_is_ascii_in_straight_columns),
      cmocka_unit_test(markdown_rows_have_the_cells_of_their_header),
      cmocka_unit_test(sql_keeps_hostile_names_as_text),
      cmocka_unit_test(figures_that_are_not_available_are_null),
      cmocka_unit_test(unknown_formats_and_folders_get_one_clear_line),
      cmocka_unit_test(every_format_named_is_printed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
