/* What a careful reader finds in the published figures, computed from the
 * tables wherever a computation can show it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/csv_read.h"
#include "reports/energy_model.h"
#include "reports/format.h"
#include "reports/sections.h"

enum { TABLES = 5 };
static const char *const names[TABLES] = {"arxiv_2410_16144_bitnet_cpp_speed_energy.csv",
                                          "arxiv_2502_11880_bitnet_cpp_kernels.csv", "arxiv_2504_12285_bitnet_2b4t.csv",
                                          "independent_energy_measurements.csv",
                                          "microsoft_bitnet_2026_01_cpu_optimisation.csv"};
typedef enum { SPEED, KERNELS, MODEL, RAPL, NEWER } which;
typedef tern_table *const *tables;

#define FIND(t, ...) tern_table_find(t, 0, (const char *const[]){__VA_ARGS__, NULL})
#define VALUE(t, ...) tern_table_value(t, FIND(t, __VA_ARGS__), "value")

static void energy(tern_doc *d, tables t) {
  size_t count;
  double worst = 0;
  const tern_energy_row *rows = tern_energy_rows(&count);
  for (size_t i = 0; i < count; i++) {
    tern_shape s;
    tern_error ignored;
    if (tern_shape_find(rows[i].shape, &s, &ignored)) continue;
    double value = VALUE(t[MODEL], "model", rows[i].printed, "metric", "Energy (estimated)");
    worst = fmax(worst, fabs(tern_energy_model(&s, rows[i].ternary) - value));
  }
  double modelled = VALUE(t[MODEL], "model", "Qwen2.5 1.5B", "metric", "Energy (estimated)") /
                    VALUE(t[MODEL], "model", "BitNet b1.58 2B4T", "metric", "Energy (estimated)");
  tern_doc_item(
      d,
      "The energy column of arXiv 2504.12285 is modelled: all %zu values follow from the shapes within %.4f J. It "
      "implies %.1f times between Qwen2.5 1.5B and 2B4T; an independent reading of package energy (i7-14700KF) "
      "found %.2f times (there with 8-bit weights on the other side). A measured pair with an interval has not "
      "been published.",
      count, worst, modelled, VALUE(t[RAPL], "metric", "energy ratio"));
}

static void memory(tern_doc *d, tables t) {
  tern_shape s;
  tern_error ignored;
  double bytes = VALUE(t[MODEL], "model", "BitNet b1.58 2B4T", "metric", "Memory (non-embedding)") * 1e9;
  if (tern_shape_find("2B4T", &s, &ignored)) return;
  double weights = tern_shape_body_weights(&s);
  tern_doc_item(d,
                "0.4 GB of non-embedding memory needs %.2f bits a weight (%.2f G weights); I2_S stores 2, which is %s.",
                bytes * 8 / weights, weights / 1e9, tern_format_bytes(weights / 4).text);
}

/* Mean of the printed benchmark rows of a model, in percent; *n counts them. */
static double benchmark_mean(const tern_table *t, const char *model, int *n) {
  static const char *const not_benchmarks[] = {"Memory (non-embedding)", "Latency (CPU TPOT)", "Energy (estimated)",
                                               "Training tokens (pre-training)", "Average"};
  const char *const pairs[] = {"source", "arXiv:2504.12285v1 Table 1", "model", model, NULL};
  double sum = 0;
  *n = 0;
  for (int row = tern_table_find(t, 0, pairs); row >= 0; row = tern_table_find(t, row + 1, pairs)) {
    bool benchmark = true;
    for (size_t i = 0; i < sizeof not_benchmarks / sizeof *not_benchmarks; i++)
      benchmark = benchmark && strcmp(tern_table_get(t, row, "metric"), not_benchmarks[i]) != 0;
    if (!benchmark) continue;
    sum += tern_table_value(t, row, "value");
    ++*n;
  }
  return *n ? sum / *n : NAN;
}

static void averages(tern_doc *d, tables t) {
  char line[400] = "";
  size_t count, used = 0;
  int differ = 0, n = 0;
  const tern_energy_row *rows = tern_energy_rows(&count);
  for (size_t i = 0; i < count; i++) {
    double mean = benchmark_mean(t[MODEL], rows[i].printed, &n);
    double value = VALUE(t[MODEL], "model", rows[i].printed, "metric", "Average");
    if (!(fabs(mean - value) > 0.0051)) continue;
    used += (size_t)snprintf(line + used, sizeof line - used, "%s%s %.2f printed, %.2f computed", used ? "; " : "",
                             rows[i].printed, value, mean);
    differ++;
  }
  tern_doc_item(d,
                "Printed averages of %d of the %zu models in arXiv 2504.12285 are not the mean of their %d rows: %s.",
                differ, count, n, line);
}

/* Largest value of a metric on one CPU. */
static double largest(const tern_table *t, const char *cpu, const char *metric, const char *engine) {
  const char *const pairs[] = {"cpu", cpu, "metric", metric, "engine", engine, NULL};
  double most = NAN;
  for (int row = tern_table_find(t, 0, pairs); row >= 0; row = tern_table_find(t, row + 1, pairs))
    most = fmax(most, tern_table_value(t, row, "value"));
  return most;
}

static void latency(tern_doc *d, tables t) {
  double ms = VALUE(t[MODEL], "model", "BitNet b1.58 2B4T", "metric", "Latency (CPU TPOT)");
  tern_doc_item(
      d,
      "%.0f ms a token (%.1f tokens/s, i7-13800H, 8 threads) conflicts with the project's own chart of January 2026 "
      "for that CPU, whose best is %.2f tokens/s before and %.2f after its newer kernels.",
      ms, 1e3 / ms, largest(t[NEWER], "Intel i7-13800H", "decode speed tg128", "bitnet.cpp I2_S original*"),
      largest(t[NEWER], "Intel i7-13800H", "decode speed tg128", "bitnet.cpp I2_S optimised*"));
}

#define SPEED_OF(cpu, model, engine, source)                                                                           \
  VALUE(t[SPEED], "source", source, "cpu", cpu, "model", "BitNet b1.58 dummy " model, "engine", engine)
#define TABLE4 "arXiv:2410.16144v2 Table 4"
#define TABLE6 "arXiv:2410.16144v2 Table 6"

static void hundred(tern_doc *d, tables t) {
  tern_doc_item(
      d,
      "100B at 5 to 7 tokens/s on one CPU holds for the M2 Ultra (%.2f); the i7-13700H reaches %.2f. The 100B are "
      "parameters, not training tokens.",
      SPEED_OF("Apple M2 Ultra", "100B", "bitnet.cpp*", TABLE4),
      SPEED_OF("Intel i7-13700H", "100B", "bitnet.cpp*", TABLE4));
}

static void larger_gain(tern_doc *d, tables t) {
  const char *const pairs[] = {"source", TABLE4, "cpu", "Apple M2 Ultra", "metric", "speedup", NULL};
  int sizes = 0, i7 = 0;
  for (int row = tern_table_find(t[SPEED], 0, pairs); row >= 0; row = tern_table_find(t[SPEED], row + 1, pairs)) {
    double m2 = tern_table_value(t[SPEED], row, "value");
    double other = VALUE(t[SPEED], "source", TABLE4, "cpu", "Intel i7-13700H", "metric", "speedup", "model",
                         tern_table_get(t[SPEED], row, "model"));
    if (isnan(m2) || isnan(other)) continue;
    sizes++;
    i7 += other > m2;
  }
  tern_doc_item(
      d,
      "The text of arXiv 2410.16144 says that the M2 gains more than the i7; in its Table 4 the i7 gains more at %d "
      "of %d sizes.",
      i7, sizes);
}

static void power(tern_doc *d, tables t) {
  double half =
      SPEED_OF("Intel i7-13700H", "7B", "llama.cpp*", TABLE4) * SPEED_OF("Intel i7-13700H", "7B", "llama.cpp*", TABLE6);
  double ternary = SPEED_OF("Intel i7-13700H", "7B", "bitnet.cpp*", TABLE4) *
                   SPEED_OF("Intel i7-13700H", "7B", "bitnet.cpp*", TABLE6);
  tern_doc_item(
      d,
      "arXiv 2410.16144 does not name its power instrument. Speed times joules a token gives %.1f W for llama.cpp and "
      "%.1f W for bitnet.cpp at 7B on the i7: the saving there is speed.",
      half, ternary);
}

static void maximum(tern_doc *d, tables t) {
  double most = 0;
  const char *const pairs[] = {
      "source", "arXiv:2502.11880v1 Table 7", "metric", "decode speed", "cpu", "Intel i7-13700H",
      "engine", "llama.cpp Float16*",         NULL};
  const char *size = "";
  for (int row = tern_table_find(t[KERNELS], 0, pairs); row >= 0; row = tern_table_find(t[KERNELS], row + 1, pairs)) {
    const char *model = tern_table_get(t[KERNELS], row, "model");
    const char *const same[] = {"metric", "decode speed", "cpu", "Intel i7-13700H", "model", model,
                                "engine", "bitnet.cpp*",  NULL};
    double base = tern_table_value(t[KERNELS], row, "value");
    for (int k = tern_table_find(t[KERNELS], 0, same); k >= 0; k = tern_table_find(t[KERNELS], k + 1, same)) {
      double ratio = tern_table_value(t[KERNELS], k, "value") / base;
      if (!(ratio > most)) continue;
      most = ratio;
      size = tern_table_get(t[KERNELS], k, "params");
    }
  }
  tern_doc_item(d, "The abstract of arXiv 2502.11880 says up to %.2f times; its Table 7 holds %.2f (%s, i7-13700H).",
                VALUE(t[KERNELS], "metric", "max speedup"), most, size);
}

static void names_of_models(tern_doc *d, tables t) {
  tern_shape s;
  tern_error ignored;
  (void)t;
  tern_doc_item(
      d, "The README of bitnet.cpp credits 6.17 and 5.07 times, 82.2 and 70.0 %% to the 2B4T model; the figures come "
         "from dummy models of 13B, 70B, 7B and 70B.");
  if (tern_shape_find("2.7B", &s, &ignored) == 0)
    tern_doc_item(
        d,
        "The dummy-model script has a 2.7B model (hidden %d) where the paper's table has 2.5B (hidden 2560), and "
        "no 700M.",
        s.hidden);
}

int tern_section_findings(tern_doc *d, tern_error *e) {
  static void (*const findings[])(tern_doc *, tables) = {energy, memory,      averages, latency,        hundred,
                                                         power,  larger_gain, maximum,  names_of_models};
  tern_table *t[TABLES] = {NULL};
  int status = 0;
  for (int i = 0; !status && i < TABLES; i++) status = tern_table_published(&t[i], names[i], e);
  tern_doc_heading(d, 2, "findings", "What a careful reader finds in the published figures");
  for (size_t i = 0; !status && i < sizeof findings / sizeof *findings; i++) findings[i](d, t);
  for (int i = 0; i < TABLES; i++) tern_table_free(t[i]);
  return status;
}
