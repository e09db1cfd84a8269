/* Where datasets and fetched models lie. Two questions: the folder that `ternmark
 * fetch` fills (one), and where a file of that layout is to be found (a folder
 * named by the user, and only there; else the fetched ones, then ../shared/data
 * beside the checkout). */
#ifndef TERN_EVAL_DATA_ROOT_H
#define TERN_EVAL_DATA_ROOT_H

#include <stddef.h>

#include "engine/base/error.h"

/* The folder to fill: `given` (--data; NULL: none), else $TERN_DATA, else
 * $XDG_CACHE_HOME/ternmark/data or ~/.cache/ternmark/data. Need not exist. */
int tern_data_root(char *path, size_t size, const char *given, tern_error *e);

/* The file `name` ("gsm8k/test.jsonl") that exists; an absolute name is taken as
 * it is. With `given` or $TERN_DATA only there. Not found: a message that names
 * the folders and `ternmark fetch`. */
int tern_data_find(char *path, size_t size, const char *given, const char *name, tern_error *e);

#endif
