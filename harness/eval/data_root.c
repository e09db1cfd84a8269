/* Roots in the order of data_root.h. A folder that somebody named is never
 * widened by another: figures must not come from data that was not meant. */
#include "harness/eval/data_root.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/cache.h"

static const char staged[] = TERN_SOURCE_DIR "/../shared/data";

/* What the user named, NULL: nothing. */
static const char *named(const char *given) {
  if (given != NULL) return given;
  const char *set = getenv("TERN_DATA");
  return set != NULL && set[0] != '\0' ? set : NULL;
}

static int join(char *path, size_t size, const char *a, const char *b, tern_error *e) {
  int n = snprintf(path, size, "%s/%s", a, b);
  return n >= 0 && (size_t)n < size ? TERN_OK : tern_fail(e, TERN_FAILED, "%.80s/%.80s: name too long", a, b);
}

int tern_data_root(char *path, size_t size, const char *given, tern_error *e) {
  const char *root = named(given);
  char cache[4096];
  if (root == NULL) {
    size_t n = tern_cache_folder(cache, sizeof cache);
    if (n == 0) return tern_fail(e, TERN_FAILED, "no home folder for data: give --data DIR or set TERN_DATA");
    if (n >= sizeof cache) return tern_fail(e, TERN_FAILED, "%.80s...: name too long", cache);
    return join(path, size, cache, "data", e);
  }
  if (root[0] == '\0') return tern_fail(e, TERN_USAGE, "--data: an empty name; give a folder");
  int n = snprintf(path, size, "%s", root);
  return n >= 0 && (size_t)n < size ? TERN_OK : tern_fail(e, TERN_FAILED, "%.80s...: name too long", root);
}

static bool is_there(const char *path) {
  return access(path, R_OK) == 0;
}

int tern_data_find(char *path, size_t size, const char *given, const char *name, tern_error *e) {
  char root[4096];
  if (name[0] == '/') {
    int n = snprintf(path, size, "%s", name);
    if (n < 0 || (size_t)n >= size) return tern_fail(e, TERN_FAILED, "%.80s...: name too long", name);
    return is_there(path) ? TERN_OK : tern_fail_errno(e, "%s", path);
  }
  int status = tern_data_root(root, sizeof root, given, e);
  if (status == TERN_OK) status = join(path, size, root, name, e);
  if (status == TERN_OK && is_there(path)) return TERN_OK;
  if (named(given) != NULL) {
    if (status == TERN_OK)
      tern_fail_errno(e, "%s: fetch it with `ternmark fetch` (--list names what there is) or name another --data",
                      path);
    return (int)e->status;
  }
  /* no cache folder can be named without a home: the staged copy may do still */
  if (join(path, size, staged, name, e) != TERN_OK) return TERN_FAILED;
  if (is_there(path)) return TERN_OK;
  return tern_fail(e, TERN_FAILED,
                   "%s: neither in %s nor in ../shared/data: fetch it with `ternmark fetch` (--list names what "
                   "there is) or name a folder with --data",
                   name, status == TERN_OK ? root : "a data folder");
}
