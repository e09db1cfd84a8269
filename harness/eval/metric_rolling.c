/* Perplexities: a page's log-likelihood beside its words or bytes, as lm-eval's
 * samples have them; words are pieces of re.split(r"\s+"). */
#include <string.h>

#include "harness/eval/document.h"
#include "harness/eval/metrics.h"
#include "harness/eval/pages.h"

enum { ROLLING = 1u << TERN_ASK_ROLLING };

static int score_units(const char *name, bool words, tern_scored *items, size_t count, tern_error *e) {
  for (size_t i = 0; i < count; i++) {
    const tern_row_texts *t = &items[i].document->texts;
    const char *original = t->original != NULL ? t->original : t->prompt;
    size_t units = words ? tern_wikitext_words(original) : strlen(original);
    json_t *value = json_pack("[f, I]", items[i].replies[0].logprob, (json_int_t)units);
    if (tern_scored_set(&items[i], name, value, e) != 0) return (int)e->status;
  }
  return 0;
}

static int score_word_perplexity(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  (void)c;
  return score_units("word_perplexity", true, items, count, e);
}

static int score_byte_perplexity(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  (void)c;
  return score_units("byte_perplexity", false, items, count, e);
}

static int score_bits_per_byte(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  (void)c;
  return score_units("bits_per_byte", false, items, count, e);
}

const tern_metric tern_metric_word_perplexity = {.name = "word_perplexity",
                                                 .kinds = ROLLING,
                                                 .figures = {{"word_perplexity", false, tern_sum_perplexity}},
                                                 .score = score_word_perplexity};
const tern_metric tern_metric_byte_perplexity = {.name = "byte_perplexity",
                                                 .kinds = ROLLING,
                                                 .figures = {{"byte_perplexity", false, tern_sum_perplexity}},
                                                 .score = score_byte_perplexity};
const tern_metric tern_metric_bits_per_byte = {.name = "bits_per_byte",
                                               .kinds = ROLLING,
                                               .figures = {{"bits_per_byte", false, tern_sum_bits}},
                                               .score = score_bits_per_byte};
