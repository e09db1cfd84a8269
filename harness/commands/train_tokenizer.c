/* ternmark train tokenizer: a byte-level BPE vocabulary from text. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/train/bpe.h"
#include "harness/job_lists.h"
#include "harness/train_parts.h"

enum { MOST_FILES = 256, VOCAB = 0x100, MIN_COUNT, KEEP_NUMBERS };

typedef struct options {
  const char *files[MOST_FILES], *output;
  int count;
  tern_bpe_params params;
} options;

static const struct argp_option table[] = {
    {"output", 'o', "FILE", 0, "the GGUF file to write (tokenizer.gguf)", 0},
    {"vocab", VOCAB, "N", 0, "tokens in all: 2 specials, 256 bytes, merges (1024)", 0},
    {"min-count", MIN_COUNT, "N", 0, "don't merge pairs seen less often (2)", 0},
    {"keep-numbers", KEEP_NUMBERS, 0, 0, "let digits merge; without it every digit is a token", 0},
    {0},
};

static const char doc[] =
    "Make a byte-level BPE vocabulary from text or from the prompts and completions of JSON lines."
    "\vExample:\n"
    "  ternmark train tokenizer train.jsonl stories.txt --vocab 2048 -o tokenizer.gguf\n"
    "  ternmark tokenize tokenizer.gguf -p \"2 apples\"";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 'o':
    o->output = text;
    break;
  case VOCAB:
    o->params.vocab = (int)tern_option_number(state, "vocab", text, 0, 1 << 20);
    break;
  case MIN_COUNT:
    o->params.min_count = (int)tern_option_number(state, "min-count", text, 0, 1 << 20);
    break;
  case KEEP_NUMBERS:
    o->params.split_digits = false;
    break;
  case ARGP_KEY_ARG:
    if (o->count == MOST_FILES) argp_error(state, "more than %d files", MOST_FILES);
    o->files[o->count++] = text;
    break;
  case ARGP_KEY_END:
    if (o->count == 0) argp_error(state, "which text? Give files");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

int tern_train_tokenizer_command(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "TEXT...", .doc = doc};
  static char name[] = "ternmark train tokenizer";
  options o = {.output = "tokenizer.gguf", .params = {.vocab = 1024, .split_digits = true, .min_count = 2}};
  tern_bpe_result r;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  if (tern_bpe_train(o.output, o.files, o.count, &o.params, &r, e) != TERN_OK) return TERN_FAILED;
  fprintf(stderr, "%s: %d tokens, %d merges, from %zu bytes (%zu words, %zu distinct)\n", o.output, r.tokens, r.merges,
          r.bytes, r.words, r.distinct);
  if (r.tokens < o.params.vocab)
    fprintf(stderr, "no pair is left that occurs %d times: the vocabulary is smaller than asked\n", o.params.min_count);
  return TERN_OK;
}
