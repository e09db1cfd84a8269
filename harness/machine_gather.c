/* Gathering. What forks comes before PAPI is opened: PAPI does not survive it. */
#include <string.h>

#include "harness/machine_report.h"
#include "harness/peak.h"

/* Layouts whose best kernel's rate is told. */
static const char *const layouts[TERN_REPORT_KERNELS] = {"t2", "q8", "f32"};
/* Long enough to see a source of 100 ms move a few times. */
static const double WATCH_S = 0.5;

static bool any_usable(const tern_meters *m) {
  for (int i = 0; i < tern_meters_count(m); i++)
    if (tern_meters_fact(m, i)->usable) return true;
  return false;
}

int tern_machine_report_gather(tern_machine_report *r, const char *sysfs_root, tern_error *e) {
  memset(r, 0, sizeof *r);
  if (tern_machine_probe(&r->machine, e) || tern_topology_facts_probe(&r->shape, e) ||
      tern_limits_measure(&r->limits, &r->machine, e) || tern_likwid_compare(&r->likwid, &r->machine, e))
    return (int)e->status;
  for (int i = 0; i < TERN_REPORT_KERNELS; i++)
    if (tern_peak_measure(layouts[i], TERN_ISA_COUNT, &r->kernels[i].kernel, &r->kernels[i].gops, e))
      return (int)e->status;
  tern_meter_options options = TERN_METER_DEFAULTS;
  options.sysfs_root = sysfs_root;
  if (tern_meters_open(&r->meters, &options, e)) return (int)e->status;
  if (any_usable(r->meters)) tern_meters_watch(r->meters, WATCH_S);
  r->counters = tern_counters_open();
  if (!r->counters) return tern_fail(e, TERN_FAILED, "counters: out of memory");
  r->component_count = tern_papi_components(r->components, TERN_MOST_COMPONENTS);
  return 0;
}

void tern_machine_report_free(tern_machine_report *r) {
  tern_counters_close(r->counters);
  tern_meters_close(r->meters);
  tern_machine_free(&r->machine);
}
