/* The table of engines: weight layouts of body and head behind one name. */
#ifndef TERN_BASELINES_ENGINES_H
#define TERN_BASELINES_ENGINES_H

#include "baselines/runner.h"

/* Parameters that make the model of this spec; TERN_USAGE when its engine is
 * not known. */
int tern_engine_params(tern_model_params *p, const tern_runner_spec *spec, tern_error *e);

#endif
