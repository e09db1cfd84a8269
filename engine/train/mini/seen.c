/* Open addressing, at most half full. */
#include <stdlib.h>
#include <string.h>

#include "engine/train/mini/draw.h"
#include "engine/train/mini/seen.h"

static int plain(int c) {
  if (c >= 'A' && c <= 'Z') return c - 'A' + 'a';
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 128 ? c : strchr("+-*/", c) ? c : ' ';
}

/* Each word is hashed with one space before it. */
uint64_t mini_normal_hash(uint64_t h, const char *text) {
  int last = ' ';
  for (const unsigned char *t = (const unsigned char *)text; *t; t++) {
    int c = plain(*t);
    if (c != ' ' && last == ' ') h = (h ^ (uint64_t)' ') * UINT64_C(0x100000001b3);
    if (c != ' ') h = (h ^ (uint64_t)c) * UINT64_C(0x100000001b3);
    last = c;
  }
  return h;
}

static uint64_t hash(const char *a, const char *b) {
  uint64_t h = tern_random_mix(mini_normal_hash(mini_normal_hash(MINI_HASH, a), b));
  return h ? h : 1;
}

static size_t find(const mini_seen *s, uint64_t h) {
  size_t i = (size_t)h & (s->room - 1);
  while (s->slot[i] && s->slot[i] != h) i = (i + 1) & (s->room - 1);
  return i;
}

static int grow(mini_seen *s) {
  mini_seen larger = {.room = s->room ? 2 * s->room : 1024};
  larger.slot = calloc(larger.room, sizeof *larger.slot);
  if (!larger.slot) return -1;
  for (size_t i = 0; i < s->room; i++)
    if (s->slot[i]) larger.slot[find(&larger, s->slot[i])] = s->slot[i];
  larger.used = s->used;
  free(s->slot);
  *s = larger;
  return 0;
}

int mini_seen_add(mini_seen *s, const char *a, const char *b) {
  if (2 * s->used >= s->room && grow(s)) return -1;
  uint64_t h = hash(a, b);
  size_t i = find(s, h);
  if (s->slot[i]) return 0;
  s->slot[i] = h;
  s->used++;
  return 1;
}

bool mini_seen_has(const mini_seen *s, const char *a, const char *b) {
  return s->room && s->slot[find(s, hash(a, b))] != 0;
}

void mini_seen_close(mini_seen *s) {
  free(s->slot);
  *s = (mini_seen){0};
}
