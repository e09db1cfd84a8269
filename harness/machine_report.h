/* `ternmark machine`: everything about this machine in one object, gathered
 * once, printed as text or JSON. */
#ifndef TERN_HARNESS_MACHINE_REPORT_H
#define TERN_HARNESS_MACHINE_REPORT_H

#include <stdio.h>

#include "harness/counters.h"
#include "harness/energy.h"
#include "harness/likwid.h"
#include "harness/limits.h"
#include "harness/papi_components.h"
#include "harness/topology_facts.h"
#include "kernels/kernel.h"

enum { TERN_MOST_COMPONENTS = 48, TERN_REPORT_KERNELS = 3 };

typedef struct tern_machine_report {
  tern_machine machine;
  tern_topology_facts shape;
  tern_papi_component components[TERN_MOST_COMPONENTS];
  int component_count;
  tern_counters *counters;
  tern_meters *meters;
  tern_limits limits;
  tern_likwid likwid;
  struct {
    const tern_kernel *kernel;
    double gops; /* one core, operands in cache */
  } kernels[TERN_REPORT_KERNELS];
} tern_machine_report;

/* sysfs_root: of the energy sources; NULL: "/sys". Some seconds. */
int tern_machine_report_gather(tern_machine_report *r, const char *sysfs_root, tern_error *e);
void tern_machine_report_free(tern_machine_report *r);

void tern_machine_report_text(FILE *to, const tern_machine_report *r);
/* The facts of tern_machine_json, and the rest beside them. */
json_t *tern_machine_report_json(const tern_machine_report *r);

/* One line of what can or can't be shown here: "yes", "no" or "note". */
typedef struct tern_outlook {
  const char *verdict;
  char text[640];
} tern_outlook;
enum { TERN_MOST_OUTLOOKS = 16 };
int tern_machine_outlook(const tern_machine_report *r, tern_outlook *list);

#endif
