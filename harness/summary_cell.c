/* Rows of one cell. Each metric is one row of a table: a value a sample gives
 * or does not give (NAN), whose median over the blocks is the figure. */
#include <math.h>
#include <string.h>

#include "harness/summary_derived.h"
#include "harness/summary_parts.h"

typedef enum how { MEASURED, COMPUTED, BYTES, ENERGY } how;

static double a_token(const tern_sample *r, double value) {
  return value / (double)r->tokens;
}
static bool decodes(const tern_sample *r) {
  return strcmp(r->phase, "decode") == 0;
}

static double speed(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return (double)r->tokens / r->seconds;
}
static double latency(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return decodes(r) ? 1e3 * a_token(r, r->seconds) : NAN;
}
static double ttft(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return 1e3 * r->ttft_s;
}
static double p50(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return 1e3 * r->token_p50_s;
}
static double p90(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return 1e3 * r->token_p90_s;
}
static double p99(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return 1e3 * r->token_p99_s;
}
static double bandwidth_share(const tern_derived *d, const tern_sample *r) {
  if (!decodes(r) || r->bytes_per_token == TERN_NO_COUNT || !(r->read_gbs > 0)) return NAN;
  return (double)r->bytes_per_token * speed(d, r) / (r->read_gbs * 1e9);
}
static double energy(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return a_token(r, r->joules);
}
static double energy_net(const tern_derived *d, const tern_sample *r) {
  (void)d;
  return a_token(r, r->joules_net);
}
static double energy_delay(const tern_derived *d, const tern_sample *r) {
  return energy(d, r) * a_token(r, r->seconds);
}
/* 1 kWh is 3.6 MJ. */
static double co2(const tern_derived *d, const tern_sample *r) {
  return energy(d, r) / 3.6e6 * d->grid_co2 * 1e3;
}
static double task_clock(const tern_derived *d, const tern_sample *r) {
  return d->peer || r->counters[TERN_TASK_CLOCK] == TERN_NO_COUNT
             ? NAN
             : 1e-6 * a_token(r, (double)r->counters[TERN_TASK_CLOCK]);
}
static const struct {
  const char *metric, *unit;
  double (*value)(const tern_derived *, const tern_sample *);
  how how;
  const char *note;
} metrics[] = {
    {"speed", "tokens/s", speed, MEASURED, ""},
    {"latency", "ms/token", latency, MEASURED, ""},
    {"ttft", "ms", ttft, MEASURED, ""},
    {"token_p50", "ms", p50, MEASURED, ""},
    {"token_p90", "ms", p90, MEASURED, ""},
    {"token_p99", "ms", p99, MEASURED, ""},
    {"bandwidth_share", "1", bandwidth_share, MEASURED, ""},
    {"energy", "J/token", energy, ENERGY, ""},
    {"energy_net", "J/token", energy_net, ENERGY, ""},
    {"energy_delay", "J*s/token", energy_delay, ENERGY, ""},
    {"co2", "mg/token", co2, ENERGY, ""},
    {"ipc", "1", tern_derived_ipc, MEASURED, "instructions a cycle"},
    {"task_clock", "ms/token", task_clock, MEASURED, "CPU time of all threads"},
    {"gops", "1e9/s", tern_derived_gops, COMPUTED, "2 x weights of the layers a token, over the time"},
    {"bytes_a_token", "bytes", tern_derived_bytes, BYTES, ""},
    {"intensity", "1/byte", tern_derived_intensity, BYTES, ""},
    {"roofline", "1", tern_derived_roofline, BYTES, ""},
};

/* Counts a token of what the processor counted. */
static const tern_counter counted[] = {
    TERN_CYCLES,   TERN_INSTRUCTIONS,  TERN_L1D_MISSES,       TERN_L2_MISSES,       TERN_CACHE_MISSES,
    TERN_BRANCHES, TERN_BRANCH_MISSES, TERN_STALLED_FRONTEND, TERN_STALLED_BACKEND, TERN_VECTOR_OPS};

/* What a cell's energy is of: the words of its samples. */
typedef struct energy_words {
  bool modelled;
  const char *scope, *why, *no_net;
} energy_words;

static energy_words words_of(const tern_cell_rows *cell) {
  energy_words w = {false, "", "", ""};
  for (size_t i = 0; i < cell->count; i++) {
    const tern_sample *r = &cell->rows[i];
    if (tern_summary_counts(r) && strcmp(r->joules_how, "modelled") == 0) w.modelled = true;
    if (tern_summary_counts(r) && r->joules_scope[0]) w.scope = r->joules_scope;
    if (!w.why[0]) w.why = r->joules_why;
    if (!w.no_net[0]) w.no_net = r->joules_note;
  }
  return w;
}

/* Energy is the one figure whose absence has a row of its own: why there is none. */
static bool explain_energy(const energy_words *w, double (*value)(const tern_derived *, const tern_sample *), int n,
                           int gross, tern_subject *about) {
  about->how = n == 0 ? "unavailable" : w->modelled ? "modelled" : "measured";
  about->note = n ? w->scope : value == energy ? w->why : w->no_net;
  if (n && value == energy_net && w->no_net[0]) about->note = w->no_net;
  return n > 0 || value == energy || (value == energy_net && gross > 0 && w->no_net[0]);
}

static int gather(const tern_summary *s, const tern_cell_rows *cell, const tern_derived *d,
                  double (*value)(const tern_derived *, const tern_sample *)) {
  int n = 0;
  for (size_t i = 0; i < cell->count; i++) {
    double v = tern_summary_counts(&cell->rows[i]) ? value(d, &cell->rows[i]) : NAN;
    if (isfinite(v)) s->values[n++] = v;
  }
  return n;
}

static void put_counters(const tern_summary *s, const tern_cell_rows *cell, tern_subject about) {
  about.unit = "1/token";
  about.how = "measured";
  about.note = "";
  for (size_t c = 0; c < sizeof counted / sizeof *counted; c++) {
    int n = 0;
    for (size_t i = 0; i < cell->count; i++) {
      const tern_sample *r = &cell->rows[i];
      if (tern_summary_counts(r) && r->counters[counted[c]] != TERN_NO_COUNT)
        s->values[n++] = a_token(r, (double)r->counters[counted[c]]);
    }
    if (n == 0) continue;
    tern_estimate found = tern_estimate_median(s->values, n);
    about.metric = tern_counter_name(counted[c]);
    tern_summary_put(s, &about, &found);
  }
}

/* Share of the samples that stand and were disturbed; older programs did not
 * look, and their folders have no attempts. */
static void put_disturbed(const tern_summary *s, const tern_cell_rows *cell, tern_subject about) {
  tern_estimate found = {.n = 0, .median = NAN, .low = NAN, .high = NAN, .coverage = NAN};
  char note[64];
  int disturbed = 0;
  for (size_t i = 0; i < cell->count; i++) {
    const tern_sample *r = &cell->rows[i];
    if (!tern_summary_counts(r) || r->attempt == TERN_NO_COUNT) continue;
    found.n++;
    disturbed += r->disturbed[0] != '\0';
  }
  if (found.n == 0) return;
  found.median = (double)disturbed / found.n;
  snprintf(note, sizeof note, "%d of %d samples that stand", disturbed, found.n);
  about.metric = "disturbed_share";
  about.unit = "1";
  about.how = "measured";
  about.note = note;
  tern_summary_put(s, &about, &found);
}

void tern_summary_cell(const tern_summary *s, const tern_cell_rows *cell) {
  const tern_sample *first = cell->rows;
  energy_words words = words_of(cell);
  tern_derived d = tern_derived_of(s->manifest, cell);
  tern_subject about = {.engine = first->engine,
                        .model = first->model,
                        .workload = first->workload,
                        .threads = first->threads,
                        .placement = tern_summary_placement(first)};
  int gross = gather(s, cell, &d, energy);
  for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
    int n = gather(s, cell, &d, metrics[m].value);
    about.metric = metrics[m].metric;
    about.unit = metrics[m].unit;
    about.note = metrics[m].note;
    about.how = metrics[m].how == COMPUTED ? "computed" : "measured";
    if (metrics[m].how == BYTES) {
      about.how = d.counted ? "measured" : "modelled";
      about.note =
          d.counted ? "bytes counted at the memory controllers, of the whole machine" : "bytes of weights, from sizes";
    }
    if (d.peer && metrics[m].value == tern_derived_ipc) about.note = "of the whole process, loading included";
    bool wanted = n > 0;
    if (metrics[m].how == ENERGY) wanted = explain_energy(&words, metrics[m].value, n, gross, &about);
    if (!wanted) continue;
    tern_estimate found = tern_estimate_median(s->values, n);
    tern_summary_put(s, &about, &found);
  }
  if (!d.peer) put_counters(s, cell, about);
  put_disturbed(s, cell, about);
}
