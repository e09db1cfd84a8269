/* Stop strings in a text that comes in pieces. Bytes that may yet become a stop
 * string are held back; how the text is cut into pieces shows nowhere. */
#ifndef TERN_GENERATE_STOPS_H
#define TERN_GENERATE_STOPS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_stops tern_stops;
typedef void (*tern_stops_put)(void *arg, const char *text, size_t size);

/* Copies the strings; an empty one is refused. */
int tern_stops_open(tern_stops **out, const char *const *texts, int count, tern_error *e);
void tern_stops_close(tern_stops *s); /* NULL allowed */
/* Passes on what can no longer belong to a stop string. True when one is
 * complete: what was before it has been passed on, the rest is dropped. Of
 * several, the one that ends first counts, of those the longest. */
bool tern_stops_push(tern_stops *s, const char *text, size_t size, tern_stops_put put, void *arg);
/* What was held back, when the text ends otherwise. */
void tern_stops_flush(tern_stops *s, tern_stops_put put, void *arg);

#endif
