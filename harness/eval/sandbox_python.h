/* A sandbox that has a Python for our graders (datasets/graders/NAME.py): the
 * one of $TERN_PYTHON, else python3 in PATH, with the packages of its
 * environment, read-only. It is asked outside where it lies; nothing else runs
 * there. */
#ifndef TERN_EVAL_SANDBOX_PYTHON_H
#define TERN_EVAL_SANDBOX_PYTHON_H

#include "harness/eval/sandbox.h"

int tern_sandbox_open_python(tern_sandbox **out, int parallel, tern_error *e);

/* Starts datasets/graders/NAME.py: isolated from the user's settings (-I). */
int tern_sandbox_start_grader(tern_sandbox *s, const char *name, const char *input, size_t size,
                              const tern_sandbox_limits *limits, int *ticket, tern_error *e);

/* "3.11.7", or that of an installed package ("sympy"); one that is missing is an
 * error that says how to install it. */
int tern_sandbox_python_version(tern_sandbox *s, const char *package, char *version, size_t size, tern_error *e);

#endif
