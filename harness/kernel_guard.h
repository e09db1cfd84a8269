/* Buffers between inaccessible pages, and a trap that turns a crash of the code
 * under test into a message: which kernel, which buffer, which side. For the
 * kernel checker; one thread at a time. Depends on libc only. */
#ifndef TERN_HARNESS_KERNEL_GUARD_H
#define TERN_HARNESS_KERNEL_GUARD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

enum { TERN_GUARDED = 16 }; /* buffers at a time */

typedef enum tern_side { TERN_GUARD_END, TERN_GUARD_START } tern_side;

/* A fresh zeroed buffer that touches the guard page on `side` as nearly as the
 * alignment allows (exactly at the start). NULL when memory is short. */
void *tern_guarded(const char *name, size_t bytes, size_t align, tern_side side);
/* Releases all of them. */
void tern_guarded_release(void);

/* tern_trap_enter(): 0 the first time; after a crash comes back with the signal
 * number, and tern_trap_text() says what happened. */
extern sigjmp_buf tern_trap_point;
void tern_trap_install(void);
void tern_trap_remove(void);
#define tern_trap_enter() sigsetjmp(tern_trap_point, 1)
const char *tern_trap_text(int signo);

#endif
