#include "engine/base/cache.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

size_t tern_cache_folder(char *folder, size_t size) {
  const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  const bool own = xdg && xdg[0] == '/', at_home = home && home[0] == '/';
  int n = 0;
  if (size) folder[0] = '\0';
  if (own) n = snprintf(folder, size, "%s/ternmark", xdg);
  if (!own && at_home) n = snprintf(folder, size, "%s/.cache/ternmark", home);
  return n > 0 ? (size_t)n : 0;
}
