/* The tuning cache: times of kernels by CPU and instruction sets, in one JSON
 * file. Written whole under another name first, so that a reader sees the old
 * file or the new one. A file that does not fit is never fatal. */
#ifndef TERN_HARNESS_TUNE_CACHE_H
#define TERN_HARNESS_TUNE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"
#include "kernels/tuning.h"

enum { TERN_TUNE_SCHEMA = 1 };

/* $XDG_CACHE_HOME/ternmark/tune.json or ~/.cache/ternmark/tune.json. */
void tern_tune_path(char *path, size_t size);

/* Names of the usable levels up to cap, comma between: times of other ones say
 * nothing about this machine. */
void tern_tune_levels(char *out, size_t size);

/* Hash of all kernels' names: 16 hex digits. */
void tern_tune_registry(char out[17]);

/* Adds t to the file, or puts it in the place of what was there for this CPU;
 * times that other programs' versions left are dropped. Makes the folder. */
int tern_tune_save(const char *path, const tern_tuning *t, tern_error *e);

/* This CPU's times, to be freed with free(). NULL without an error when there is
 * no file; with one line that names the file when it can't be used. */
tern_tuning *tern_tune_load(const char *path, tern_error *e);

/* What a command uses: nothing when `off`; else load of `path`, or without one of
 * what TERNMARK_TUNE names ("off": nothing), or of the usual place. A file that
 * can't be used is one line on stderr. */
tern_tuning *tern_tune_open(const char *path, bool off);

#endif
