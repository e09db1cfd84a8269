/* Components that start late say so by PAPI_EDELAY_INIT until an event is asked
 * for. */
#include "harness/papi_components.h"

#include <papi.h>
#include <stdio.h>
#include <string.h>

bool tern_papi_start(void) {
  static const char *const gpus[] = {"rocm", "rocm_smi", "cuda", "nvml", "amd_smi", "intel_gpu"};
  if (PAPI_is_initialized() != PAPI_NOT_INITED) return true;
  for (size_t i = 0; i < sizeof gpus / sizeof *gpus; i++)
    PAPI_disable_component_by_name(gpus[i]); /* fails where PAPI has no such component */
  return PAPI_library_init(PAPI_VER_CURRENT) == PAPI_VER_CURRENT;
}

int tern_papi_components(tern_papi_component *list, int room) {
  if (!tern_papi_start()) return 0;
  int count = PAPI_num_components();
  if (count > room) count = room;
  for (int i = 0; i < count; i++) {
    tern_papi_component *c = &list[i];
    const PAPI_component_info_t *info = PAPI_get_component_info(i);
    int event = PAPI_NATIVE_MASK;
    *c = (tern_papi_component){0};
    if (!info) continue;
    if (info->disabled == PAPI_EDELAY_INIT) PAPI_enum_cmp_event(&event, PAPI_ENUM_FIRST, i);
    snprintf(c->name, sizeof c->name, "%.63s", info->name);
    snprintf(c->version, sizeof c->version, "%.31s", info->version);
    c->native_events = info->num_native_events;
    if (info->disabled == 0) continue;
    snprintf(c->disabled, sizeof c->disabled, "%.255s",
             info->disabled_reason[0] ? info->disabled_reason : PAPI_strerror(info->disabled));
    c->disabled[strcspn(c->disabled, "\n")] = '\0';
  }
  return count > 0 ? count : 0;
}
