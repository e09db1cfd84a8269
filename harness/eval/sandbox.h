/* Programs in bubblewrap: no network, a read-only root without the user's
 * files, an unprivileged uid without capabilities, a tmpfs for /tmp, limits,
 * a pid namespace of its own (so killed as a tree), results through one pipe.
 * Without bwrap, or where it can't make namespaces, opening fails with one line
 * that says what to do: nothing ever runs bare. */
#ifndef TERN_EVAL_SANDBOX_H
#define TERN_EVAL_SANDBOX_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_sandbox_options {
  int parallel; /* programs at a time */
  /* Absolute paths, NULL-ended: seen read-only at their own place, beside /usr
   * and the libraries. NULL: none. */
  const char *const *readable;
  const char *python; /* path of an interpreter in readable or /usr, for graders; NULL: none */
} tern_sandbox_options;

typedef struct tern_sandbox_limits {
  double wall_s, cpu_s; /* of the whole tree; a process alone has cpu_s, too */
  size_t memory;        /* bytes: address space of a process, and resident of the tree */
  size_t file;          /* bytes of a file, and of all in /tmp */
  size_t output;        /* bytes, stdout and stderr together */
  int processes, files; /* files: open ones of a process */
} tern_sandbox_limits;

typedef enum tern_sandbox_end {
  TERN_SANDBOX_EXIT,
  TERN_SANDBOX_SIGNAL,
  TERN_SANDBOX_WALL, /* from here on: ended by the limit of that name */
  TERN_SANDBOX_CPU,
  TERN_SANDBOX_MEMORY,
  TERN_SANDBOX_PROCESSES,
  TERN_SANDBOX_OUTPUT
} tern_sandbox_end;

typedef struct tern_sandbox_result {
  tern_sandbox_end end;
  int code;     /* exit code or signal; as a shell tells it, so 137 reads as SIGKILL */
  char *output; /* free(); NUL-terminated behind size bytes */
  size_t size;
  double wall_s;
} tern_sandbox_result;

typedef struct tern_sandbox tern_sandbox;

/* Tries what it promises with a small program of ours before it succeeds. */
int tern_sandbox_open(tern_sandbox **out, const tern_sandbox_options *o, tern_error *e);
void tern_sandbox_close(tern_sandbox *s); /* kills what runs; NULL allowed */
/* One line for results: program, version, way of dropping privileges. */
const char *tern_sandbox_about(const tern_sandbox *s);
/* The interpreter it was opened with, or NULL. */
const char *tern_sandbox_python(const tern_sandbox *s);
/* "wall-clock limit", "exit code" and so on. */
const char *tern_sandbox_end_name(tern_sandbox_end end);

/* argv as seen inside, argv[0] a path or a name in /usr/bin:/bin; input on its
 * stdin (copied). Waits while `parallel` are running. Any thread. */
int tern_sandbox_start(tern_sandbox *s, const char *const *argv, const char *input, size_t size,
                       const tern_sandbox_limits *limits, int *ticket, tern_error *e);
/* The ticket's result, once; tickets in any order. Fails when the program could
 * not be started, or on an interrupt. A program that fails is a result. */
int tern_sandbox_wait(tern_sandbox *s, int ticket, tern_sandbox_result *out, tern_error *e);
/* Both. */
int tern_sandbox_run(tern_sandbox *s, const char *const *argv, const char *input, size_t size,
                     const tern_sandbox_limits *limits, tern_sandbox_result *out, tern_error *e);

#endif
