/* Where what can be made again is kept for a user. */
#ifndef TERN_BASE_CACHE_H
#define TERN_BASE_CACHE_H

#include <stddef.h>

/* $XDG_CACHE_HOME/ternmark, else ~/.cache/ternmark (XDG Base Directory
 * Specification: names that are not absolute are ignored). Returns the length,
 * as snprintf does: `size` or more: cut; 0: there is none and folder is "". */
size_t tern_cache_folder(char *folder, size_t size);

#endif
