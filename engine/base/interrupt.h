/* SIGINT/SIGTERM: remembered, temporaries removed; long work asks now and then. */
#ifndef TERN_BASE_INTERRUPT_H
#define TERN_BASE_INTERRUPT_H

#include <stdbool.h>

#include "engine/base/error.h"

/* Installs the handlers. A second signal ends the process at once (exit 130)
 * after removing temporaries. */
void tern_interrupt_install(void);
bool tern_interrupted(void);
/* The signal's number, 0 when none came, and forgets it: for programs that go on
 * after an interrupted piece of work. */
int tern_interrupt_take(void);
/* Fills e with TERN_INTERRUPTED and returns it when a signal came, else 0. */
int tern_interrupt_check(tern_error *e);

#endif
