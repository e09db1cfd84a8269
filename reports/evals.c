/* Columns of the published table, and whose figures belong to them. */
#include "reports/evals.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const tern_eval_column columns[] = {
    {"ARC-Challenge", {"arc_challenge"}, {"acc_norm,none"}, NULL},
    {"ARC-Easy", {"arc_easy"}, {"acc_norm,none"}, NULL},
    {"OpenbookQA", {"openbookqa"}, {"acc_norm,none"}, NULL},
    {"BoolQ", {"boolq"}, {"acc,none"}, NULL},
    {"HellaSwag", {"hellaswag"}, {"acc_norm,none"}, NULL},
    {"PIQA", {"piqa"}, {"acc_norm,none"}, NULL},
    {"WinoGrande", {"winogrande"}, {"acc,none"}, NULL},
    {"CommonsenseQA", {"commonsense_qa"}, {"acc,none"}, NULL},
    {"TruthfulQA", {"truthfulqa_mc2"}, {"acc,none"}, NULL},
    {"TriviaQA", {"triviaqa"}, {"exact_match,remove_whitespace"}, NULL},
    {"MMLU", {"mmlu"}, {"acc,none"}, NULL},
    {"HumanEval+", {"evalplus_humaneval_chat", "evalplus_humaneval"}, {"pass@1_plus,none", "pass@1,none"}, NULL},
    {"GSM8K", {"gsm8k"}, {"exact_match,strict-match", "exact_match,flexible-extract"}, NULL},
    {"MATH-500", {"minerva_math500"}, {"math_verify,none", "exact_match,none"}, NULL},
    {"IFEval", {"ifeval"}, {"inst_level_strict_acc,none"}, NULL},
    {"MT-bench", {"mtbench"}, {NULL}, "a judge outside decides"},
};

const tern_eval_column *tern_eval_columns(size_t *count) {
  *count = sizeof columns / sizeof *columns;
  return columns;
}

int tern_evals_read(tern_table **out, const char *dir, tern_error *e) {
  char path[4096];
  *out = NULL;
  snprintf(path, sizeof path, "%s/evals.csv", dir);
  return access(path, R_OK) == 0 ? tern_table_read(out, path, false, e) : 0;
}

int tern_evals_find(const tern_table *t, const tern_eval_column *c, const char *model) {
  for (size_t k = 0; k < sizeof c->tasks / sizeof *c->tasks && c->tasks[k]; k++) {
    for (size_t i = 0; i < sizeof c->figures / sizeof *c->figures && c->figures[i]; i++) {
      const char *const pairs[] = {"model", model, "task", c->tasks[k], "figure", c->figures[i], NULL};
      int row = tern_table_find(t, 0, pairs);
      if (row >= 0) return row;
    }
  }
  return -1;
}

/* Letters and digits alone, lower case. */
static void plain(char *out, size_t size, const char *text) {
  size_t n = 0;
  for (; *text && n + 1 < size; text++)
    if (isalnum((unsigned char)*text)) out[n++] = (char)tolower((unsigned char)*text);
  out[n] = '\0';
}

bool tern_eval_is_model(const char *name, const char *published) {
  /* what files of the models call themselves otherwise */
  static const char *const others[][2] = {{"BitNet b1.58 2B4T", "bitnet2b"}};
  char a[256], b[128];
  plain(a, sizeof a, name);
  plain(b, sizeof b, published);
  if (!*b || strstr(a, "synth") || strstr(a, "dummy")) return false;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(published, others[i][0]) == 0 && strcmp(a, others[i][1]) == 0) return true;
  return strstr(a, b) != NULL;
}
