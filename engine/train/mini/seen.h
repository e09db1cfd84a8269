/* A set of texts by the hash of what is left of them without case, marks and
 * repeated spaces. */
#ifndef TERN_MINI_SEEN_H
#define TERN_MINI_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mini_seen {
  uint64_t *slot; /* 0: empty */
  size_t used, room;
} mini_seen;

uint64_t mini_normal_hash(uint64_t h, const char *text); /* continues h */
/* 1: added; 0: was there; -1: out of memory. The text is a followed by b. */
int mini_seen_add(mini_seen *s, const char *a, const char *b);
bool mini_seen_has(const mini_seen *s, const char *a, const char *b);
void mini_seen_close(mini_seen *s);

#endif
