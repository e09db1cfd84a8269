/* The program as its user runs it, in a scratch folder of its own: out and err
 * go to files there. For cmocka tests. */
#ifndef TERN_TESTS_PROGRAM_H
#define TERN_TESTS_PROGRAM_H

#include <jansson.h>
#include <sys/types.h>

#include "tests/scratch.h"

extern char program_dir[256];

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

int program_find(const char *path); /* of the binary; 0 when it is there */
int program_setup(void **state);    /* a fresh folder */
int program_teardown(void **state);

pid_t program_start(const char *const *args);
/* Its exit code; fails the test when a signal ended it. */
int program_finish(pid_t pid);
/* Runs it; fails the test on another exit code. */
void program_expect(int code, const char *const *args);
/* A file of the folder holds these words. */
void program_says(const char *file, const char *words);
int program_count_lines(const char *file); /* 0 when it is not there */
void program_wait_for_lines(const char *file, int lines);
json_t *program_json(const char *file); /* json_decref */

#endif
