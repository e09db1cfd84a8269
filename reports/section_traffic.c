/* The second energy model's table: one decoded token, by where it goes. */
#include "reports/energy_traffic.h"

static const tern_column columns[] = {{"Weights", false}, {"Node", false},   {"Arithmetic, mJ", true},
                                      {"L1", true},       {"L2", true},      {"L3", true},
                                      {"DRAM", true},     {"Sum, mJ", true}, {"How", false}};

/* What a core of a present server has; a run's own caches differ little here,
 * since no model but the smallest fits into any of them. */
static const double CACHES[TERN_LEVEL_DRAM] = {32e3, 1e6, 32e6};
enum { DEPTH = 512 };

static void put_row(tern_doc *d, const tern_energy_case *c, const tern_energy_node *node) {
  tern_energy_split e = tern_energy_traffic(c, node);
  tern_doc_cell(d, TERN_PLAIN, "%s", c->format->name);
  tern_doc_cell(d, TERN_PLAIN, "%s", node->name);
  tern_doc_cell(d, TERN_PLAIN, "%.2f", e.arithmetic * 1e3);
  for (int level = 0; level < TERN_LEVELS; level++) tern_doc_cell(d, TERN_PLAIN, "%.2f", e.traffic[level] * 1e3);
  tern_doc_cell(d, TERN_PLAIN, "%.2f", e.total * 1e3);
  tern_doc_cell(d, TERN_QUIET, "modelled");
}

static int shape_of(const tern_results *r, tern_shape *shape, tern_error *e) {
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0; i++) {
    tern_error ignored = {0};
    if (tern_shape_find(tern_results_shape(r, r->summary[i].model), shape, &ignored) == 0) return 0;
  }
  return tern_shape_find("2B4T", shape, e);
}

void tern_section_traffic(tern_doc *d, const tern_results *r) {
  tern_shape shape;
  tern_error ignored = {0};
  size_t formats, nodes;
  const tern_energy_format *format = tern_energy_formats(&formats);
  const tern_energy_node *node = tern_energy_nodes(&nodes);
  if (shape_of(r, &shape, &ignored)) return;
  tern_doc_table(d, "Modelled energy of one decoded token with memory traffic per level; nobody measured it", columns,
                 sizeof columns / sizeof *columns, false);
  for (size_t f = 0; f < formats; f++)
    for (size_t n = 0; n < nodes; n++) {
      tern_energy_case c = {.shape = &shape, .format = &format[f], .tokens = 1, .depth = DEPTH};
      for (int level = 0; level < TERN_LEVEL_DRAM; level++) c.cache[level] = CACHES[level];
      put_row(d, &c, &node[n]);
    }
  tern_doc_text(d,
                "Shape %s, after %d tokens, f16 head and KV cache in every row. Operations and 64-bit accesses cost "
                "what Horowitz (ISSCC 2014, 45 nm) and Jouppi et al. (ISCA 2021, 7 nm) give; every byte passes each "
                "level once, L3 is charged as 1 MB of SRAM, idle power is left out: a lower bound. The published "
                "column counts the arithmetic alone.",
                shape.name, DEPTH);
}
