/* A child process that serves requests over a socket pair: fixed structs go
 * in and come back. A child that dies is one error line of the next call; the
 * caller's process goes on. Fork before starting threads. */
#ifndef TERN_HARNESS_CHILD_H
#define TERN_HARNESS_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "engine/base/error.h"

typedef struct tern_child tern_child;

/* Runs in the child: answers one request (fills *reply) until the parent hangs
 * up. It inherits the parent's memory as of the fork; signals from the
 * terminal don't reach it. */
typedef void (*tern_child_serve)(void *arg, const void *request, void *reply);

/* `name` stands for the child in errors. Sizes are those of the structs. */
int tern_child_start(tern_child **out, const char *name, tern_child_serve serve, void *arg, size_t request_size,
                     size_t reply_size, tern_error *e);
/* One request, one reply. Fails when the child is gone (how it ended is in the
 * line) or a signal interrupts (TERN_INTERRUPTED). */
int tern_child_call(tern_child *c, const void *request, void *reply, tern_error *e);
/* Process id; -1 once it has ended. */
pid_t tern_child_pid(const tern_child *c);
/* Ends the child (killed when it does not leave at once) and waits. NULL allowed. */
void tern_child_end(tern_child *c);

#endif
