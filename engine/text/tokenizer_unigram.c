/* Unigram segmentation (Kudo 2018): of all ways to cut a word into pieces, the
 * one with the greatest sum of scores (Viterbi). A character that is no piece by
 * itself may stand alone as unknown, at a score below every piece's. Ties go to
 * the path whose last piece starts first, as in SentencePiece. */
#include <float.h>
#include <math.h>

#include "engine/text/tokenizer_parts.h"

static const double unknown_penalty = 10;

void tern_vocab_unigram(tern_tokenizer *t) {
  double least = DBL_MAX, most = FLT_MIN; /* SentencePiece starts so: below 0 there is no greatest score */
  for (int32_t id = 0; id < t->size; id++) {
    if (t->type[id] != TERN_TOKEN_NORMAL || !isfinite(t->score[id])) continue;
    if (t->score[id] < least) least = t->score[id];
    if (t->score[id] > most) most = t->score[id];
  }
  t->unigram = true;
  t->unknown_score = (least == DBL_MAX ? 0 : least) - unknown_penalty;
  t->user_score = most;
}

/* A user-defined piece is worth so much that it is always taken. */
static double score_of(const tern_tokenizer *t, int32_t id, size_t size) {
  if (t->type[id] == TERN_TOKEN_USER) return t->float_paths ? (double)(float)((double)size * t->user_score - 0.1) : 0;
  return t->score[id];
}

static void offer(const tern_tokenizer *t, tern_path *to, double score, size_t start, int32_t id) {
  if (t->float_paths) score = (double)(float)score;
  if (to->start >= 0 && !(score > to->score)) return;
  *to = (tern_path){score, (int32_t)start, id};
}

void tern_unigram_paths(const tern_tokenizer *t, const uint8_t *word, size_t size, double before, tern_path *paths) {
  for (size_t i = 0; i <= size; i++) paths[i].start = -1;
  paths[0] = (tern_path){before, 0, -1};
  for (size_t start = 0, length; start < size; start += length) {
    size_t valid = tern_utf8_length(word + start, size - start), most = size - start;
    double here = paths[start].score;
    uint64_t hash = TERN_TEXT_HASH;
    bool alone = false;
    length = valid == 0 ? 1 : valid;
    if (most > (size_t)t->longest) most = (size_t)t->longest;
    for (size_t n = 1; n <= most && valid > 0; n++) {
      hash = tern_text_hash(hash, word[start + n - 1]);
      int32_t id = tern_text_map_find_hashed(&t->texts, t, word + start, n, hash);
      if (id < 0) continue;
      offer(t, &paths[start + n], here + score_of(t, id, n), start, id);
      alone |= n == length;
    }
    if (!alone) offer(t, &paths[start + length], here + t->unknown_score, start, -1);
  }
}
