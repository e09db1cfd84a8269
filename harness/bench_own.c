/* Every figure of a row under its own name. */
#include "harness/bench_records.h"

#define TEXT(name)                                                                                                     \
  { #name, TERN_FIELD_TEXT, offsetof(tern_bench_row, name) }
#define WHOLE(name)                                                                                                    \
  { #name, TERN_FIELD_INTEGER, offsetof(tern_bench_row, name) }
#define REAL(name)                                                                                                     \
  { #name, TERN_FIELD_REAL, offsetof(tern_bench_row, name) }
#define FIGURE(column, name)                                                                                           \
  {column, TERN_FIELD_REAL, offsetof(tern_bench_row, name.median)},                                                    \
      {column "_low", TERN_FIELD_REAL, offsetof(tern_bench_row, name.low)}, {                                          \
    column "_high", TERN_FIELD_REAL, offsetof(tern_bench_row, name.high)                                               \
  }

static const tern_field fields[] = {
    TEXT(model),
    TEXT(engine),
    TEXT(workload),
    TEXT(phase),
    WHOLE(n_prompt),
    WHOLE(n_gen),
    WHOLE(n_depth),
    WHOLE(batch),
    WHOLE(threads),
    TEXT(placement),
    TEXT(kernel),
    TEXT(head),
    TEXT(kv),
    WHOLE(n),
    FIGURE("tokens_per_s", speed),
    TEXT(reference),
    FIGURE("times_reference", ratio),
    FIGURE("latency_ms", latency),
    FIGURE("ttft_ms", ttft),
    FIGURE("token_p50_ms", token_p50),
    FIGURE("token_p90_ms", token_p90),
    FIGURE("token_p99_ms", token_p99),
    FIGURE("bandwidth_share", bandwidth_share),
    FIGURE("joules_per_token", energy),
    FIGURE("net_joules_per_token", energy_net),
    FIGURE("energy_delay", energy_delay),
    TEXT(energy_how),
    TEXT(energy_scope),
    FIGURE("ipc", ipc),
    FIGURE("gops", gops),
    FIGURE("roofline", roofline),
    REAL(disturbed_share),
    REAL(body_bytes),
    REAL(peak_rss_bytes),
    TEXT(stopped),
};

int tern_bench_own(const tern_bench *b, tern_records_writer *write, FILE *to, tern_error *e) {
  tern_records records = {.table = "ternmark",
                          .fields = fields,
                          .field_count = sizeof fields / sizeof *fields,
                          .items = b->rows,
                          .count = b->count,
                          .size = sizeof *b->rows};
  return write(&records, to, e);
}
