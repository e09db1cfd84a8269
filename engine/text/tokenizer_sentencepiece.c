/* Tokenizer from SentencePiece's own files (tokenizer.model, spiece.model), read
 * by protobuf-c by the fields in sentencepiece.proto. Gives the ids that
 * SentencePiece gives, but for bytes that are no UTF-8, which stay bytes here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/text/tokenizer_parts.h"
#include "sentencepiece.pb-c.h"

enum { UNIGRAM = 1, BPE = 2 };

static int32_t id_or_none(int32_t id, int size) {
  return id >= 0 && id < size ? id : -1;
}

static int check(const TernSp__Model *m, const char *path, tern_error *e) {
  int32_t type = m->trainer ? m->trainer->model_type : UNIGRAM;
  if (m->n_pieces < 1 || m->n_pieces >= INT32_MAX)
    return tern_fail(e, TERN_FAILED, "%s: no pieces: is this a SentencePiece model?", path);
  if (type != UNIGRAM && type != BPE)
    return tern_fail(e, TERN_FAILED, "%s: model_type %d is not supported: only unigram (1) and BPE (2)", path,
                     (int)type);
  if (m->trainer && m->trainer->blanks_behind)
    return tern_fail(e, TERN_FAILED, "%s: treat_whitespace_as_suffix is not supported", path);
  return TERN_OK;
}

static int put_pieces(tern_tokenizer *t, const TernSp__Model *m, size_t longest, tern_error *e) {
  uint8_t *scratch = malloc(longest + 1);
  if (!scratch) return tern_fail(e, TERN_FAILED, "not enough memory for a piece of %zu bytes", longest);
  for (int32_t id = 0; id < t->size; id++) {
    const TernSp__Model__Piece *p = m->pieces[id];
    int type = p->type < TERN_TOKEN_NORMAL || p->type > TERN_TOKEN_BYTE ? TERN_TOKEN_NORMAL : p->type;
    tern_vocab_put_text(t, id, (tern_gguf_string){(const char *)p->text.data, p->text.len}, type, scratch);
    t->score[id] = isnan(p->score) ? -INFINITY : (double)p->score;
    if (type == TERN_TOKEN_UNKNOWN) t->unknown = id;
  }
  free(scratch);
  return TERN_OK;
}

static int set_normalizer(tern_tokenizer *t, const TernSp__Normalizer *n, const char *path, tern_error *e) {
  bool tidy = !n || n->remove_extra_blanks;
  t->space_prefix = !n || n->dummy_prefix;
  t->prefix_once = true;
  t->normal.whole_text = true;
  t->normal.strip_left = t->normal.strip_right = t->normal.collapse = tidy;
  if (!n || n->charsmap.len == 0) return TERN_OK;
  if (!tern_charsmap_valid(n->charsmap.data, n->charsmap.len))
    return tern_fail(e, TERN_FAILED, "%s: its precompiled_charsmap is no such map", path);
  uint8_t *map = malloc(n->charsmap.len);
  if (!map) return tern_fail(e, TERN_FAILED, "%s: not enough memory", path);
  memcpy(map, n->charsmap.data, n->charsmap.len);
  t->normal.charsmap = map;
  t->normal.charsmap_size = n->charsmap.len;
  return TERN_OK;
}

/* Which tokens begin and end is what engines do with such files: LLaMA's kind
 * begins with BOS, T5's ends with EOS. */
static void set_ends(tern_tokenizer *t, const TernSp__Trainer *r, bool unigram) {
  t->bos = id_or_none(r ? r->bos_id : 1, t->size);
  t->eos = id_or_none(r ? r->eos_id : 2, t->size);
  if (t->unknown < 0) t->unknown = id_or_none(r ? r->unk_id : 0, t->size);
  t->adds_bos = !unigram;
  t->adds_eos = unigram;
}

static int build(tern_tokenizer **out, const TernSp__Model *m, const char *path, tern_error *e) {
  size_t bytes = 0, longest = 0;
  bool unigram = !m->trainer || m->trainer->model_type == UNIGRAM;
  tern_tokenizer *t = NULL;
  uint32_t *ranks = NULL;
  for (size_t i = 0; i < m->n_pieces; i++) {
    bytes += m->pieces[i]->text.len; /* all lie in the file, one after the other */
    if (m->pieces[i]->text.len > longest) longest = m->pieces[i]->text.len;
  }
  int status = tern_vocab_open(&t, (int)m->n_pieces, bytes, true, e);
  if (status) goto out;
  t->fuse_unknown = true;
  t->float_paths = unigram;
  status = put_pieces(t, m, longest, e) || set_normalizer(t, m->normalizer, path, e);
  if (status) goto out;
  set_ends(t, m->trainer, unigram);
  status = tern_vocab_finish(t, path, e);
  if (status) goto out;
  if (unigram) {
    tern_vocab_unigram(t);
  } else {
    ranks = tern_vocab_ranks(t, e);
    status = ranks ? tern_vocab_pair_splits(t, ranks, e) : TERN_FAILED;
  }
  if (status) goto out;
  *out = t;
  t = NULL;
out:
  free(ranks);
  tern_tokenizer_close(t);
  return status ? TERN_FAILED : TERN_OK;
}

int tern_tokenizer_from_sentencepiece(tern_tokenizer **out, const char *path, tern_error *e) {
  tern_map map;
  *out = NULL;
  if (tern_map_open(&map, path, e)) return TERN_FAILED;
  TernSp__Model *m = tern_sp__model__unpack(NULL, map.size, map.data);
  int status = m ? TERN_OK : tern_fail(e, TERN_FAILED, "%s: is no SentencePiece model, or cut short", path);
  if (m) status = check(m, path, e) || build(out, m, path, e) ? TERN_FAILED : TERN_OK;
  if (m) tern_sp__model__free_unpacked(m, NULL);
  tern_map_close(&map);
  return status;
}
