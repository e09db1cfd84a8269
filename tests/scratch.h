/* Scratch folders for tests, under TMPDIR. Failures to make one end the test
 * program with a message. */
#ifndef TERN_TESTS_SCRATCH_H
#define TERN_TESTS_SCRATCH_H

/* Makes a fresh folder; `dir` takes its path. */
void scratch_make(char *dir, int size);
/* Removes the folder with all that is in it. */
void scratch_remove(const char *dir);
/* Writes a file of that text, folders of `name` included. */
void scratch_file(const char *dir, const char *name, const char *text);
/* Whole text of a file (free()); NULL: not there. */
char *scratch_read(const char *dir, const char *name);

#endif
