/* Lists on the command line. */
#include "harness/job_lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long tern_option_number(struct argp_state *state, const char *option, const char *arg, long least, long most) {
  char *end;
  errno = 0;
  long v = strtol(arg, &end, 10);
  if (errno || end == arg || *end || v < least || v > most)
    argp_error(state, "--%s '%s': a number from %ld to %ld", option, arg, least, most);
  return v;
}

double tern_option_real(struct argp_state *state, const char *option, const char *arg, double least, double most) {
  char *end;
  errno = 0;
  double v = strtod(arg, &end);
  if (errno || end == arg || *end || !(v >= least && v <= most))
    argp_error(state, "--%s '%s': a number from %g to %g", option, arg, least, most);
  return v;
}

int tern_option_choice(struct argp_state *state, const char *option, const char *arg, const char *const *names) {
  char allowed[256] = "";
  for (int i = 0; names[i]; i++) {
    if (strcmp(names[i], arg) == 0) return i;
    size_t used = strlen(allowed);
    snprintf(allowed + used, sizeof allowed - used, "%s%s", i ? ", " : "", names[i]);
  }
  argp_error(state, "--%s '%s': one of %s", option, arg, allowed);
  return 0;
}

void tern_option_words(struct argp_state *state, const char *option, char *arg, tern_words *out) {
  out->count = 0;
  char *rest = arg;
  for (char *word; (word = strsep(&rest, ","));) {
    if (!*word) argp_error(state, "--%s: an empty name in the list", option);
    if (out->count == TERN_MOST_WORDS) argp_error(state, "--%s: at most %d names", option, TERN_MOST_WORDS);
    for (int i = 0; i < out->count; i++)
      if (strcmp(out->items[i], word) == 0) argp_error(state, "--%s: '%s' twice", option, word);
    out->items[out->count++] = word;
  }
}

void tern_option_choices(struct argp_state *state, const char *option, char *arg, const char *const *names,
                         tern_words *out) {
  tern_option_words(state, option, arg, out);
  for (int i = 0; i < out->count; i++) tern_option_choice(state, option, out->items[i], names);
}

void tern_option_numbers(struct argp_state *state, const char *option, char *arg, long least, long most,
                         tern_numbers *out) {
  tern_words words;
  tern_option_words(state, option, arg, &words);
  out->count = words.count;
  for (int i = 0; i < words.count; i++)
    out->items[i] = (int)tern_option_number(state, option, words.items[i], least, most);
}
