/* What a model answers on one record of the mini set's tests. */
#ifndef TERN_HARNESS_MINI_SCORE_H
#define TERN_HARNESS_MINI_SCORE_H

#include "engine/model/model.h"
#include "engine/text/tokenizer.h"
#include "engine/train/mini/corpus.h"

typedef struct tern_mini_scorer {
  const tern_tokenizer *tokenizer;
  tern_session *session;
  int32_t *ids;  /* [context] */
  bool too_long; /* the last record is longer than the context: wrong */
} tern_mini_scorer;

typedef struct tern_mini_verdict {
  double right;               /* 1 or 0 */
  double normed;              /* choice: the same with log-likelihoods divided by characters; else NAN */
  double nats, tokens, bytes; /* text without prompt (stories): to be summed for perplexity; else 0 */
  char said[256];             /* what was generated or chosen */
} tern_mini_verdict;

/* As lm-evaluation-harness does it. Choices: the one whose text " CHOICE" is
 * most likely behind the prompt. Others: greedy text up to an empty line or the
 * end, of which the final answer must be the record's. A record without prompt
 * is scored as text; one that is longer than the context is an error. */
int tern_mini_judge(tern_mini_scorer *s, const mini_item *m, tern_mini_verdict *v, tern_error *e);

#endif
