/* What a Hugging Face repository has: GET {host}/api/models/REPO/tree/REVISION
 * gives [{type, path, size, oid, lfs: {oid, size}}], where lfs.oid is the file's
 * SHA-256 and oid, of files outside LFS, git's id. HF_ENDPOINT names another host
 * (a mirror), as it does for huggingface_hub. */
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "harness/eval/fetch_parts.h"

enum { MOST = 16 << 20 };

static int find_host(const char **host, tern_error *e) {
  const char *set = getenv("HF_ENDPOINT");
  *host = set != NULL && set[0] != '\0' ? set : "https://huggingface.co";
  if (tern_catalog_trusted_address(*host)) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "HF_ENDPOINT: %.80s is no https address", *host);
}

static int get_listing(tern_listing *l, const char *address, const tern_catalog_entry *t, const tern_fetch_options *o,
                       const char *token, tern_error *e) {
  char path[PATH_MAX], stem[NAME_MAX];
  tern_catalog_entry small = *t;
  const tern_catalog_file f = {.file = "listing", .address = address, .size = -1, .rows = -1, .download_size = -1};
  json_error_t why;
  bool resumed;
  small.most_bytes = MOST;
  tern_fetch_stem(stem, sizeof stem, address);
  snprintf(path, sizeof path, "%s/.fetch", o->root);
  if (tern_directory_make(path, e) != TERN_OK) return TERN_FAILED;
  /* as another process may ask the same: a name of our own */
  snprintf(stem + strlen(stem), sizeof stem - strlen(stem), "-%d", (int)getpid());
  int status = tern_fetch_download(path, sizeof path, stem, &small, &f, o, token, &resumed, e);
  if (status == TERN_OK) {
    l->root = json_load_file(path, 0, &why);
    if (!json_is_array(l->root))
      status = tern_fail(e, TERN_FAILED, "%s: gives no list of files: %.80s", address,
                         l->root == NULL ? why.text : "another JSON value");
  }
  static const char *const leftovers[] = {"part", "note", "whole"};
  for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++) {
    snprintf(path, sizeof path, "%s/.fetch/%s.%s", o->root, stem, leftovers[i]);
    unlink(path);
  }
  return status;
}

static bool is_taken(const tern_catalog_entry *t, const char *path) {
  size_t i;
  json_t *pattern;
  json_array_foreach((json_t *)t->take, i,
                     pattern) if (fnmatch(json_string_value(pattern), path, FNM_PATHNAME) == 0) return true;
  return false;
}

/* A text that lives as long as the listing. */
static const char *keep(tern_listing *l, const char *a, const char *b, const char *c, const char *d) {
  json_t *s = json_sprintf("%s%s%s%s", a, b, c, d);
  return json_array_append_new(l->texts, s) == 0 ? json_string_value(s) : NULL;
}

static int add(tern_listing *l, const json_t *o, const char *path, const char *base, const tern_catalog_entry *t,
               tern_error *e) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+/";
  const json_t *lfs = json_object_get(o, "lfs");
  const char *sha256 = json_string_value(json_object_get(lfs, "oid")),
             *oid = json_string_value(json_object_get(o, "oid"));
  const json_t *size = json_object_get(o, "size");
  if (strspn(path, plain) != strlen(path) || !tern_catalog_safe_name(path))
    return tern_fail(e, TERN_FAILED, "%s: has a file with an unusable name: '%.80s'", base, path);
  if (sha256 != NULL && (strlen(sha256) != 64 || strspn(sha256, "0123456789abcdef") != 64)) sha256 = NULL;
  if (sha256 != NULL || oid == NULL || strlen(oid) != 40) oid = NULL;
  l->files[l->count] = (tern_catalog_file){.file = keep(l, t->folder, "/", path, ""),
                                           .address = keep(l, base, path, "", ""),
                                           .sha256 = sha256,
                                           .hearsay = true,
                                           .git_id = oid,
                                           .size = json_is_integer(size) ? (long long)json_integer_value(size) : -1,
                                           .rows = -1,
                                           .download_sha256 = sha256,
                                           .download_size = -1};
  const tern_catalog_file *f = &l->files[l->count++];
  return f->file != NULL && f->address != NULL ? TERN_OK : tern_fail(e, TERN_FAILED, "%s: out of memory", base);
}

int tern_listing_read(tern_listing *out, const tern_catalog_entry *t, const tern_fetch_options *o, const char *token,
                      tern_error *e) {
  char address[1024], base[1024];
  const char *host;
  size_t i;
  json_t *one;
  *out = (tern_listing){.texts = json_array()};
  int status = find_host(&host, e);
  if (status == TERN_OK) {
    int n =
        snprintf(address, sizeof address, "%s/api/models/%s/tree/%s?recursive=true", host, t->repository, t->revision);
    int m = snprintf(base, sizeof base, "%s/%s/resolve/%s/", host, t->repository, t->revision);
    if (n >= (int)sizeof address || m >= (int)sizeof base)
      status = tern_fail(e, TERN_FAILED, "HF_ENDPOINT: %.80s...: too long", host);
  }
  if (status == TERN_OK) status = get_listing(out, address, t, o, token, e);
  if (status == TERN_OK) {
    out->files = calloc(json_array_size(out->root) + 1, sizeof *out->files);
    if (out->files == NULL) status = tern_fail(e, TERN_FAILED, "%s: out of memory", address);
  }
  json_array_foreach(out->root, i, one) {
    const char *path = json_string_value(json_object_get(one, "path"));
    const char *type = json_string_value(json_object_get(one, "type"));
    if (status != TERN_OK || path == NULL || type == NULL || strcmp(type, "file") != 0 || !is_taken(t, path)) continue;
    status = add(out, one, path, base, t, e);
  }
  if (status == TERN_OK && out->count == 0)
    status = tern_fail(e, TERN_FAILED, "%s: the repository has none of the files that this entry takes", t->home);
  if (status != TERN_OK) tern_listing_close(out);
  return status;
}

void tern_listing_close(tern_listing *l) {
  free(l->files);
  json_decref(l->root);
  json_decref(l->texts);
  *l = (tern_listing){0};
}
