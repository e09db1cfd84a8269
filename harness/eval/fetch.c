/* An entry's files one by one, from the network or out of a user's folder. */
#include "harness/eval/fetch.h"

#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/eval/fetch_parts.h"

/* What is told, and to whom. */
typedef struct audience {
  tern_fetch_told told;
  void *state;
} audience;

static int one(const tern_catalog_entry *t, const tern_catalog_file *f, const char *source, const tern_fetch_options *o,
               const char *token, const audience *a, tern_error *e) {
  tern_fetched done;
  int status = tern_fetch_file(&done, t, f, source, o, token, e);
  if (status == TERN_OK && a->told != NULL) a->told(a->state, &done);
  return status;
}

static int listed_files(const tern_catalog_entry *t, const tern_fetch_options *o, const audience *a, tern_error *e) {
  char token[TERN_TOKEN_ROOM] = "";
  int status = t->gated ? tern_fetch_token(token, sizeof token, e) : TERN_OK;
  for (size_t i = 0; i < t->file_count && status == TERN_OK; i++) status = one(t, &t->files[i], NULL, o, token, a, e);
  if (status == TERN_OK) tern_fetch_tidy(t, o);
  return status;
}

static int repository_files(const tern_catalog_entry *t, const tern_fetch_options *o, const audience *a,
                            tern_error *e) {
  char token[TERN_TOKEN_ROOM] = "";
  tern_listing l = {0};
  int status = t->gated ? tern_fetch_token(token, sizeof token, e) : TERN_OK;
  if (status == TERN_OK) status = tern_listing_read(&l, t, o, token, e);
  for (size_t i = 0; i < l.count && status == TERN_OK; i++) status = one(t, &l.files[i], NULL, o, token, a, e);
  tern_listing_close(&l);
  return status;
}

static bool is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool takes(const tern_catalog_entry *t, const char *name) {
  size_t i;
  json_t *pattern;
  json_array_foreach((json_t *)t->take, i,
                     pattern) if (fnmatch(json_string_value(pattern), name, FNM_PATHNAME) == 0) return true;
  return false;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

/* A repository's files out of a folder: FROM/models/NAME, or FROM itself where it
 * is such a folder (a snapshot of the repository). What lies there is taken on
 * trust and held from then on. */
static int folder_files(const tern_catalog_entry *t, const tern_fetch_options *o, const audience *a, tern_error *e) {
  char folder[PATH_MAX / 2], path[PATH_MAX], file[PATH_MAX];
  struct dirent **all = NULL;
  int status = TERN_OK, found = 0;
  snprintf(folder, sizeof folder, "%s/%s", o->from, t->folder);
  if (!is_folder(folder)) snprintf(folder, sizeof folder, "%s", o->from);
  int n = scandir(folder, &all, NULL, by_name);
  if (n < 0) return tern_fail_errno(e, "%s: cannot read", folder);
  for (int i = 0; i < n; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, all[i]->d_name);
    snprintf(file, sizeof file, "%s/%s", t->folder, all[i]->d_name);
    if (status == TERN_OK && all[i]->d_name[0] != '.' && takes(t, all[i]->d_name) && !is_folder(path)) {
      const tern_catalog_file f = {.file = file, .size = -1, .rows = -1, .download_size = -1};
      status = one(t, &f, path, o, NULL, a, e);
      found++;
    }
    free(all[i]);
  }
  free(all);
  const tern_fetched none = {.entry = t, .file = t->folder, .state = TERN_FETCH_MISSING, .rows = -1};
  if (status == TERN_OK && found == 0 && a->told != NULL) a->told(a->state, &none);
  return status;
}

int tern_fetch(const tern_catalog_entry *t, const tern_fetch_options *o, tern_fetch_told told, void *state,
               tern_error *e) {
  const audience a = {told, state};
  if (o->from != NULL && !is_folder(o->from)) return tern_fail(e, TERN_FAILED, "%s: is no folder", o->from);
  if (t->repository == NULL) return listed_files(t, o, &a, e);
  return o->from != NULL ? folder_files(t, o, &a, e) : repository_files(t, o, &a, e);
}
