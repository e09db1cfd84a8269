/* Reading the manifest. Keys are checked against tables, so that a misspelt
 * "sha256" can't quietly turn a verified file into an unverified one. */
#include "harness/eval/catalog.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/nearest.h"
#include "harness/eval/digest.h"
#include "harness/eval/form.h"

enum { VERSION = 1, NEAR = 3 };
static const long long usual_most = (long long)64 << 30;

typedef enum { TEXT, NUMBER, FLAG, OBJECT, LIST } shape;
typedef struct key {
  const char *name;
  shape shape;
  bool needed;
} key;

static const key entry_keys[] = {
    {"name", TEXT, true},          {"kind", TEXT, true},      {"what", TEXT, true},    {"licence", TEXT, true},
    {"citation", TEXT, false},     {"home", TEXT, true},      {"gated", FLAG, false},  {"files", LIST, false},
    {"repository", TEXT, false},   {"revision", TEXT, false}, {"folder", TEXT, false}, {"take", LIST, false},
    {"most_bytes", NUMBER, false},
};
static const key file_keys[] = {
    {"file", TEXT, true},    {"address", TEXT, true},           {"sha256", TEXT, true},  {"size", NUMBER, false},
    {"rows", NUMBER, false}, {"download", OBJECT, false},       {"form", OBJECT, false}, {"git", TEXT, false},
    {"note", TEXT, false},   {"published_sha256", TEXT, false},
};
static const key download_keys[] = {{"size", NUMBER, true}, {"sha256", TEXT, true}};
static const char *const kinds[] = {"data", "shots", "tokenizer", "model"};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool fits(const json_t *v, shape s) {
  switch (s) {
  case TEXT:
    return json_is_string(v);
  case NUMBER:
    return json_is_integer(v) && json_integer_value(v) >= 0;
  case FLAG:
    return json_is_boolean(v);
  case OBJECT:
    return json_is_object(v);
  case LIST:
    return json_is_array(v) && json_array_size(v) > 0;
  }
  return false;
}

/* Every key known and of its shape, every needed one there. JSON's null stands
 * for a thing that nobody knows: the key must be written all the same. */
static int check_keys(const json_t *o, const key *keys, size_t n, const char *where, tern_error *e) {
  const char *name;
  json_t *v;
  if (!json_is_object(o)) return tern_fail(e, TERN_FAILED, "%s: want an object", where);
  json_object_foreach((json_t *)o, name, v) {
    size_t i = 0;
    while (i < n && strcmp(keys[i].name, name) != 0) i++;
    if (i == n) return tern_fail(e, TERN_FAILED, "%s: unknown key '%.40s'", where, name);
    if (!json_is_null(v) && !fits(v, keys[i].shape))
      return tern_fail(e, TERN_FAILED, "%s: key '%.40s' has a wrong value", where, name);
  }
  for (size_t i = 0; i < n; i++)
    if (keys[i].needed && json_object_get(o, keys[i].name) == NULL)
      return tern_fail(e, TERN_FAILED, "%s: key '%s' is missing", where, keys[i].name);
  return TERN_OK;
}

static const char *text(const json_t *o, const char *name) {
  return json_string_value(json_object_get(o, name));
}

static long long number(const json_t *o, const char *name) {
  const json_t *v = json_object_get(o, name);
  return json_is_integer(v) ? (long long)json_integer_value(v) : -1;
}

bool tern_catalog_safe_name(const char *name) {
  if (name[0] == '\0' || name[0] == '/' || strlen(name) >= PATH_MAX / 2) return false;
  for (const char *part = name; part != NULL; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
    size_t n = strcspn(part, "/");
    if (n == 0 || n > NAME_MAX - 40 || (n <= 2 && strncmp(part, "..", n) == 0)) return false;
  }
  for (const unsigned char *c = (const unsigned char *)name; *c; c++)
    if (*c < ' ' || *c == 127 || *c == '\\') return false;
  return true;
}

bool tern_catalog_trusted_address(const char *address) {
  static const char *const starts[] = {"https://",
                                       "http://127.0.0.1:", "http://127.0.0.2:", "http://localhost:", "http://[::1]:"};
  if (strpbrk(address, "@\\ \t\r\n") != NULL) return false; /* "http://localhost:1@elsewhere" */
  for (size_t i = 0; i < COUNT(starts); i++)
    if (strncmp(address, starts[i], strlen(starts[i])) == 0) return true;
  return false;
}

static bool is_hex(const char *s, size_t n) {
  return s == NULL || (strlen(s) == n && strspn(s, "0123456789abcdef") == n);
}

static int read_file(tern_catalog_file *f, const json_t *o, const char *where, tern_error *e) {
  int status = check_keys(o, file_keys, COUNT(file_keys), where, e);
  const json_t *d = json_object_get(o, "download");
  if (status == TERN_OK && d != NULL) status = check_keys(d, download_keys, COUNT(download_keys), where, e);
  if (status != TERN_OK) return status;
  *f = (tern_catalog_file){.file = text(o, "file"),
                           .address = text(o, "address"),
                           .sha256 = text(o, "sha256"),
                           .git_id = text(o, "git"),
                           .size = number(o, "size"),
                           .rows = number(o, "rows"),
                           .download_sha256 = text(d, "sha256"),
                           .download_size = number(d, "size"),
                           .form = json_object_get(o, "form"),
                           .note = text(o, "note")};
  if (f->sha256 == NULL) {
    f->sha256 = text(o, "published_sha256");
    f->hearsay = f->sha256 != NULL;
  }
  if (f->file == NULL || !tern_catalog_safe_name(f->file))
    return tern_fail(e, TERN_FAILED, "%s: 'file' must be a name under the data folder", where);
  if (!is_hex(f->sha256, 64) || !is_hex(f->download_sha256, 64))
    return tern_fail(e, TERN_FAILED, "%s: %s: a SHA-256 has 64 hex digits", where, f->file);
  if (!is_hex(f->git_id, 40)) return tern_fail(e, TERN_FAILED, "%s: %s: 'git' has 40 hex digits", where, f->file);
  /* what is packed or made anew has other bytes than the address gives */
  if (f->form == NULL && d == NULL && !tern_digest_is_gzip(f->file)) {
    f->download_sha256 = f->sha256;
    f->download_size = f->size;
  }
  const char *vouched = f->download_sha256 != NULL ? f->download_sha256 : f->sha256;
  bool plain_http = f->address != NULL && strncmp(f->address, "http://", 7) == 0 && vouched != NULL &&
                    strchr(f->address, '@') == NULL;
  if (f->address != NULL && !tern_catalog_trusted_address(f->address) && !plain_http)
    return tern_fail(e, TERN_FAILED, "%s: %s: the address must be https (http where a SHA-256 is given)", where,
                     f->file);
  return f->form != NULL ? tern_form_check(f->form, where, e) : TERN_OK;
}

static bool is_kind(const char *kind) {
  for (size_t i = 0; i < COUNT(kinds); i++)
    if (kind != NULL && strcmp(kind, kinds[i]) == 0) return true;
  return false;
}

static int check_repository(const tern_catalog_entry *t, const char *where, tern_error *e) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
  static const char revision[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-%"; /* %2F: a slash */
  const char *r = t->repository;
  if (r == NULL) return tern_fail(e, TERN_FAILED, "%s: wants 'files' or 'repository'", where);
  if (strspn(r, plain) != strlen(r) || !tern_catalog_safe_name(r) ||
      strspn(t->revision, revision) != strlen(t->revision))
    return tern_fail(e, TERN_FAILED, "%s: repository and revision are plain names", where);
  if (t->folder == NULL || !tern_catalog_safe_name(t->folder) || t->take == NULL)
    return tern_fail(e, TERN_FAILED, "%s: a repository wants 'folder' and 'take'", where);
  size_t i;
  json_t *v;
  json_array_foreach((json_t *)t->take, i, v) if (!json_is_string(v)) return tern_fail(
      e, TERN_FAILED, "%s: 'take' is a list of patterns", where);
  return TERN_OK;
}

static int read_entry(tern_catalog_entry *t, const json_t *o, const char *where, tern_error *e) {
  int status = check_keys(o, entry_keys, COUNT(entry_keys), where, e);
  if (status != TERN_OK) return status;
  const json_t *files = json_object_get(o, "files"), *revision = json_object_get(o, "revision");
  *t = (tern_catalog_entry){.name = text(o, "name"),
                            .kind = text(o, "kind"),
                            .what = text(o, "what"),
                            .licence = text(o, "licence"),
                            .citation = text(o, "citation"),
                            .home = text(o, "home"),
                            .gated = json_is_true(json_object_get(o, "gated")),
                            .repository = text(o, "repository"),
                            .revision = json_is_string(revision) ? json_string_value(revision) : "main",
                            .folder = text(o, "folder"),
                            .take = json_object_get(o, "take"),
                            .most_bytes = number(o, "most_bytes")};
  if (t->most_bytes <= 0) t->most_bytes = usual_most;
  if (t->name == NULL || !tern_catalog_safe_name(t->name) || !t->what || !t->licence || !t->home)
    return tern_fail(e, TERN_FAILED, "%s: name, what, licence and home must be texts", where);
  if (!is_kind(t->kind)) return tern_fail(e, TERN_FAILED, "%s: kind must be data, shots, tokenizer or model", where);
  if (files == NULL) return check_repository(t, where, e);
  if (t->repository != NULL) return tern_fail(e, TERN_FAILED, "%s: has 'files' and 'repository'", where);
  t->files = calloc(json_array_size(files), sizeof *t->files);
  if (t->files == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  for (; status == TERN_OK && t->file_count < json_array_size(files); t->file_count++)
    status = read_file(&t->files[t->file_count], json_array_get(files, t->file_count), where, e);
  return status;
}

/* A name, or a file's place, twice would let one entry overwrite another's data. */
static int check_twice(const tern_catalog *m, const char *path, tern_error *e) {
  json_t *seen = json_object();
  int status = TERN_OK;
  for (size_t i = 0; i < m->count && status == TERN_OK; i++) {
    const tern_catalog_entry *t = &m->entries[i];
    char name[PATH_MAX];
    for (size_t k = 0; k < t->file_count + 2 && status == TERN_OK; k++) {
      const char *one = k == 0 ? t->name : k == 1 ? t->folder : t->files[k - 2].file;
      if (one == NULL) continue;
      snprintf(name, sizeof name, "%s %s", k == 0 ? "name" : "file", one);
      if (json_object_get(seen, name) != NULL)
        status = tern_fail(e, TERN_FAILED, "%s: %s: '%s' stands twice", path, t->name, one);
      json_object_set_new(seen, name, json_true());
    }
  }
  json_decref(seen);
  return status;
}

int tern_catalog_read(tern_catalog *out, const char *path, tern_error *e) {
  json_error_t why;
  const json_t *entries;
  int status = TERN_OK;
  if (path == NULL) path = TERN_SOURCE_DIR "/datasets/manifest.json";
  *out = (tern_catalog){.root = json_load_file(path, JSON_REJECT_DUPLICATES, &why)};
  if (out->root == NULL)
    return tern_fail(e, TERN_FAILED, "%s: line %d: %.200s", path, why.line > 0 ? why.line : 0, why.text);
  entries = json_object_get(out->root, "entries");
  if (number(out->root, "ternmark_manifest") != VERSION || !json_is_array(entries))
    status =
        tern_fail(e, TERN_FAILED, "%s: no manifest of version %d (keys ternmark_manifest, entries)", path, VERSION);
  if (status == TERN_OK) out->entries = calloc(json_array_size(entries) + 1, sizeof *out->entries);
  if (status == TERN_OK && out->entries == NULL) status = tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  while (status == TERN_OK && out->count < json_array_size(entries)) {
    const json_t *o = json_array_get(entries, out->count);
    const char *name = text(o, "name");
    char where[PATH_MAX + 128];
    snprintf(where, sizeof where, "%s: entry %zu (%.60s)", path, out->count + 1, name != NULL ? name : "no name");
    status = read_entry(&out->entries[out->count++], o, where, e);
  }
  if (status == TERN_OK) status = check_twice(out, path, e);
  if (status != TERN_OK) tern_catalog_close(out);
  return status;
}

void tern_catalog_close(tern_catalog *m) {
  for (size_t i = 0; i < m->count; i++) free(m->entries[i].files);
  free(m->entries);
  json_decref(m->root);
  *m = (tern_catalog){0};
}

const tern_catalog_entry *tern_catalog_find(const tern_catalog *m, const char *name, const char **nearest) {
  int best = NEAR + 1;
  if (nearest != NULL) *nearest = NULL;
  for (size_t i = 0; i < m->count; i++) {
    int d = tern_name_distance(name, m->entries[i].name);
    if (strcmp(name, m->entries[i].name) == 0) return &m->entries[i];
    if (d >= best) continue;
    best = d;
    if (nearest != NULL) *nearest = m->entries[i].name;
  }
  return NULL;
}
