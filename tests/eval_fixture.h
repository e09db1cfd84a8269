/* Fixtures of the eval tests: JSON with the figures that the real programs
 * gave; "made_with" in each says which and how. */
#ifndef TERN_TESTS_EVAL_FIXTURE_H
#define TERN_TESTS_EVAL_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

/* fixtures/NAME; a missing or broken one ends the program. */
static inline json_t *fixture_open(const char *name) {
  char path[4096];
  json_error_t wrong;
  snprintf(path, sizeof path, "%s/%s", TERN_FIXTURES, name);
  json_t *root = json_load_file(path, 0, &wrong);
  if (root == NULL) {
    fprintf(stderr, "%s: %s\n", path, wrong.text);
    exit(99);
  }
  return root;
}

#endif
