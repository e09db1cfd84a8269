/* Inside of sandbox*.c: the way a sandbox is made here, one run, its watch. */
#ifndef TERN_EVAL_SANDBOX_PARTS_H
#define TERN_EVAL_SANDBOX_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "harness/eval/sandbox.h"

/* Who becomes the unprivileged user, and when. */
typedef enum tern_sandbox_drop {
  TERN_DROP_INSIDE, /* root makes the mounts, setpriv inside changes the uid */
  TERN_DROP_BEFORE, /* root changes the uid first; bwrap then makes a user namespace */
  TERN_DROP_NONE    /* not root: a user namespace */
} tern_sandbox_drop;

typedef struct tern_sandbox_way {
  char *program; /* bwrap's path, owned */
  tern_sandbox_drop drop;
  bool proc; /* a new /proc; containers that mask theirs forbid it */
  const char *const *readable;
} tern_sandbox_way;

/* Host ids of a run while root is around. One uid each: a limit of processes
 * counts per uid. 60578..61183 are given to nobody by systemd's and Debian's
 * lists. */
enum { TERN_SANDBOX_UID = 60578, TERN_SANDBOX_UIDS = 600 };

/* bwrap's whole argv. */
typedef struct tern_sandbox_args {
  char **list; /* NULL-ended */
  size_t count, room;
  bool broken; /* out of memory */
} tern_sandbox_args;
/* seccomp, info: numbers of descriptors in bwrap. uid: of TERN_DROP_INSIDE. */
int tern_sandbox_args_make(tern_sandbox_args *a, const tern_sandbox_way *way, const char *const *argv,
                           const tern_sandbox_limits *limits, uid_t uid, int seccomp, int info, tern_error *e);
void tern_sandbox_args_free(tern_sandbox_args *a);

/* A descriptor that bwrap reads the system call filter from. */
int tern_sandbox_filter(int *fd, tern_error *e);

/* The control group of the sandbox and of a run; path "": none to be had. */
typedef struct tern_sandbox_group {
  char path[512];
} tern_sandbox_group;
void tern_sandbox_group_open(tern_sandbox_group *g);
void tern_sandbox_group_child(tern_sandbox_group *child, const tern_sandbox_group *g, int number,
                              const tern_sandbox_limits *limits);
bool tern_sandbox_group_out_of_memory(const tern_sandbox_group *g);
/* Kills what is in it and removes it. */
void tern_sandbox_group_end(tern_sandbox_group *g);

/* What a tree of processes uses now. */
typedef struct tern_sandbox_use {
  double cpu_s;
  size_t memory; /* private resident bytes */
  int processes;
} tern_sandbox_use;
void tern_sandbox_measure(pid_t root, tern_sandbox_use *use);

/* One program from its start to the death of the last process, in this thread;
 * *stop set from outside ends it. */
typedef struct tern_sandbox_order {
  const tern_sandbox_way *way;
  const tern_sandbox_group *group;
  const char *const *argv;
  const char *input;
  size_t size;
  tern_sandbox_limits limits;
  int number;
  const atomic_bool *stop;
} tern_sandbox_order;
int tern_sandbox_execute(const tern_sandbox_order *o, tern_sandbox_result *out, tern_error *e);

/* Finds a way that works here, or says why there is none. */
int tern_sandbox_find_way(tern_sandbox_way *way, const tern_sandbox_group *group, char *about, size_t size,
                          tern_error *e);

#endif
