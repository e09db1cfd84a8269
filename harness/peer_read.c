/* Chooses among what a peer printed: rows of llama-bench in any of its
 * formats, else the closing timings of llama-cli. */
#include "harness/peer_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *reader;
  json_t *(*rows)(const char *text);
} formats[] = {
    {"JSON", tern_peer_rows_json},
    {"CSV", tern_peer_rows_csv},
    {"table", tern_peer_rows_table},
};

/* NAN: absent or not a number. */
static double number(const json_t *row, const char *key) {
  const json_t *v = json_object_get(row, key);
  const char *text = json_string_value(v);
  if (json_is_number(v)) return json_number_value(v);
  if (!text || !*text) return NAN;
  char *end;
  double value = strtod(text, &end);
  return *end ? NAN : value;
}

/* An absent count is 0: programs that know no depth start at none. */
static double count_of(const json_t *row, const char *key) {
  return json_object_get(row, key) ? number(row, key) : 0;
}

static bool matches(const json_t *row, const tern_peer_request *ask) {
  return count_of(row, "n_prompt") == ask->prompt && count_of(row, "n_gen") == ask->gen &&
         count_of(row, "n_depth") == ask->depth;
}

static int tokens_of(const tern_peer_request *ask) {
  return ask->prompt > 0 ? ask->prompt : ask->gen;
}

/* Mean seconds of a run: from the samples, else from the averages, which
 * `ternmark bench` tells as tokens_per_s. */
static double seconds_of(const json_t *row, int tokens, int *repeats) {
  const json_t *ns = json_object_get(row, "samples_ns"), *ts = json_object_get(row, "samples_ts");
  const json_t *samples = json_array_size(ns) > 0 ? ns : ts;
  size_t count = json_array_size(samples);
  *repeats = 1;
  if (count > 0 && count < 100000) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
      const json_t *v = json_array_get(samples, i);
      double one = json_is_number(v) ? json_number_value(v) : NAN;
      sum += samples == ns ? one * 1e-9 : tokens / one;
    }
    *repeats = (int)count;
    return sum / (double)count;
  }
  double ns_mean = number(row, "avg_ns");
  if (isfinite(ns_mean)) return ns_mean * 1e-9;
  return tokens / number(row, json_object_get(row, "avg_ts") ? "avg_ts" : "tokens_per_s");
}

/* Version as the output has it: printable ASCII, since it goes into JSON. */
static void read_version(const json_t *row, char *out, size_t size) {
  const char *commit = json_string_value(json_object_get(row, "build_commit"));
  double build = number(row, "build_number");
  if (!commit || !*commit || strcmp(commit, "unknown") == 0) return;
  if (isfinite(build))
    snprintf(out, size, "%.100s (%.0f)", commit, build);
  else
    snprintf(out, size, "%.100s", commit);
  for (char *p = out; *p; p++)
    if (*p < ' ' || *p > '~') *p = '?';
}

static int no_match(const char *name, const json_t *rows, const tern_peer_request *ask, tern_error *e) {
  const json_t *first = json_array_get(rows, 0);
  return tern_fail(e, TERN_FAILED,
                   "peer %s: asked for prompt %d, gen %d, depth %d; it told of prompt %.0f, gen %.0f, depth %.0f%s",
                   name, ask->prompt, ask->gen, ask->depth, count_of(first, "n_prompt"), count_of(first, "n_gen"),
                   count_of(first, "n_depth"), json_array_size(rows) > 1 ? " and others" : "");
}

static int choose(const char *name, const json_t *rows, const tern_peer_request *ask, tern_peer_told *told,
                  tern_error *e) {
  const json_t *row, *found = NULL;
  size_t i;
  json_array_foreach(rows, i, row) {
    if (!matches(row, ask)) continue;
    if (found)
      return tern_fail(e, TERN_FAILED, "peer %s: it told of the asked tokens twice: one setting a command", name);
    found = row;
  }
  if (!found) return no_match(name, rows, ask, e);
  double threads = number(found, json_object_get(found, "n_threads") ? "n_threads" : "threads");
  if (isfinite(threads) && threads != ask->threads)
    return tern_fail(e, TERN_FAILED, "peer %s: asked for %d threads, it ran with %.0f", name, ask->threads, threads);
  told->seconds = seconds_of(found, tokens_of(ask), &told->repeats);
  read_version(found, told->version, sizeof told->version);
  return 0;
}

/* One step fewer than asked is all of it: llama-cli takes the first token from
 * the prompt. The time is told for as many as were asked. */
static int read_timings(const char *name, const char *text, const tern_peer_request *ask, tern_peer_told *told,
                        tern_error *e) {
  double ms, count;
  int asked = tokens_of(ask);
  bool prompt = ask->prompt > 0;
  if (!tern_peer_timings(text, prompt, &ms, &count))
    return tern_fail(e, TERN_FAILED, "peer %s: it printed no speed that can be read (docs/peers.md)", name);
  if (count != asked && !(!prompt && asked > 1 && count == asked - 1))
    return tern_fail(e, TERN_FAILED, "peer %s: asked for %d %s tokens, it told of %.0f", name, asked,
                     prompt ? "prompt" : "new", count);
  if (ask->depth > 0)
    return tern_fail(e, TERN_FAILED, "peer %s: its timings do not tell the depth that was asked for", name);
  told->seconds = ms * 1e-3 * asked / count;
  told->repeats = 1;
  snprintf(told->reader, sizeof told->reader, "timings");
  return 0;
}

int tern_peer_read(const char *name, const char *out, const char *err, const tern_peer_request *ask,
                   tern_peer_told *told, tern_error *e) {
  memset(told, 0, sizeof *told);
  const char *const texts[] = {out, err};
  size_t kinds = sizeof formats / sizeof *formats;
  int bad = -1;
  for (size_t i = 0; bad < 0 && i < 2 * kinds; i++) {
    json_t *rows = formats[i % kinds].rows(texts[i / kinds]);
    if (!rows) return tern_fail(e, TERN_FAILED, "peer %s: out of memory", name);
    if (json_array_size(rows) > 0) {
      snprintf(told->reader, sizeof told->reader, "%s", formats[i % kinds].reader);
      bad = choose(name, rows, ask, told, e);
    }
    json_decref(rows);
  }
  double ms, count;
  if (bad < 0) bad = read_timings(name, tern_peer_timings(out, ask->prompt > 0, &ms, &count) ? out : err, ask, told, e);
  if (bad) return bad;
  if (!isfinite(told->seconds) || told->seconds <= 0)
    return tern_fail(e, TERN_FAILED, "peer %s: it told of %g seconds: that is no time", name, told->seconds);
  return 0;
}
