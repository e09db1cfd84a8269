/* Asks of a model as ids: token split, BOS, left truncation and rolling windows
 * as lm-evaluation-harness has them (0.4.13). An ask is one of three by what it
 * has: context and continuation, a continuation alone (rolling), a context alone
 * (text is generated). */
#ifndef TERN_EVAL_ASK_H
#define TERN_EVAL_ASK_H

#include <stdbool.h>

#include "engine/text/tokenizer.h"

typedef struct tern_ask {
  const char *context, *continuation; /* of its document; NULL: it has none */
} tern_ask;

typedef enum tern_bos_rule {
  TERN_BOS_OWN,  /* as the tokenizer's file says, not twice: lm-eval since November 2025 */
  TERN_BOS_NEVER /* lm-eval 0.4.8, but for Gemma */
} tern_bos_rule;
/* What over-long asks keep: their last n ids, the last of which is not fed. */
typedef enum tern_window_rule {
  TERN_WINDOW_HF,         /* context + 1 */
  TERN_WINDOW_COMPLETIONS /* context - 1: lm-eval's local-completions keeps one for its generated token */
} tern_window_rule;

enum { TERN_LEAST_CONTEXT = 4 };
typedef struct tern_ask_rules {
  tern_bos_rule bos;
  tern_window_rule window;
  int context;     /* positions; at least TERN_LEAST_CONTEXT */
  int most_tokens; /* of a generated text */
} tern_ask_rules;

typedef struct tern_ask_ids {
  int32_t *ids; /* the caller's (free()) */
  int count;    /* 0 only of a rolling ask without text */
  int scored;   /* the last of them; 0: a text is to be generated, or there is nothing to score */
  int cut;      /* ids left out on the left */
} tern_ask_ids;

/* Turns asks into ids; remembers the last context, which choices share. */
typedef struct tern_splitter {
  const tern_tokenizer *tokenizer;
  tern_ask_rules rules;
  char *context; /* that context_ids are of */
  int32_t *context_ids;
  size_t context_count;
} tern_splitter;
void tern_splitter_close(tern_splitter *s);

/* Of a rolling ask all ids, the prefix token first: to be cut into windows.
 * Fails when there is nothing to start from (a tokenizer without BOS and EOS),
 * or no room for the tokens to be generated. A continuation longer than the
 * context is scored as far as it fits. */
int tern_ask_split(tern_splitter *s, const tern_ask *a, tern_ask_ids *out, tern_error *e);
/* Window i of a rolling ask: ids[from .. from + count), the last `scored` count;
 * false when there is none. Every id is scored once. */
bool tern_ask_window(const tern_ask_rules *r, const tern_ask_ids *a, int i, int *from, int *count, int *scored);

/* What a model answered. */
typedef struct tern_reply {
  double logprob; /* of all scored ids; natural */
  bool greedy;    /* each of them the most likely; true of none */
  int tokens;     /* scored or generated */
  int truncated;  /* ids cut off on the left */
  int reused;     /* of those fed, computed for another ask: depends on what else ran */
  char *text;     /* generated, up to the first stop, valid UTF-8 (the run's); NULL when ids were scored */
  int replaced;   /* NUL characters of it, now U+FFFD */
} tern_reply;

#endif
