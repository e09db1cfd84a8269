/* Scratch folders for tests. */
#include "tests/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void give_up(const char *what) {
  perror(what);
  exit(99);
}

void scratch_make(char *dir, int size) {
  const char *root = getenv("TMPDIR");
  snprintf(dir, (size_t)size, "%s/ternmark-test-XXXXXX", root && root[0] ? root : "/tmp");
  if (!mkdtemp(dir)) give_up(dir);
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at) {
  (void)st, (void)kind, (void)at;
  return remove(path);
}

void scratch_remove(const char *dir) {
  nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

void scratch_file(const char *dir, const char *name, const char *text) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  for (char *at = path + strlen(dir) + 1; (at = strchr(at, '/')); at++) {
    *at = '\0';
    mkdir(path, 0777);
    *at = '/';
  }
  FILE *f = fopen(path, "w");
  if (!f || fputs(text, f) < 0 || fclose(f) != 0) give_up(path);
}

char *scratch_read(const char *dir, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "r");
  if (!f) return NULL;
  fseek(f, 0, SEEK_END);
  long size = ftell(f);
  rewind(f);
  char *text = calloc((size_t)size + 1, 1);
  if (!text || fread(text, 1, (size_t)size, f) != (size_t)size) give_up(path);
  fclose(f);
  return text;
}
