/* When a model's blocks end, what is said about it, and where an interrupted
 * run goes on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/measure_parts.h"

/* The first contender stands against all others; alone, a contender is known
 * by its median. */
static bool alone(const tern_bench_session *s) {
  return tern_seats_open(s) == 1 || !s->seats[0].open;
}

static bool is_rated(const tern_bench_session *s, int team, int load, int seat) {
  if (!s->seats[seat].open || s->team_out[team] || (seat == 0 && !alone(s))) return false;
  return s->cells[tern_cell_index(s, team, load, seat)].possible &&
         (alone(s) || s->cells[tern_cell_index(s, team, load, 0)].possible);
}

static tern_ratio rate(const tern_bench_session *s, int team, int load, int seat, double level) {
  int cell = tern_cell_index(s, team, load, seat), reference = tern_cell_index(s, team, load, 0);
  return alone(s) ? tern_times_median(&s->times, cell) : tern_times_ratio(&s->times, cell, reference, level);
}

/* Calls `take` for every cell that the rule looks at. */
static void each_rated(const tern_bench_session *s, void (*take)(void *, int, int, int), void *arg) {
  for (int t = 0; t < s->m->teams->count; t++)
    for (int w = 0; w < s->loads->count; w++)
      for (int i = 0; i < s->count; i++)
        if (is_rated(s, t, w, i)) take(arg, t, w, i);
}

typedef struct gathering {
  const tern_bench_session *s;
  tern_ratio *ratios;
  int count;
} gathering;

static void gather(void *arg, int team, int load, int seat) {
  gathering *g = arg;
  g->ratios[g->count++] = rate(g->s, team, load, seat, TERN_RATIO_LOOK_LEVEL);
}

tern_stop tern_session_stop(const tern_bench_session *s) {
  const tern_measure *m = s->m;
  const tern_job_rule *rule = &m->job->rule;
  double mean = s->taken > 0 ? s->taken_s / s->taken : tern_block_cost(s), spent = mean * s->block;
  tern_stop_rule stop = {.precision = rule->precision,
                         .least = TERN_RATIO_FIRST_LOOK,
                         .most = rule->blocks,
                         .budget_s = m->deadline > 0 ? spent + (m->deadline - tern_now()) : 0};
  if (m->deadline > 0 && stop.budget_s <= 0) stop.budget_s = 1e-9; /* over already */
  gathering g = {.s = s, .ratios = calloc((size_t)tern_cell_count(s), sizeof *g.ratios)};
  if (g.ratios && rule->precision > 0) each_rated(s, gather, &g);
  tern_stop why = tern_stop_decide(&stop, g.ratios, g.count, s->block, spent);
  free(g.ratios);
  return why;
}

typedef struct books {
  const tern_bench_session *s;
  json_t *cells;
  json_t *half_widths; /* the widest of each contender's */
} books;

static void note_width(books *b, const char *name, const char *against, double half) {
  char key[2 * TERN_CONTENDER_NAME];
  if (!isfinite(half)) return;
  snprintf(key, sizeof key, "%s%s%s", against, against[0] ? "/" : "", name);
  if (half > json_number_value(json_object_get(b->half_widths, key)))
    json_object_set_new(b->half_widths, key, json_real(half));
}

/* The harness checked against what is known: one engine under two names, or
 * slowed by a known share. */
static void note_check(const tern_bench_session *s, const tern_team_spec *on, const char *workload,
                       const tern_contender *copy, const tern_ratio *r) {
  double truth = 1 + copy->slowdown;
  bool holds = r->bounded && r->low <= truth && truth <= r->high;
  tern_record_add(s->m->record, "checks",
                  json_pack("{s:s, s:s, s:s, s:i, s:s, s:f, s:f, s:o, s:o, s:b}", "model", s->source->name, "contender",
                            copy->name, "workload", workload, "threads", on->threads, "placement", on->placement,
                            "truth", truth, "time_ratio", r->ratio, "low", r->bounded ? json_real(r->low) : json_null(),
                            "high", r->bounded ? json_real(r->high) : json_null(), "holds", holds));
  if (r->bounded)
    fprintf(stderr, "check: %s, %s, %d threads: %.4f times as long, [%.4f, %.4f] %s %g\n", copy->name, workload,
            on->threads, r->ratio, r->low, r->high, holds ? "holds" : "MISSES", truth);
  else
    fprintf(stderr, "check: %s, %s, %d threads: %d blocks are too few for an interval\n", copy->name, workload,
            on->threads, r->n);
}

static void note_cell(void *arg, int team, int load, int seat) {
  books *b = arg;
  const tern_bench_session *s = b->s;
  const tern_team_spec *on = &s->m->teams->items[team];
  const char *name = s->seats[seat].contender->name, *against = alone(s) ? "" : s->seats[0].contender->name;
  tern_ratio r = rate(s, team, load, seat, TERN_RATIO_LEVEL);
  double half = tern_ratio_half_width(&r);
  bool wanders = !alone(s) &&
                 tern_times_wander(&s->times, tern_cell_index(s, team, load, seat), tern_cell_index(s, team, load, 0));
  json_array_append_new(b->cells, json_pack("{s:s, s:s, s:s, s:i, s:s, s:i, s:o, s:o, s:b}", "contender", name,
                                            "reference", against, "workload", s->loads->items[load].name, "threads",
                                            on->threads, "placement", on->placement, "blocks", r.n, "time_ratio",
                                            isfinite(r.ratio) ? json_real(r.ratio) : json_null(), "half_width",
                                            isfinite(half) ? json_real(half) : json_null(), "wanders", wanders));
  note_width(b, name, against, half);
  const tern_contender_ask *ask = &s->m->job->sides;
  if ((ask->null || ask->inject > 0) && r.n > 0)
    note_check(s, on, s->loads->items[load].name, s->seats[seat].contender, &r);
  if (!wanders) return;
  char text[512];
  snprintf(text, sizeof text,
           "%s: %s to %s at %s with %d threads (%s) moved during the run: neighbouring blocks are alike, so its "
           "interval is too narrow",
           s->source->name, name, against, s->loads->items[load].name, on->threads, on->placement);
  tern_record_warn(s->m->record, text);
}

void tern_session_close_books(tern_bench_session *s, tern_stop why) {
  const tern_job_rule *rule = &s->m->job->rule;
  books b = {s, json_array(), json_object()};
  each_rated(s, note_cell, &b);
  json_t *warm = json_pack("{s:i, s:s}", "blocks", s->warm_blocks, "ended_by", s->warm_end);
  tern_record_stopped(s->m->record, json_pack("{s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "model", s->source->name,
                                              "by", tern_stop_name(why), "blocks", s->block, "repeated", s->repeated,
                                              "renewals", s->renewals, "precision",
                                              rule->precision > 0 ? json_real(rule->precision) : json_null(), "warm_up",
                                              warm, "half_widths", b.half_widths, "cells", b.cells));
  if (why != TERN_STOP_TIME) return;
  char text[192];
  snprintf(text, sizeof text, "%s: stopped after block %d of %d: the time budget is used up", s->source->name, s->block,
           rule->blocks);
  tern_record_warn(s->m->record, text);
  fprintf(stderr, "%s\n", text);
}

static int find_cell(const tern_bench_session *s, const tern_sample *r) {
  for (int t = 0; t < s->m->teams->count; t++) {
    const tern_team_spec *team = &s->m->teams->items[t];
    if (team->threads != r->threads || strcmp(team->placement, r->placement) != 0) continue;
    for (int w = 0; w < s->loads->count; w++)
      for (int i = 0; strcmp(s->loads->items[w].name, r->workload) == 0 && i < s->count; i++)
        if (strcmp(s->seats[i].contender->name, r->engine) == 0) return tern_cell_index(s, t, w, i);
  }
  return -1;
}

/* Every cell that can run has a row of the block's latest attempt. */
static bool is_whole(const tern_bench_session *s, int block, int attempt, bool *seen) {
  memset(seen, 0, (size_t)tern_cell_count(s) * sizeof *seen);
  for (size_t i = 0; i < s->m->earlier_count; i++) {
    const tern_sample *r = &s->m->earlier[i];
    int cell =
        r->block == block && r->attempt == attempt && strcmp(r->model, s->source->name) == 0 ? find_cell(s, r) : -1;
    if (cell >= 0) seen[cell] = true;
  }
  for (int i = 0; i < tern_cell_count(s); i++)
    if (s->cells[i].possible && !seen[i]) return false;
  return true;
}

static int restore_rows(tern_bench_session *s, int *last, int *attempt, tern_error *e) {
  int of_block = -1; /* whose attempt is at hand: rows are in the order of measurement */
  for (size_t i = 0; i < s->m->earlier_count; i++) {
    const tern_sample *r = &s->m->earlier[i];
    if (strcmp(r->model, s->source->name) != 0) continue;
    int tried = r->attempt > 0 ? (int)r->attempt : 0, block = (int)r->block, cell = find_cell(s, r);
    if (block < 0) {
      if (tried >= s->warm_attempt) s->warm_attempt = tried + 1;
      continue;
    }
    if (block != of_block || tried != *attempt) {
      s->repeated += tried > 0;
      tern_times_drop(&s->times, block);
    }
    of_block = *last = block;
    *attempt = tried;
    if (cell >= 0 && r->tokens > 0 && tern_times_put(&s->times, block, cell, r->seconds / (double)r->tokens, e))
      return (int)e->status;
  }
  return 0;
}

bool tern_session_restore(tern_bench_session *s, tern_error *e) {
  if (tern_record_has_stopped(s->m->record, s->source->name)) return true;
  int last = -1, attempt = 0;
  bool *seen = calloc((size_t)tern_cell_count(s) + 1, sizeof *seen);
  if (!seen) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", s->source->name);
    return false;
  }
  if (restore_rows(s, &last, &attempt, e) == 0 && last >= 0) {
    bool whole = is_whole(s, last, attempt, seen);
    s->block = whole ? last + 1 : last;
    s->attempt = whole ? 0 : attempt + 1;
  }
  free(seen);
  return false;
}
