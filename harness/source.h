/* The model of a run: a file given, or a synthetic one kept in a cache folder.
 * The cached name carries everything its bytes depend on. */
#ifndef TERN_HARNESS_SOURCE_H
#define TERN_HARNESS_SOURCE_H

#include <limits.h>
#include <stdbool.h>

#include "engine/format/synth.h"
#include "harness/job.h"

typedef struct tern_source {
  char name[96]; /* model column: the shape's name, or the file's */
  char path[PATH_MAX];
  bool synthetic;
  bool present;           /* the file is there */
  size_t bytes;           /* of the file, or what it will take */
  tern_synth_shape shape; /* synthetic: what to make */
} tern_source;

/* Model `index` of the job: finds its name, file and size; makes nothing. */
int tern_source_find(tern_source *out, const tern_job *job, int index, tern_error *e);
/* Makes the file when it is not there, with `threads`, saying so on stderr;
 * checks the disk's free space first. */
int tern_source_make(tern_source *s, const tern_job *job, int threads, tern_error *e);
/* $XDG_CACHE_HOME/ternmark or ~/.cache/ternmark, unless the job names one. */
void tern_source_cache(const tern_job *job, char *folder, size_t size);

#endif
