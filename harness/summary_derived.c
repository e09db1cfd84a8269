/* The formulas of summary_derived.h. */
#include "harness/summary_derived.h"

#include <math.h>
#include <string.h>

#include "reports/manifest.h"

/* Every engine runs the same graph: any entry of the model tells its weights. */
static double weights_of(const json_t *manifest, const char *model) {
  const json_t *engines = tern_manifest_at(manifest, "engines");
  for (size_t i = 0; i < json_array_size(engines); i++) {
    const json_t *engine = json_array_get(engines, i);
    const char *name = json_string_value(json_object_get(engine, "model"));
    double weights = tern_manifest_number(engine, "body_weights");
    if (name && strcmp(name, model) == 0 && weights > 0) return weights;
  }
  return NAN;
}

/* NAN when it did not count. */
static double count(const tern_sample *r, tern_counter c) {
  return r->counters[c] == TERN_NO_COUNT ? NAN : (double)r->counters[c];
}

/* Peak of a team with a kernel: the kernel's own where the folder has it, else
 * that of the instruction it is made of (int8 dot products; f16 is computed as
 * f32). All cores together may run slower than one alone. */
static double peak_of(const json_t *manifest, const char *kernel, int64_t threads) {
  const json_t *own = kernel[0] ? json_object_get(tern_manifest_at(manifest, "limits.gops"), kernel) : NULL;
  const json_t *peaks = tern_manifest_at(manifest, "limits.peaks");
  const char *wanted = "int8 dot product";
  if (kernel[0] == 'f') wanted = "f32 fused multiply-add";
  if (strncmp(kernel, "bf16", 4) == 0) wanted = "bf16 dot product";
  if (json_is_number(own)) return json_number_value(own) * (double)threads;
  for (size_t i = 0; kernel[0] && i < json_array_size(peaks); i++) {
    const json_t *peak = json_array_get(peaks, i);
    const char *what = json_string_value(json_object_get(peak, "what"));
    if (!what || strcmp(what, wanted) != 0) continue;
    if ((double)threads == tern_manifest_number(manifest, "limits.cores"))
      return tern_manifest_number(peak, "gops_all_cores");
    return tern_manifest_number(peak, "gops_one_core") * (double)threads;
  }
  return NAN;
}

tern_derived tern_derived_of(const json_t *manifest, const tern_cell_rows *cell) {
  const tern_sample *first = cell->rows;
  tern_derived d = {.weights = weights_of(manifest, first->model),
                    .peak_gops = peak_of(manifest, first->kernel, first->threads),
                    .peer = strncmp(first->engine, "peer:", 5) == 0,
                    .read_gbs = tern_manifest_number(manifest, "limits.read_gbs|limits.read_best.gbs"),
                    .grid_co2 = tern_manifest_number(manifest, "grid_co2_g_per_kwh")};
  for (size_t i = 0; i < cell->count; i++) d.counted |= !d.peer && isfinite(count(&cell->rows[i], TERN_MEMORY_BYTES));
  return d;
}

double tern_derived_ipc(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return count(r, TERN_INSTRUCTIONS) / count(r, TERN_CYCLES);
}

double tern_derived_gops(const tern_derived *d, const tern_sample *r) {
  return 2 * d->weights * (double)r->tokens / r->seconds / 1e9;
}

double tern_derived_bytes(const tern_derived *d, const tern_sample *r) {
  if (d->counted) return count(r, TERN_MEMORY_BYTES) / (double)r->tokens;
  bool sized = strcmp(r->phase, "decode") == 0 && r->bytes_per_token != TERN_NO_COUNT;
  return sized ? (double)r->bytes_per_token : NAN;
}

double tern_derived_intensity(const tern_derived *d, const tern_sample *r) {
  return 2 * d->weights / tern_derived_bytes(d, r);
}

double tern_derived_roofline(const tern_derived *d, const tern_sample *r) {
  double gbs = r->read_gbs > 0 ? r->read_gbs : d->read_gbs;
  double roof = tern_derived_intensity(d, r) * gbs;
  if (!isfinite(roof) || isnan(d->peak_gops)) return NAN;
  return tern_derived_gops(d, r) / fmin(d->peak_gops, roof);
}
