/* Rows with the fields of llama-bench (b10573), in its order and types, for
 * programs that read its output. Averages and deviations are of the samples
 * that stand; what this program has no notion of keeps the value that
 * llama-bench prints where nothing was asked for. Engines are told apart by
 * model_type. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/bench_records.h"
#include "reports/manifest.h"
#include "reports/shapes.h"

enum { BATCH = 2048, UBATCH = 512, POLL = 50 };

typedef struct llama {
  const char *build_commit, *cpu_info, *gpu_info, *backends, *model_filename, *model_type, *cpu_mask, *type_k, *type_v,
      *split_mode, *devices, *tensor_split, *tensor_buft_overrides, *load_mode, *test_time;
  int64_t build_number, model_size, model_n_params, n_batch, n_ubatch, n_threads, poll, n_gpu_layers, n_cpu_moe,
      main_gpu, flash_attn, no_op_offload, fit_target, fit_min_ctx, n_prompt, n_gen, n_depth, avg_ns, stddev_ns;
  bool cpu_strict, no_kv_offload, embeddings, no_host;
  double avg_ts, stddev_ts;
  double *samples_ns, *samples_ts;
  size_t samples;
  char type_text[192], time_text[32];
} llama;

#define TEXT(name)                                                                                                     \
  { #name, TERN_FIELD_TEXT, offsetof(llama, name) }
#define WHOLE(name)                                                                                                    \
  { #name, TERN_FIELD_INTEGER, offsetof(llama, name) }
#define TRUTH(name)                                                                                                    \
  { #name, TERN_FIELD_TRUTH, offsetof(llama, name) }
#define REAL(name)                                                                                                     \
  { #name, TERN_FIELD_REAL, offsetof(llama, name) }

static const tern_field fields[] = {
    TEXT(build_commit),    WHOLE(build_number),
    TEXT(cpu_info),        TEXT(gpu_info),
    TEXT(backends),        TEXT(model_filename),
    TEXT(model_type),      WHOLE(model_size),
    WHOLE(model_n_params), WHOLE(n_batch),
    WHOLE(n_ubatch),       WHOLE(n_threads),
    TEXT(cpu_mask),        TRUTH(cpu_strict),
    WHOLE(poll),           TEXT(type_k),
    TEXT(type_v),          WHOLE(n_gpu_layers),
    WHOLE(n_cpu_moe),      TEXT(split_mode),
    WHOLE(main_gpu),       TRUTH(no_kv_offload),
    WHOLE(flash_attn),     TEXT(devices),
    TEXT(tensor_split),    TEXT(tensor_buft_overrides),
    TEXT(load_mode),       TRUTH(embeddings),
    WHOLE(no_op_offload),  TRUTH(no_host),
    WHOLE(fit_target),     WHOLE(fit_min_ctx),
    WHOLE(n_prompt),       WHOLE(n_gen),
    WHOLE(n_depth),        TEXT(test_time),
    WHOLE(avg_ns),         WHOLE(stddev_ns),
    REAL(avg_ts),          REAL(stddev_ts),
};

static const tern_field_list lists[] = {
    {"samples_ns", offsetof(llama, samples_ns), offsetof(llama, samples), true},
    {"samples_ts", offsetof(llama, samples_ts), offsetof(llama, samples), false},
};

static double mean(const double *v, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += v[i];
  return n ? sum / (double)n : 0;
}

/* Of a sample of so many; 0 for one. */
static double deviation(const double *v, size_t n) {
  double sum = 0, middle = mean(v, n);
  for (size_t i = 0; i < n; i++) sum += (v[i] - middle) * (v[i] - middle);
  return n > 1 ? sqrt(sum / (double)(n - 1)) : 0;
}

/* When the row's first sample began, as RFC 3339. */
static const char *time_of(const tern_bench *b, const tern_bench_row *row, char text[32]) {
  char started[64];
  struct tm t = {0};
  tern_manifest_text(b->results.manifest, "started", started, sizeof started);
  if (!strptime(started, "%Y-%m-%dT%H:%M:%SZ", &t)) return "";
  time_t at = timegm(&t) + (isfinite(row->start_s) ? (time_t)row->start_s : 0);
  gmtime_r(&at, &t);
  strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &t);
  return text;
}

/* Parameters of the whole model where its shape is known, else of the layers. */
static int64_t parameters(const tern_bench *b, const char *model) {
  tern_shape s;
  tern_error ignored;
  if (tern_shape_find(tern_results_shape(&b->results, model), &s, &ignored) == 0)
    return (int64_t)(tern_shape_body_weights(&s) + (s.tied ? 1.0 : 2.0) * s.vocab * s.hidden);
  const json_t *engines = tern_manifest_at(b->results.manifest, "engines");
  for (size_t i = 0; i < json_array_size(engines); i++) {
    const json_t *engine = json_array_get(engines, i);
    const char *name = json_string_value(json_object_get(engine, "model"));
    double weights = tern_manifest_number(engine, "body_weights");
    if (name && strcmp(name, model) == 0 && weights > 0) return (int64_t)weights;
  }
  return 0;
}

static int64_t size_of(const tern_bench_row *row) {
  int64_t sum = 0;
  const tern_sample *s = row->samples;
  const int64_t parts[] = {s ? s->body_bytes : 0, s ? s->head_bytes : 0, s ? s->embedding_bytes : 0};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) sum += parts[i] > 0 ? parts[i] : 0;
  return sum;
}

static void take_samples(llama *l, const tern_bench_row *row, double *room) {
  l->samples = row->sample_count;
  l->samples_ns = room;
  l->samples_ts = room + row->sample_count;
  for (size_t i = 0; i < row->sample_count; i++) {
    l->samples_ns[i] = round(row->samples[i].seconds * 1e9);
    l->samples_ts[i] = (double)row->samples[i].tokens / row->samples[i].seconds;
  }
  l->avg_ns = (int64_t)mean(l->samples_ns, l->samples);
  l->stddev_ns = (int64_t)deviation(l->samples_ns, l->samples);
  l->avg_ts = mean(l->samples_ts, l->samples);
  l->stddev_ts = deviation(l->samples_ts, l->samples);
}

static void take_row(llama *l, const tern_bench *b, const tern_bench_row *row, const char *cpu, const char *commit) {
  bool batch = row->batch != TERN_NO_COUNT && row->batch > 0;
  const char *kv = strcmp(row->kv, "int8") == 0 ? "q8_0" : *row->kv ? row->kv : "f16";
  *l = (llama){.build_commit = commit,
               .cpu_info = cpu,
               .gpu_info = "",
               .backends = "CPU",
               .model_filename = row->model,
               .cpu_mask = "0x0",
               .type_k = kv,
               .type_v = kv,
               .split_mode = "layer",
               .devices = "auto",
               .tensor_split = "0.00",
               .tensor_buft_overrides = "none",
               .load_mode = "auto",
               .model_size = size_of(row),
               .model_n_params = parameters(b, row->model),
               .n_batch = batch ? row->batch : BATCH,
               .n_ubatch = batch ? row->batch : UBATCH,
               .n_threads = row->threads,
               .poll = POLL,
               .n_gpu_layers = -1,
               .flash_attn = -1,
               .n_prompt = row->n_prompt,
               .n_gen = row->n_gen,
               .n_depth = row->n_depth};
  snprintf(l->type_text, sizeof l->type_text, "%.90s %.60s%s%.30s", row->model, row->engine, *row->kernel ? " " : "",
           row->kernel);
  l->model_type = l->type_text;
  l->test_time = time_of(b, row, l->time_text);
}

int tern_bench_llama(const tern_bench *b, tern_records_writer *write, FILE *to, tern_error *e) {
  char cpu[128], revision[64];
  llama *items = calloc(b->count + 1, sizeof *items);
  double *room = calloc(2 * b->sample_count + 1, sizeof *room), *next = room;
  if (!items || !room) {
    tern_fail(e, TERN_FAILED, "llama-bench output: out of memory");
    goto out;
  }
  tern_manifest_text(b->results.manifest, "machine.cpu|cpu", cpu, sizeof cpu);
  tern_manifest_text(b->results.manifest, "revision|git_revision", revision, sizeof revision);
  for (size_t i = 0; i < b->count; i++) {
    take_row(&items[i], b, &b->rows[i], cpu, *revision ? revision : "unknown");
    take_samples(&items[i], &b->rows[i], next);
    next += 2 * b->rows[i].sample_count;
  }
  tern_records records = {.table = "llama_bench",
                          .fields = fields,
                          .field_count = sizeof fields / sizeof *fields,
                          .lists = lists,
                          .list_count = sizeof lists / sizeof *lists,
                          .items = items,
                          .count = b->count,
                          .size = sizeof *items,
                          .complete = true};
  write(&records, to, e);
out:
  free(items);
  free(room);
  return (int)e->status;
}
