/* Figures of kernels as text, CSV and JSON. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "harness/kernel_bench.h"

struct tern_bench_print {
  const tern_bench *bench;
  FILE *out;
  json_t *figures; /* JSON only */
};

static const char columns[] = "kernel,layout,isa,matrix,rows,cols,batch,threads,where,blocks,seconds,gbs,read_gbs,"
                              "of_read,of_read_low,of_read_high,gops,peak_gops,of_peak,of_peak_low,of_peak_high,"
                              "peak_instruction";

tern_bench_print *tern_bench_print_begin(const tern_bench *b, FILE *out) {
  tern_bench_print *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  *p = (tern_bench_print){.bench = b, .out = out};
  if (b->format == TERN_BENCH_JSON) p->figures = json_array();
  if (b->format == TERN_BENCH_CSV) {
    fputs(columns, out);
    for (int c = 0; b->counters && c < TERN_COUNTERS; c++) fprintf(out, ",%s", tern_counter_name((tern_counter)c));
    fputs(b->counters ? ",products\n" : "\n", out);
  }
  if (b->format == TERN_BENCH_TEXT)
    fprintf(out, "%s; shares of the read bandwidth and of the instruction peak of the same blocks\n", tern_cpu_name());
  return p;
}

static void csv_number(FILE *out, double x) {
  if (isfinite(x)) fprintf(out, "%.4f", x);
  fputc(',', out);
}

static void print_csv(const tern_bench_print *p, const tern_figure *f) {
  const tern_kernel *k = f->kernel;
  fprintf(p->out, "%s,%s,%s,%s,%d,%d,%d,%d,%s,%d,%.9f,", k->name, k->layout->name, tern_isa_name(k->isa),
          f->matrix->name, f->matrix->rows, f->matrix->cols, f->batch, f->threads, tern_place_name(f->place), f->blocks,
          f->seconds);
  const double numbers[] = {f->gbs,  f->read_gbs,  f->of_read.median, f->of_read.low, f->of_read.high,
                            f->gops, f->peak_gops, f->of_peak.median, f->of_peak.low, f->of_peak.high};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) csv_number(p->out, numbers[i]);
  fputs(f->instruction, p->out);
  for (int c = 0; p->bench->counters && c < TERN_COUNTERS; c++) {
    fputc(',', p->out);
    if (f->counters[c] >= 0) fprintf(p->out, "%lld", (long long)f->counters[c]);
  }
  if (p->bench->counters) fprintf(p->out, ",%zu", f->products);
  fputc('\n', p->out);
}

static json_t *real(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

static json_t *share(const tern_estimate *s) {
  return json_pack("{s:o, s:o, s:o}", "median", real(s->median), "low", real(s->low), "high", real(s->high));
}

static json_t *figure_json(const tern_bench_print *p, const tern_figure *f) {
  const tern_kernel *k = f->kernel;
  json_t *o = json_pack(
      "{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:f, s:f, s:f, s:o, s:f, s:o, s:o, s:s}", "kernel", k->name,
      "layout", k->layout->name, "isa", tern_isa_name(k->isa), "matrix", f->matrix->name, "rows", f->matrix->rows,
      "cols", f->matrix->cols, "batch", f->batch, "threads", f->threads, "where", tern_place_name(f->place), "blocks",
      f->blocks, "seconds", f->seconds, "gbs", f->gbs, "read_gbs", f->read_gbs, "of_read", share(&f->of_read), "gops",
      f->gops, "peak_gops", real(f->peak_gops), "of_peak", share(&f->of_peak), "peak_instruction", f->instruction);
  if (!p->bench->counters) return o;
  json_t *counters = json_object();
  for (int c = 0; c < TERN_COUNTERS; c++)
    json_object_set_new(counters, tern_counter_name((tern_counter)c),
                        f->counters[c] >= 0 ? json_integer(f->counters[c]) : json_null());
  json_object_set_new(o, "counters", counters);
  json_object_set_new(o, "products", json_integer((json_int_t)f->products));
  return o;
}

static void print_share(FILE *out, const tern_estimate *s) {
  if (s->bounded)
    fprintf(out, " (%3.0f %% [%.0f-%.0f])", 100 * s->median, 100 * s->low, 100 * s->high);
  else if (isfinite(s->median))
    fprintf(out, " (%3.0f %%)", 100 * s->median);
}

static void print_text(const tern_bench_print *p, const tern_figure *f) {
  fprintf(p->out, "%-16s %-18s %5d x %-5d batch %3d, %d threads, %-5s %9.1f us %7.2f GB/s", f->kernel->name,
          f->matrix->name, f->matrix->rows, f->matrix->cols, f->batch, f->threads, tern_place_name(f->place),
          f->seconds * 1e6, f->gbs);
  print_share(p->out, &f->of_read);
  fprintf(p->out, " %7.1f GOPS", f->gops);
  print_share(p->out, &f->of_peak);
  const double weights = (double)f->matrix->rows * f->matrix->cols * (double)f->products;
  if (p->bench->counters && f->counters[TERN_INSTRUCTIONS] >= 0)
    fprintf(p->out, " %.4f instructions a weight", (double)f->counters[TERN_INSTRUCTIONS] / weights);
  fputc('\n', p->out);
}

void tern_bench_print_figure(tern_bench_print *p, const tern_figure *f) {
  if (p->bench->format == TERN_BENCH_JSON)
    json_array_append_new(p->figures, figure_json(p, f));
  else if (p->bench->format == TERN_BENCH_CSV)
    print_csv(p, f);
  else
    print_text(p, f);
  fflush(p->out);
}

void tern_bench_print_end(tern_bench_print *p) {
  if (!p) return;
  if (p->figures) {
    json_t *root = json_pack("{s:s, s:O}", "cpu", tern_cpu_name(), "figures", p->figures);
    json_dumpf(root, p->out, JSON_INDENT(1));
    fputc('\n', p->out);
    json_decref(root);
    json_decref(p->figures);
  }
  free(p);
}
