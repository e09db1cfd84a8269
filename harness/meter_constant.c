/* Watts that the user gives: a model, labelled as such and never chosen
 * unasked. For machines on which nothing can be measured. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/meter.h"

static void *constant_open(tern_source *s) {
  double *watts = malloc(sizeof *watts);
  char *end;
  if (!watts) return tern_source_refuse(s, "out of memory");
  *watts = strtod(s->argument, &end);
  if (end == s->argument || *end || !(*watts > 0 && *watts < 1e6)) {
    free(watts);
    return tern_source_refuse(s, "'%s' is no number of watts", s->argument);
  }
  s->fact.how = TERN_MODELLED;
  snprintf(s->fact.source, sizeof s->fact.source, "%g W, assumed by the user", *watts);
  snprintf(s->fact.scope, sizeof s->fact.scope, "assumed");
  snprintf(s->fact.unit, sizeof s->fact.unit, "W");
  return watts;
}

static void constant_begin(tern_source *s) {
  (void)s;
}

static void constant_finish(tern_source *s, tern_instant end, tern_reading *out) {
  (void)end;
  out->value = *(const double *)s->state * out->seconds;
  out->how = TERN_MODELLED;
  snprintf(out->scope, sizeof out->scope, "assumed");
}

static void constant_close(tern_source *s) {
  free(s->state);
}

const tern_meter_kind tern_meter_constant = {.name = "constant",
                                             .asked = true,
                                             .open = constant_open,
                                             .begin = constant_begin,
                                             .finish = constant_finish,
                                             .close = constant_close};
