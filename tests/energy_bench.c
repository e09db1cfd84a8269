/* The run on the fake machine. */
#include "energy_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void bench_open(bench *b) {
  memset(b, 0, sizeof *b);
  fixture_open(&b->f);
  b->busy = 100;
  b->idle = 40;
  b->seconds = 0.5;
  b->look = 0.5;
  b->fault_at = -1;
  b->package = fixture_zone(&b->f, "intel-rapl:0", "package-0", b->idle, 5, 65712999613.0);
  b->o.meters = fixture_options(&b->f);
}

void bench_begin(bench *b) {
  tern_error e = {0};
  if (tern_energy_begin_run(&b->run, &b->o, &e)) fail_msg("%s", e.text);
}

void bench_close(bench *b) {
  tern_energy_end_run(b->run);
  fixture_close(&b->f);
}

/* Time passes with looks, as the sampling thread would make them. */
static void spend(bench *b, double seconds, double watts) {
  if (b->package) b->package->watts = watts;
  for (double left = seconds; left > 1e-9; left -= b->look) {
    fixture_pass(&b->f, fmin(left, b->look));
    tern_meters_sample((tern_meters *)tern_energy_meters(b->run));
  }
  if (b->package) b->package->watts = b->idle;
}

static int work(void *arg, long number, double *seconds, tern_error *e) {
  bench *b = arg;
  (void)number, (void)e;
  if (b->works++ == b->fault_at) b->fault(b);
  spend(b, b->seconds, b->busy);
  *seconds = b->seconds;
  if (b->between > 0) spend(b, b->between, b->idle);
  return 0;
}

tern_energy_share bench_call(bench *b) {
  tern_energy_share s;
  tern_error e = {0};
  if (tern_energy_call(b->run, work, b, &s, &e)) fail_msg("%s", e.text);
  return s;
}

void bench_rest(bench *b, bool last) {
  tern_error e = {0};
  if (tern_energy_rest(b->run, last, &e)) fail_msg("%s", e.text);
}

void assert_share(const tern_energy_share *s, double joules, double net) {
  if (s->how == TERN_UNAVAILABLE) fail_msg("unavailable: %s", s->why);
  assert_near(s->joules, joules, 1e-4);
  assert_near(s->joules, s->watts * s->seconds, 1e-9);
  if (isnan(net))
    assert_true(isnan(s->net));
  else
    assert_near(s->net, net, 1e-4);
}

void assert_no_share(const tern_energy_share *s, const char *reason) {
  if (s->how != TERN_UNAVAILABLE) fail_msg("%g J were read, not: %s", s->joules, reason);
  assert_true(isnan(s->joules) && isnan(s->net) && isnan(s->watts));
  if (!strstr(s->why, reason)) fail_msg("'%s' does not say '%s'", s->why, reason);
}
