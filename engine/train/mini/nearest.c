/* Inverted lists: for each term the texts that have it and how often. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/train/mini/draw.h"
#include "engine/train/mini/nearest.h"

enum { TERMS = 1 << 15, QUERY = 4096 };

typedef struct posting {
  int text, times;
} posting;

typedef struct term {
  uint64_t hash; /* 0: unused */
  posting *list;
  size_t used, room;
  double weight; /* inverse document frequency */
} term;

struct mini_index {
  term *terms; /* open addressing by hash */
  size_t known;
  int texts;
  double *length, *score;
};

int mini_index_open(mini_index **out, tern_error *e) {
  mini_index *x = calloc(1, sizeof *x);
  *out = x;
  if (x) x->terms = calloc(TERMS, sizeof *x->terms);
  if (x && x->terms) return 0;
  free(x);
  *out = NULL;
  return tern_fail(e, TERN_FAILED, "nearest neighbours: out of memory");
}

/* The next word's hash, 0 at the end. */
static uint64_t next_word(const char **at) {
  const char *t = *at;
  uint64_t h = MINI_HASH;
  while (*t && !isalnum((unsigned char)*t)) t++;
  if (!*t) return 0;
  for (; isalnum((unsigned char)*t); t++) h = (h ^ (uint64_t)tolower((unsigned char)*t)) * UINT64_C(0x100000001b3);
  *at = t;
  return h ? h : 1;
}

static term *find(mini_index *x, uint64_t h) {
  size_t i = (size_t)tern_random_mix(h) & (TERMS - 1);
  while (x->terms[i].hash && x->terms[i].hash != h) i = (i + 1) & (TERMS - 1);
  return &x->terms[i];
}

static int note(mini_index *x, uint64_t h, int text) {
  term *t = find(x, h);
  if (!t->hash && ++x->known > TERMS / 2) return -1;
  t->hash = h;
  if (t->used && t->list[t->used - 1].text == text) {
    t->list[t->used - 1].times++;
    return 0;
  }
  if (t->used == t->room) {
    size_t room = t->room ? 2 * t->room : 8;
    posting *larger = reallocarray(t->list, room, sizeof *larger);
    if (!larger) return -1;
    t->list = larger;
    t->room = room;
  }
  t->list[t->used++] = (posting){text, 1};
  return 0;
}

int mini_index_add(mini_index *x, const char *a, const char *b, tern_error *e) {
  const char *parts[] = {a, b};
  for (int p = 0; p < 2; p++)
    for (uint64_t h; (h = next_word(&parts[p]));)
      if (note(x, h, x->texts)) return tern_fail(e, TERN_FAILED, "nearest neighbours: out of memory or of terms");
  x->texts++;
  return 0;
}

int mini_index_finish(mini_index *x, tern_error *e) {
  x->length = calloc((size_t)x->texts + 1, sizeof *x->length);
  x->score = calloc((size_t)x->texts + 1, sizeof *x->score);
  if (!x->length || !x->score) return tern_fail(e, TERN_FAILED, "nearest neighbours: out of memory");
  for (size_t i = 0; i < TERMS; i++) {
    term *t = &x->terms[i];
    if (!t->hash) continue;
    t->weight = log((1.0 + x->texts) / (double)t->used);
    for (size_t k = 0; k < t->used; k++) {
      double w = t->list[k].times * t->weight;
      x->length[t->list[k].text] += w * w;
    }
  }
  for (int i = 0; i < x->texts; i++) x->length[i] = sqrt(x->length[i]);
  return 0;
}

long mini_index_find(mini_index *x, const char *a, const char *b, double *cosine) {
  const char *parts[] = {a, b};
  uint64_t words[QUERY];
  int n = 0;
  double own = 0;
  long best = -1;
  memset(x->score, 0, (size_t)x->texts * sizeof *x->score);
  for (int p = 0; p < 2; p++)
    for (uint64_t h; n < QUERY && (h = next_word(&parts[p]));) words[n++] = h;
  for (int i = 0; i < n; i++) {
    int times = 0, before = 0;
    for (int j = 0; j < n; j++) times += words[j] == words[i];
    for (int j = 0; j < i; j++) before += words[j] == words[i];
    const term *t = find(x, words[i]);
    if (before || !t->hash) continue;
    double w = times * t->weight;
    own += w * w;
    for (size_t k = 0; k < t->used; k++) x->score[t->list[k].text] += w * t->list[k].times * t->weight;
  }
  *cosine = 0;
  for (int i = 0; i < x->texts; i++) {
    if (x->length[i] <= 0 || own <= 0) continue;
    double c = x->score[i] / (x->length[i] * sqrt(own));
    if (c > *cosine) {
      *cosine = c;
      best = i;
    }
  }
  return best;
}

void mini_index_close(mini_index *x) {
  if (!x) return;
  for (size_t i = 0; i < TERMS; i++) free(x->terms[i].list);
  free(x->terms);
  free(x->length);
  free(x->score);
  free(x);
}
