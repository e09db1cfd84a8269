/* Options that are numbers, names or lists of them. Bad ones end the program
 * with the usage line (argp_error): exit code 2. */
#ifndef TERN_HARNESS_JOB_LISTS_H
#define TERN_HARNESS_JOB_LISTS_H

#include <argp.h>

#include "harness/contender.h"
#include "harness/workload.h"

long tern_option_number(struct argp_state *state, const char *option, const char *arg, long least, long most);
double tern_option_real(struct argp_state *state, const char *option, const char *arg, double least, double most);
/* Index of `arg` in a NULL-terminated list. */
int tern_option_choice(struct argp_state *state, const char *option, const char *arg, const char *const *names);
/* Cuts the list at its commas, in place. */
void tern_option_words(struct argp_state *state, const char *option, char *arg, tern_words *out);
/* The same, each one of `names` (NULL: any), none twice. */
void tern_option_choices(struct argp_state *state, const char *option, char *arg, const char *const *names,
                         tern_words *out);
void tern_option_numbers(struct argp_state *state, const char *option, char *arg, long least, long most,
                         tern_numbers *out);

#endif
