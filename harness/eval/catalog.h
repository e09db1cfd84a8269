/* What others publish and evals use (datasets/manifest.json; format:
 * datasets/README.md): addresses, sizes, SHA-256, licences. Checked whole at
 * reading: unknown keys, file names that would leave the data folder, addresses
 * that nobody vouches for are errors that name entry and key. Immutable. */
#ifndef TERN_EVAL_CATALOG_H
#define TERN_EVAL_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "engine/base/error.h"

typedef struct tern_catalog_file {
  const char *file;            /* place under the data folder */
  const char *address;         /* NULL: comes from a user's folder only */
  const char *sha256;          /* of the content (digest.h); NULL: not known, held from the first use on */
  bool hearsay;                /* sha256 is what others say of it: not verified here, held as well */
  const char *git_id;          /* what git calls such a file; NULL: not known */
  long long size;              /* of the content; -1: not known */
  long long rows;              /* of JSON lines; -1: no such file, or not known */
  const char *download_sha256; /* of the bytes at the address; NULL: not known */
  long long download_size;     /* -1: not known */
  const json_t *form;          /* how content is made of the download (form.h); NULL: the same bytes */
  const char *note;            /* NULL: none */
} tern_catalog_file;

/* Either files, or a repository of which the server is asked what it has. */
typedef struct tern_catalog_entry {
  const char *name, *kind; /* kind: data, shots, tokenizer, model */
  const char *what, *licence, *citation, *home;
  bool gated; /* the publisher wants terms accepted: a token goes with the request */
  tern_catalog_file *files;
  size_t file_count;
  const char *repository, *revision, *folder; /* NULL: files */
  const json_t *take;                         /* patterns of names in the repository */
  long long most_bytes;                       /* of one file, when its size is not known */
} tern_catalog_entry;

typedef struct tern_catalog {
  tern_catalog_entry *entries;
  size_t count;
  json_t *root; /* holds all texts */
} tern_catalog;

/* path: NULL for the project's own. */
int tern_catalog_read(tern_catalog *out, const char *path, tern_error *e);
void tern_catalog_close(tern_catalog *m);

/* NULL: none of that name; *nearest (may be NULL) is then the likeliest, if any is near. */
const tern_catalog_entry *tern_catalog_find(const tern_catalog *m, const char *name, const char **nearest);

/* A name that stays under the folder it is put in, without control characters. */
bool tern_catalog_safe_name(const char *name);
/* https, or http to this machine itself. */
bool tern_catalog_trusted_address(const char *address);

#endif
