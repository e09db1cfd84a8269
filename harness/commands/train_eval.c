/* ternmark train eval: the training forward pass over other data, a line a file. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/train/trainer.h"
#include "harness/job_lists.h"
#include "harness/train_parts.h"

typedef struct options {
  const char *checkpoint, *adapters;
  tern_train_files files;
  int threads;
} options;

enum { ADAPTERS = 0x100 };

static const struct argp_option table[] = {
    {"adapters", ADAPTERS, "FILE.gguf", 0, "with these adapters beside (train export --adapters writes them)", 0},
    {"threads", 't', "N", 0, "threads (all CPUs); the result does not depend on it", 0},
    {0},
};

static const char doc[] = "Loss of a checkpoint over JSON lines or text: CSV on stdout, a row a file."
                          "\vloss is the weighted mean that training minimises, completion the mean over tokens of\n"
                          "completions (of text: all tokens), perplexity its exponential.";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 't':
    o->threads = (int)tern_option_number(state, "threads", text, 1, 4096);
    break;
  case ADAPTERS:
    o->adapters = text;
    break;
  case ARGP_KEY_ARG:
    if (state->arg_num == 0) {
      o->checkpoint = text;
      break;
    }
    if (o->files.count == TERN_TRAIN_FILES || strlen(text) >= TERN_TRAIN_PATH)
      argp_error(state, "more than %d files, or a path too long", TERN_TRAIN_FILES);
    strcpy(o->files.at[o->files.count].path, text);
    o->files.at[o->files.count].first = 1;
    o->files.at[o->files.count++].repeat = 1;
    break;
  case ARGP_KEY_END:
    if (o->files.count == 0) argp_error(state, "give a checkpoint and data");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

static int score(tern_trainer *t, const tern_dataset *d, tern_error *e) {
  printf("file,documents,tokens,loss,completions,completion,perplexity\n");
  for (int i = 0; i < d->files.count; i++) {
    tern_train_score s;
    size_t documents = 0;
    if (tern_trainer_score(t, d, i, &s, e) != TERN_OK) return TERN_FAILED;
    for (size_t k = 0; k < d->documents; k++) documents += d->file[k] == i;
    const double mean = s.completions ? s.entropy / (double)s.completions : NAN;
    printf("%s,%zu,%zu,%.9g,%zu,%.9g,%.6g\n", d->files.at[i].path, documents, s.tokens, s.loss / s.weight,
           s.completions, mean, exp(mean));
  }
  return fflush(stdout) == 0 ? TERN_OK : tern_fail_errno(e, "standard output: cannot write");
}

int tern_train_eval_command(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "CHECKPOINT DATA...", .doc = doc};
  static char name[] = "ternmark train eval";
  static options o; /* paths make it large for a stack */
  tern_trainer t;
  tern_dataset d;
  argv[0] = name;
  o.threads = tern_train_threads();
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  if ((o.adapters ? tern_trainer_load_adapted(&t, o.checkpoint, o.adapters, o.threads, TERN_ISA_COUNT, e)
                  : tern_trainer_load(&t, o.checkpoint, o.threads, TERN_ISA_COUNT, false, e)) != TERN_OK)
    return TERN_FAILED;
  int status = tern_dataset_read(&d, &t.config, &o.files, t.tokenizer, e);
  if (status == TERN_OK) {
    status = score(&t, &d, e);
    tern_dataset_close(&d);
  }
  tern_trainer_close(&t);
  return status;
}
