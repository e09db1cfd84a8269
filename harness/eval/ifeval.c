/* The table of instructions, the eight variants, strict and loose. */
#include "harness/eval/ifeval.h"

#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval_rules.h"
#include "harness/eval/python_text.h"

enum { VARIANTS = 8 };

static const struct instruction {
  const char *id;
  tern_ifeval_rule *follows;
} instructions[] = {
    {"keywords:existence", tern_ifeval_existence},
    {"keywords:frequency", tern_ifeval_frequency},
    {"keywords:forbidden_words", tern_ifeval_forbidden_words},
    {"keywords:letter_frequency", tern_ifeval_letters},
    {"language:response_language", tern_ifeval_language},
    {"length_constraints:number_sentences", tern_ifeval_sentences},
    {"length_constraints:number_paragraphs", tern_ifeval_paragraphs},
    {"length_constraints:number_words", tern_ifeval_words},
    {"length_constraints:nth_paragraph_first_word", tern_ifeval_first_word},
    {"detectable_content:number_placeholders", tern_ifeval_placeholders},
    {"detectable_content:postscript", tern_ifeval_postscript},
    {"detectable_format:number_bullet_lists", tern_ifeval_bullets},
    {"detectable_format:constrained_response", tern_ifeval_constrained},
    {"detectable_format:number_highlighted_sections", tern_ifeval_highlights},
    {"detectable_format:multiple_sections", tern_ifeval_sections},
    {"detectable_format:json_format", tern_ifeval_json},
    {"detectable_format:title", tern_ifeval_title},
    {"combination:two_responses", tern_ifeval_two_responses},
    {"combination:repeat_prompt", tern_ifeval_repeat_prompt},
    {"startend:end_checker", tern_ifeval_end},
    {"startend:quotation", tern_ifeval_quotation},
    {"change_case:capital_word_frequency", tern_ifeval_capital_words},
    {"change_case:english_capital", tern_ifeval_english_capital},
    {"change_case:english_lowercase", tern_ifeval_english_lowercase},
    {"punctuation:no_comma", tern_ifeval_no_comma},
};

static const struct instruction *find(const char *id) {
  for (size_t i = 0; id != NULL && i < sizeof instructions / sizeof *instructions; i++) {
    if (strcmp(instructions[i].id, id) == 0) return &instructions[i];
  }
  return NULL;
}

int tern_ifeval_count(const json_t *row, tern_error *e) {
  const json_t *ids = json_object_get(row, "instruction_id_list"), *args = json_object_get(row, "kwargs"), *id;
  size_t i;
  if (!json_is_array(ids) || !json_is_array(args) || json_array_size(ids) != json_array_size(args) ||
      json_array_size(ids) > 1000) {
    tern_fail(e, TERN_FAILED, "instruction_id_list and kwargs: two lists of one length were expected");
    return -1;
  }
  json_array_foreach(ids, i, id) {
    if (find(json_string_value(id)) == NULL) {
      tern_fail(e, TERN_FAILED, "instruction_id_list: no instruction \"%s\" is known",
                json_is_string(id) ? json_string_value(id) : "(not a text)");
      return -1;
    }
    if (!json_is_object(json_array_get(args, i))) {
      tern_fail(e, TERN_FAILED, "kwargs: item %zu: an object was expected", i);
      return -1;
    }
  }
  return (int)json_array_size(ids);
}

/* "\n".join(lines without the first, the last).strip() */
static char *without_lines(const char *text, bool first, bool last, tern_error *e) {
  const char *end = text + strlen(text), *from = text;
  if (first) from = (from = strchr(text, '\n')) == NULL ? end : from + 1;
  if (last) {
    while (end > from && end[-1] != '\n') end--;
    if (end > from) end--;
  }
  char *out = strndup(from, (size_t)(end - from));
  if (out == NULL) {
    tern_fail(e, TERN_FAILED, "ifeval: out of memory");
    return NULL;
  }
  return tern_python_strip(out);
}

/* The response, then what is left of it, each also without asterisks. */
static int make_variants(const char *response, char **out, tern_error *e) {
  for (int i = 0; i < VARIANTS / 2; i++) {
    char *text = i == 0 ? strdup(response) : without_lines(response, i & 1, i & 2, e);
    if (text == NULL || (out[2 * i] = text, out[2 * i + 1] = strdup(text)) == NULL)
      return tern_fail(e, TERN_FAILED, "ifeval: out of memory");
    tern_python_delete(out[2 * i + 1], "*");
  }
  return 0;
}

static int check_variant(const struct instruction *in, const tern_ifeval_call *c, const char *text, tern_followed *out,
                         tern_error *e) {
  *out = TERN_NOT_FOLLOWED;
  return tern_ifeval_blank(text, strlen(text)) ? 0 : in->follows(c, text, out, e);
}

static int check_one(const tern_ifeval_call *c, char *const *variants, tern_followed *strict, tern_followed *loose,
                     tern_error *e) {
  const struct instruction *in = find(c->id);
  tern_followed one;
  int status = check_variant(in, c, variants[0], strict, e);
  *loose = *strict;
  for (int i = 1; i < VARIANTS && status == 0 && *loose != TERN_FOLLOWED; i++) {
    status = check_variant(in, c, variants[i], &one, e);
    if (one != TERN_NOT_FOLLOWED) *loose = one == TERN_FOLLOWED ? one : TERN_FOLLOWED_UNKNOWN;
  }
  return status;
}

int tern_ifeval_check(const json_t *row, const char *response, const tern_ifeval_tools *t, tern_followed *strict,
                      tern_followed *loose, tern_error *e) {
  char *variants[VARIANTS] = {NULL};
  int count = tern_ifeval_count(row, e);
  int status = count < 0 ? TERN_FAILED : make_variants(response, variants, e);
  for (int i = 0; i < count && status == 0; i++) {
    const tern_ifeval_call c = {
        json_string_value(json_array_get(json_object_get(row, "instruction_id_list"), (size_t)i)),
        json_array_get(json_object_get(row, "kwargs"), (size_t)i), t};
    status = check_one(&c, variants, &strict[i], &loose[i], e);
  }
  for (int i = 0; i < VARIANTS; i++) free(variants[i]);
  return status;
}
