/* psys contains the packages and their DRAM, a package does not contain its
 * DRAM: one or the other, never both. On machines with several packages psys
 * is one register of one package; should more of them move, what they share is
 * not known, and the packages are taken. A domain that reads 0 for ever, as in
 * virtual machines, is not there. */
#include "harness/meter_rapl.h"

#include <stdio.h>
#include <string.h>

#include "harness/meter_poll.h"

/* Registers move about every millisecond, psys by whole joules on some servers. */
static const double WATCH_S = 0.3;

typedef struct group {
  const char *name;
  tern_domain domains[2];
  int domain_count;
  bool single; /* only where there is just one such channel */
} group;

static const group groups[] = {
    {"psys", {TERN_DOMAIN_PSYS}, 1, true},
    {"package+dram", {TERN_DOMAIN_PACKAGE, TERN_DOMAIN_DRAM}, 2, false},
    {"package", {TERN_DOMAIN_PACKAGE}, 1, false},
    {"core", {TERN_DOMAIN_CORE}, 1, false}, /* the last two only when named: parts of a package */
    {"dram", {TERN_DOMAIN_DRAM}, 1, false},
};
enum { GROUPS = sizeof groups / sizeof *groups, BY_RULE = 3 };

/* How many channels of the domain there are and move; why: of the first that does not. */
static int moving(const tern_source *s, tern_domain domain, int *all, const tern_channel **bad) {
  int n = 0;
  *all = 0;
  for (int i = 0; i < s->count; i++) {
    const tern_channel *c = &s->channels[i];
    if (c->domain != domain) continue;
    ++*all;
    if (c->moves && !c->why[0])
      n++;
    else if (!*bad)
      *bad = c;
  }
  return n;
}

static bool works(const tern_source *s, const group *g, const tern_channel **bad) {
  for (int d = 0; d < g->domain_count; d++) {
    int all, n = moving(s, g->domains[d], &all, bad);
    if (n == 0 || n != all || (g->single && n > 1)) return false;
  }
  return true;
}

static void count_group(tern_source *s, const group *g) {
  for (int i = 0; i < s->count; i++)
    for (int d = 0; d < g->domain_count; d++)
      if (s->channels[i].domain == g->domains[d]) s->channels[i].counted = true;
  snprintf(s->fact.scope, sizeof s->fact.scope, "%s", g->name);
}

static void refuse(tern_source *s, const tern_channel *bad) {
  if (!bad) {
    tern_source_refuse(s, "no %s domain under %s", s->argument[0] ? s->argument : "package or psys", s->root);
    return;
  }
  if (bad->why[0]) {
    s->fact.denied = bad->denied;
    tern_source_refuse(s, "%s: %s", bad->name, bad->why);
    return;
  }
  s->fact.remedy[0] = '\0';
  bool zero = bad->last.count == 0;
  tern_source_refuse(s, "%s: the counter does not move%s", bad->name, zero ? " from 0, as in virtual machines" : "");
}

bool tern_rapl_choose(tern_source *s) {
  const tern_channel *bad = NULL;
  bool known = false;
  tern_poll_watch(s, WATCH_S);
  for (int g = 0; g < GROUPS; g++) {
    bool named = strcmp(s->argument, groups[g].name) == 0;
    known = known || named;
    if (s->argument[0] ? !named : g >= BY_RULE) continue;
    if (!works(s, &groups[g], &bad)) continue;
    count_group(s, &groups[g]);
    s->fact.remedy[0] = '\0';
    return true;
  }
  if (s->argument[0] && !known) {
    tern_source_refuse(s, "no domain '%s': psys, package+dram, package, core or dram", s->argument);
    return false;
  }
  /* What is told is what keeps a package from being read, where there is one. */
  const tern_channel *package = NULL;
  int all;
  if (!s->argument[0] && moving(s, TERN_DOMAIN_PACKAGE, &all, &package) < all) bad = package;
  refuse(s, bad);
  return false;
}
