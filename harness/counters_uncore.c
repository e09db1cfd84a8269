/* Memory controllers through PAPI: one event set a package, attached to the
 * CPU that the kernel names for it (the PMU's cpumask). */
#include "harness/counters_uncore.h"

#include <ctype.h>
#include <glob.h>
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PACKAGES = 16, MOST_EVENTS = 128, BYTES_AN_ACCESS = 64 };

struct tern_uncore {
  int sets[MOST_PACKAGES], packages, events;
};

/* "skx_unc_imc3::UNC_M_CAS_COUNT", "perf..." and the like have no channel. */
bool tern_uncore_is_cas(const char *event) {
  static const char count[] = "::UNC_M_CAS_COUNT";
  const char *box = strstr(event, "_unc_imc"), *end = strstr(event, count);
  if (!box || !end || end[sizeof count - 1]) return false;
  const char *digit = box + strlen("_unc_imc");
  if (digit == end) return false;
  while (digit < end && isdigit((unsigned char)*digit)) digit++;
  return digit == end;
}

/* CPUs that stand for the packages: "0,24" or "0-1"; 0 where nothing is told. */
static int package_cpus(int cpus[MOST_PACKAGES]) {
  glob_t g;
  char text[256] = "";
  if (glob("/sys/bus/event_source/devices/uncore_imc*/cpumask", 0, NULL, &g) == 0) {
    FILE *f = fopen(g.gl_pathv[0], "re");
    if (f && !fgets(text, sizeof text, f)) text[0] = '\0';
    if (f) fclose(f);
    globfree(&g);
  }
  int count = 0;
  for (char *at = text; isdigit((unsigned char)*at) && count < MOST_PACKAGES;) {
    long first = strtol(at, &at, 10), last = *at == '-' ? strtol(at + 1, &at, 10) : first;
    for (long cpu = first; cpu <= last && count < MOST_PACKAGES; cpu++) cpus[count++] = (int)cpu;
    if (*at == ',') at++;
  }
  if (!count) cpus[count++] = 0;
  return count;
}

/* An empty set that counts a whole CPU, all domains; PAPI's status. */
static int make_set(int *set, int component, int cpu) {
  *set = PAPI_NULL;
  int bad = PAPI_create_eventset(set);
  if (bad != PAPI_OK) return bad;
  PAPI_option_t o = {.cpu = {.eventset = *set, .cpu_num = (unsigned)cpu}};
  PAPI_option_t grain = {.granularity = {.def_cidx = component, .eventset = *set, .granularity = PAPI_GRN_SYS}};
  PAPI_option_t domain = {.domain = {.def_cidx = component, .eventset = *set, .domain = PAPI_DOM_ALL}};
  bad = PAPI_assign_eventset_component(*set, component);
  if (bad == PAPI_OK) bad = PAPI_set_opt(PAPI_CPU_ATTACH, &o);
  if (bad == PAPI_OK) bad = PAPI_set_opt(PAPI_GRANUL, &grain);
  if (bad == PAPI_OK) bad = PAPI_set_opt(PAPI_DOMAIN, &domain);
  return bad;
}

/* Adds reads and writes of every channel; PAPI's status. */
static int add_channels(tern_uncore *u, int set, int component, char *event, size_t event_size) {
  int code = PAPI_NATIVE_MASK, bad = PAPI_OK;
  u->events = 0;
  for (int at = PAPI_enum_cmp_event(&code, PAPI_ENUM_FIRST, component); at == PAPI_OK && bad == PAPI_OK;
       at = PAPI_enum_cmp_event(&code, PAPI_ENUM_EVENTS, component)) {
    char name[PAPI_MAX_STR_LEN], one[PAPI_MAX_STR_LEN + 8];
    if (PAPI_event_code_to_name(code, name) != PAPI_OK || !tern_uncore_is_cas(name)) continue;
    if (u->events + 2 > MOST_EVENTS) break;
    for (int i = 0; i < 2 && bad == PAPI_OK; i++) {
      snprintf(one, sizeof one, "%s%s", name, i ? ":WR" : ":RD");
      bad = PAPI_add_named_event(set, one);
      if (bad == PAPI_OK) u->events++;
    }
    snprintf(event, event_size, "%.*s*::UNC_M_CAS_COUNT", (int)(strstr(name, "imc") + 3 - name), name);
  }
  return u->events ? bad : PAPI_ENOEVNT;
}

/* Zero is not a measurement: memory that is surely read must show. */
static bool moves(const tern_uncore *u) {
  enum { BYTES = 32 << 20 };
  volatile char *p = calloc(1, BYTES);
  for (size_t i = 0; p && i < BYTES; i += BYTES_AN_ACCESS) p[i]++;
  free((void *)p);
  return tern_uncore_bytes(u) > 0;
}

tern_uncore *tern_uncore_open(char *event, size_t event_size, char *why, size_t why_size) {
  int cpus[MOST_PACKAGES], component = PAPI_get_component_index("perf_event_uncore");
  const PAPI_component_info_t *info = component < 0 ? NULL : PAPI_get_component_info(component);
  if (!info || info->disabled) {
    snprintf(why, why_size, "perf_event_uncore: %.100s", info ? info->disabled_reason : "not in this PAPI");
    return NULL;
  }
  tern_uncore *u = calloc(1, sizeof *u);
  int bad = u ? PAPI_OK : PAPI_ENOMEM, packages = package_cpus(cpus);
  for (int i = 0; u && bad == PAPI_OK && i < packages; i++) {
    bad = make_set(&u->sets[u->packages++], component, cpus[i]);
    if (bad == PAPI_OK) bad = add_channels(u, u->sets[i], component, event, event_size);
    if (bad == PAPI_OK) bad = PAPI_start(u->sets[i]);
  }
  if (bad == PAPI_OK && moves(u)) return u;
  snprintf(why, why_size, "memory controllers cannot be read: %s", bad == PAPI_OK ? "they read 0" : PAPI_strerror(bad));
  tern_uncore_close(u);
  return NULL;
}

void tern_uncore_close(tern_uncore *u) {
  long long last[MOST_EVENTS];
  for (int i = 0; u && i < u->packages; i++) {
    if (u->sets[i] == PAPI_NULL) continue;
    PAPI_stop(u->sets[i], last);
    PAPI_cleanup_eventset(u->sets[i]);
    PAPI_destroy_eventset(&u->sets[i]);
  }
  free(u);
}

int64_t tern_uncore_bytes(const tern_uncore *u) {
  long long values[MOST_EVENTS];
  int64_t accesses = 0;
  for (int i = 0; i < u->packages; i++) {
    if (PAPI_read(u->sets[i], values) != PAPI_OK) return -1;
    for (int k = 0; k < u->events; k++) accesses += values[k];
  }
  return accesses * BYTES_AN_ACCESS;
}
