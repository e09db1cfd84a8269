/* Files: read-only mappings, and outputs that appear whole or not at all. */
#ifndef TERN_BASE_FILE_H
#define TERN_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/error.h"

typedef struct tern_map {
  const uint8_t *data;
  size_t size;
} tern_map;

/* Maps a regular file read-only (MAP_PRIVATE). Empty files fail. */
int tern_map_open(tern_map *out, const char *path, tern_error *e);
/* Tells the kernel that bytes [offset, offset+size) will not be used again. */
void tern_map_done(const tern_map *m, size_t offset, size_t size);
void tern_map_close(tern_map *m);

/* Atomic output: a temporary file beside `path`, fsync, rename. The process's
 * interrupt handler removes temporaries of a killed run (tern_outputs_abandon,
 * async-signal-safe). */
typedef struct tern_output tern_output;
int tern_output_open(tern_output **out, const char *path, tern_error *e);
FILE *tern_output_stream(tern_output *o);
int tern_output_fd(tern_output *o);
/* All bytes at offset `at`, past the stream. */
int tern_output_write_at(tern_output *o, const void *data, size_t size, size_t at, tern_error *e);
/* Flush, fsync, rename over path; frees o in any case, removes the temporary
 * on failure. */
int tern_output_commit(tern_output *o, tern_error *e);
void tern_output_abandon(tern_output *o); /* NULL allowed */
void tern_outputs_abandon(void);

/* Whole file into a fresh NUL-terminated buffer (free()), at most `limit` bytes. */
char *tern_file_read(const char *path, size_t limit, size_t *size, tern_error *e);
/* mkdir -p. */
int tern_directory_make(const char *path, tern_error *e);

#endif
