/* A folder for one test's files, under TMPDIR; removed with what is in it. */
#ifndef TERN_TESTS_OWN_FOLDER_H
#define TERN_TESTS_OWN_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct folder {
  char folder[200], path[600];
} folder;

static inline folder folder_open(void) {
  folder s = {0};
  const char *base = getenv("TMPDIR");
  snprintf(s.folder, sizeof s.folder, "%.100s/ternmark-test-XXXXXX", base && *base ? base : "/tmp");
  if (!mkdtemp(s.folder)) abort();
  return s;
}

/* Path of a name in the folder; valid until the next call. */
static inline const char *folder_path(folder *s, const char *name) {
  snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name);
  return s->path;
}

/* Number of entries in the folder. */
static inline int folder_count(const folder *s) {
  int n = 0;
  DIR *d = opendir(s->folder);
  for (struct dirent *x; d && (x = readdir(d));) n += strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0;
  if (d) closedir(d);
  return n;
}

static inline void folder_close(folder *s) {
  DIR *d = opendir(s->folder);
  for (struct dirent *x; d && (x = readdir(d));) unlink(folder_path(s, x->d_name));
  if (d) closedir(d);
  rmdir(s->folder);
}

#endif
