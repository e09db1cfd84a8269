/* A model as a command uses it: options that say which and how, and what they
 * open: file, tokenizer, team and weights. */
#ifndef TERN_HARNESS_OPENED_H
#define TERN_HARNESS_OPENED_H

#include <argp.h>

#include "engine/model/model.h"
#include "engine/text/tokenizer.h"

typedef struct tern_open_options {
  const char *model, *tokenizer, *engine, *layout;
  int threads, context;
  tern_kv_type kv;
  bool kv_given, exact, no_tune, quiet;
  tern_i2s i2s;
  tern_isa isa;
  const char *tune_cache;
} tern_open_options;

/* Group "Engine" of a command's options, as an argp child whose input is a
 * tern_open_options; the model is the command's one argument. */
extern const struct argp tern_open_argp;
/* Defaults, and what the environment forces. */
int tern_open_options_start(tern_open_options *o, tern_error *e);

typedef struct tern_opened {
  tern_gguf *gguf;
  tern_tokenizer *tokenizer;
  tern_tuning *tuning;
  tern_team *team;
  tern_model *model;
  tern_model_params params;
  tern_model_facts facts; /* from metadata until it is loaded */
} tern_opened;

/* File, tokenizer and facts, so that what can't be done is said before any
 * weight is read; then team and weights. */
int tern_opened_preview(tern_opened *o, const tern_open_options *options, tern_error *e);
int tern_opened_load(tern_opened *o, tern_error *e);
void tern_opened_close(tern_opened *o);

/* Positions: those asked for (at most the model's), else `usual` as far as the model goes. */
int tern_opened_context(const tern_opened *o, int asked, int64_t usual, int *context, tern_error *e);

/* Text to ids, BOS first where the tokenizer asks for it, `bos` allows it and
 * the text does not begin with it. *ids is malloc'ed. */
int tern_opened_encode(const tern_opened *o, const char *text, size_t size, bool special, bool bos, int32_t **ids,
                       int *count, tern_error *e);
/* The line on stderr that says what runs. */
void tern_opened_tell(const tern_opened *o, size_t kv_bytes);

#endif
