/* One run of a peer: asked, run, read, and held against the clock. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/peer.h"
#include "harness/peer_command.h"
#include "harness/peer_process.h"
#include "harness/peer_read.h"

/* No core loads more: three vectors of 64 bytes a cycle at 6.2 GHz. */
static const double core_bytes_s = 1.2e12;
/* A token reads at least this share of a model file: all but its embedding. */
static const double read_share = 0.25;
/* Clocks of two processes, rounding to two digits. */
static const double clock_slack = 1.01;

static int check_account(const tern_peer_spec *spec, const char *model, const tern_workload *load, int threads,
                         const tern_peer_result *r, tern_error *e) {
  if (r->seconds * r->repeats > r->wall_s * clock_slack)
    return tern_fail(e, TERN_FAILED, "peer %s: impossible: it told of %.6g s, but lived for %.6g s", spec->name,
                     r->seconds * r->repeats, r->wall_s);
  struct stat file;
  if (load->phase != TERN_PHASE_DECODE || stat(model, &file) != 0) return 0;
  double bytes_s = read_share * (double)file.st_size * load->tokens / r->seconds;
  if (bytes_s > core_bytes_s * threads)
    return tern_fail(e, TERN_FAILED, "peer %s: impossible: %.4g tokens/s, faster than %d cores can read the weights",
                     spec->name, load->tokens / r->seconds, threads);
  return 0;
}

int tern_peer_run(const tern_peer_spec *spec, const char *model, const tern_workload *load, int threads,
                  const int *cpus, double limit_s, tern_peer_result *out, tern_error *e) {
  memset(out, 0, sizeof *out);
  char why[160], *command = NULL;
  if (!tern_peer_can(spec, load, why, sizeof why)) return tern_fail(e, TERN_USAGE, "--peer %s: %s", spec->name, why);
  tern_peer_values ask = tern_peer_ask(load);
  ask.model = model;
  ask.threads = threads;
  ask.cpus = cpus;
  tern_peer_process process = {0};
  tern_peer_told told;
  int bad = tern_peer_expand(spec, &ask, &command, e);
  if (!bad) bad = tern_peer_process_run(&process, spec->name, command, cpus, threads, limit_s, e);
  tern_peer_request request = {ask.prompt, ask.gen, ask.depth, threads};
  if (!bad) bad = tern_peer_read(spec->name, process.out, process.err, &request, &told, e);
  if (bad) goto out;
  out->seconds = told.seconds;
  out->repeats = told.repeats;
  out->wall_s = process.wall_s;
  out->task_clock_ns = process.counters[TERN_TASK_CLOCK];
  out->page_faults = process.counters[TERN_PAGE_FAULTS];
  out->context_switches = process.counters[TERN_CONTEXT_SWITCHES];
  out->peak_rss = process.peak_rss;
  memcpy(out->counters, process.counters, sizeof out->counters);
  memcpy(out->reader, told.reader, sizeof out->reader);
  memcpy(out->version, told.version, sizeof out->version);
  bad = check_account(spec, model, load, threads, out, e);
out:
  tern_peer_process_free(&process);
  free(command);
  return bad;
}
