/* The rate of the instruction that a kernel's inner loop is made of, operands
 * in registers: what a kernel can be held against. */
#ifndef TERN_HARNESS_KERNEL_PEAK_H
#define TERN_HARNESS_KERNEL_PEAK_H

#include <stdbool.h>

#include "kernels/cpu.h"

/* 1e9 operations a second (a multiplication and an addition are two) over
 * about a millisecond on the calling thread; `instruction` names what was run.
 * NAN and "" for the scalar level. `isa` must be usable. */
double tern_instruction_peak(tern_isa isa, bool floats, const char **instruction);

/* The same of the dot product of bf16 pairs into float; NAN where this CPU has
 * none. No kernel needs it yet: a ceiling alone. */
double tern_bf16_peak(const char **instruction);

#endif
