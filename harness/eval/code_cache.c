/* Expected outputs, kept per user under names that hold everything they depend
 * on: the problem's line, Python's version, the driver's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cache.h"
#include "engine/base/file.h"
#include "harness/eval/code_parts.h"
#include "harness/eval/item.h"

/* Counted up when the driver encodes or runs differently. */
#define DRIVER "4"

int tern_code_cache_path(const tern_code *c, size_t row, char *path, size_t size, tern_error *e) {
  char *all, hash[TERN_HASH_ROOM], folder[4096];
  const size_t length = tern_cache_folder(folder, sizeof folder);
  path[0] = '\0';
  if (length == 0 || length >= sizeof folder) return 0;
  if (asprintf(&all, "%s\n%s\n%s", DRIVER, c->python, c->lines[row]) < 0)
    return tern_fail(e, TERN_FAILED, "%s: row %zu: out of memory", c->path, row);
  int bad = tern_hash_text(all, hash, e);
  free(all);
  if (bad) return bad;
  int n = snprintf(path, size, "%s/graders/%.40s.json", folder, hash);
  if (n < 0 || (size_t)n >= size) path[0] = '\0';
  return 0;
}

char *tern_code_cache_read(const char *path) {
  tern_error unused;
  size_t size;
  return path[0] && access(path, R_OK) == 0 ? tern_file_read(path, (size_t)1 << 30, &size, &unused) : NULL;
}

void tern_code_cache_write(const char *path, const char *text) {
  tern_error unused;
  tern_output *o;
  char folder[4096];
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (!slash) return;
  *slash = '\0';
  if (tern_directory_make(folder, &unused) != 0 || tern_output_open(&o, path, &unused) != 0) return;
  fputs(text, tern_output_stream(o));
  tern_output_commit(o, &unused);
}
