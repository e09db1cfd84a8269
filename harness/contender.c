/* Contenders from lists of options. An option that an engine does not have
 * makes no second contender of it. */
#include "harness/contender.h"

#include <stdio.h>
#include <string.h>

int tern_kv_parse(const char *name) {
  for (int i = 0; i < TERN_KV_TYPES; i++)
    if (strcmp(tern_kv_names[i], name) == 0) return i;
  return -1;
}

/* Position in each list of options. */
typedef struct choice {
  int layout, isa, kv, head;
} choice;

static void append_option(tern_contender *c, const char *prefix, const char *value) {
  size_t used = strlen(c->name);
  snprintf(c->name + used, sizeof c->name - used, ":%s%s", prefix, value);
}

static tern_contender ours(const tern_contender_ask *ask, const char *engine, const choice *at) {
  tern_contender c = {.engine = engine, .isa_cap = TERN_ISA_COUNT, .kv = TERN_KV_F16};
  snprintf(c.name, sizeof c.name, "%s", engine);
  if (ask->layouts.count && strcmp(engine, "ternary") == 0) {
    const char *layout = ask->layouts.items[at->layout];
    c.layout = strcmp(layout, "auto") == 0 ? NULL : layout;
    if (ask->layouts.count > 1 && c.layout) append_option(&c, "", layout);
  }
  if (ask->isas.count) {
    c.isa_cap = (tern_isa)tern_isa_parse(ask->isas.items[at->isa]);
    if (ask->isas.count > 1) append_option(&c, "", ask->isas.items[at->isa]);
  }
  if (ask->kvs.count) {
    c.kv = (tern_kv_type)tern_kv_parse(ask->kvs.items[at->kv]);
    if (ask->kvs.count > 1) append_option(&c, "kv-", ask->kvs.items[at->kv]);
  }
  if (ask->heads.count) {
    c.exact_head = strcmp(ask->heads.items[at->head], "exact") == 0;
    if (ask->heads.count > 1 && c.exact_head) append_option(&c, "", "exact");
  }
  return c;
}

static int add(tern_contender_list *l, const tern_contender *c, tern_error *e) {
  for (int i = 0; i < l->count; i++)
    if (strcmp(l->items[i].name, c->name) == 0) return 0;
  if (l->count == TERN_MOST_CONTENDERS)
    return tern_fail(e, TERN_USAGE, "more than %d contenders; ask for fewer engines or options", TERN_MOST_CONTENDERS);
  l->items[l->count++] = *c;
  return 0;
}

static int at_least_one(int count) {
  return count > 0 ? count : 1;
}

static int add_engine(tern_contender_list *l, const tern_contender_ask *ask, const char *engine, tern_error *e) {
  choice at;
  for (at.layout = 0; at.layout < at_least_one(ask->layouts.count); at.layout++)
    for (at.isa = 0; at.isa < at_least_one(ask->isas.count); at.isa++)
      for (at.kv = 0; at.kv < at_least_one(ask->kvs.count); at.kv++)
        for (at.head = 0; at.head < at_least_one(ask->heads.count); at.head++) {
          tern_contender c = ours(ask, engine, &at);
          if (add(l, &c, e)) return (int)e->status;
        }
  return 0;
}

/* The copy that checks the harness: the same thing under another name. */
static int add_copy(tern_contender_list *l, const tern_contender_ask *ask, tern_error *e) {
  l->count = 1;
  tern_contender copy = l->items[0];
  if (copy.peer) return tern_fail(e, TERN_USAGE, "--null and --inject need an engine of this program");
  copy.slowdown = ask->inject;
  if (ask->inject > 0) {
    char share[24];
    snprintf(share, sizeof share, "%g", 100 * ask->inject);
    append_option(&copy, "slow-", share);
  } else {
    append_option(&copy, "", "again");
  }
  return add(l, &copy, e);
}

int tern_contenders_make(tern_contender_list *out, const tern_contender_ask *ask, tern_error *e) {
  out->count = 0;
  for (int i = 0; i < ask->engines.count; i++)
    if (add_engine(out, ask, ask->engines.items[i], e)) return (int)e->status;
  for (int i = 0; i < ask->peer_count; i++) {
    tern_contender c = {.peer = &ask->peers[i], .isa_cap = TERN_ISA_COUNT};
    snprintf(c.name, sizeof c.name, "peer:%s", ask->peers[i].name);
    if (add(out, &c, e)) return (int)e->status;
  }
  if (out->count == 0) return tern_fail(e, TERN_USAGE, "nothing to measure: name --engines or --peer");
  return ask->null || ask->inject > 0 ? add_copy(out, ask, e) : 0;
}
