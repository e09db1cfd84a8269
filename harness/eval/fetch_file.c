/* One file: is it there and right; else out of the user's folder or from its
 * address, checked, and only then in place. Everything unfinished lies in
 * DATA/.fetch, on the same file system as the data. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "harness/eval/fetch_held.h"
#include "harness/eval/fetch_parts.h"
#include "harness/eval/form.h"

/* A file on its way. */
typedef struct job {
  const tern_catalog_entry *t;
  const tern_catalog_file *f;
  const tern_fetch_options *o;
  const char *token, *source;
  tern_held held;
  char target[PATH_MAX];
  tern_digest digest; /* of what is in place */
} job;

static int join(char path[PATH_MAX], const char *a, const char *b, tern_error *e) {
  int n = snprintf(path, PATH_MAX, "%s/%s", a, b);
  return n > 0 && n < PATH_MAX ? TERN_OK : tern_fail(e, TERN_FAILED, "%.80s/%.80s: name too long", a, b);
}

/* What the content must be: the manifest's word, else what was seen first, else
 * what the server says; NULL: nobody knows. */
static const char *wanted(const job *j) {
  if (j->f->sha256 != NULL && !j->f->hearsay) return j->f->sha256;
  return j->held.sha256[0] != '\0' ? j->held.sha256 : j->f->sha256;
}

static const char *whose(const job *j) {
  if (j->f->sha256 != NULL && !j->f->hearsay) return "the manifest has";
  return j->held.sha256[0] != '\0' ? "at its first use it was" : "its publisher says";
}

static long long limit(const job *j) {
  return j->f->size >= 0 ? j->f->size : j->t->most_bytes;
}

/* Size, hash, git's id and rows of a file that is to be (or is) the content. */
static int check_content(job *j, const char *path, tern_digest *d, tern_error *e) {
  const tern_catalog_file *f = j->f;
  bool packed = tern_digest_is_gzip(f->file);
  tern_error ignored = {0};
  int status = tern_digest_file(d, path, packed, limit(j), &ignored);
  if (status == TERN_INTERRUPTED) return tern_fail(e, TERN_INTERRUPTED, "interrupted");
  if (status != TERN_OK) return tern_fail(e, TERN_FAILED, "%s", ignored.text);
  if (f->size >= 0 && d->size != f->size)
    return tern_fail(e, TERN_FAILED, "%s: has %lld bytes, want %lld", path, d->size, f->size);
  if (wanted(j) != NULL && strcmp(d->sha256, wanted(j)) != 0)
    return tern_fail(e, TERN_FAILED, "%s: SHA-256 is %s, %s %s", path, d->sha256, whose(j), wanted(j));
  if (f->git_id != NULL && !packed && strcmp(d->git_id, f->git_id) != 0)
    return tern_fail(e, TERN_FAILED, "%s: git's id is %s, want %s", path, d->git_id, f->git_id);
  if (f->rows >= 0 && strstr(f->file, ".jsonl") != NULL && d->lines != f->rows)
    return tern_fail(e, TERN_FAILED, "%s: has %lld rows, want %lld", path, d->lines, f->rows);
  return TERN_OK;
}

/* *there: the file is in place and right. Another one in its place is an error:
 * nobody's file is overwritten. */
static int look(job *j, bool *there, tern_error *e) {
  tern_held now = {0};
  tern_error why = {0};
  *there = false;
  if (tern_held_get(&j->held, j->o->root, j->f->file, e) != TERN_OK) return TERN_FAILED;
  const char *was = j->held.sha256;
  if (j->f->hearsay && was[0] != '\0' && j->f->sha256 != NULL && strcmp(was, j->f->sha256) != 0)
    return tern_fail(e, TERN_FAILED,
                     "%s: its publisher has another file now (SHA-256 %.16s..., at its first use %.16s...)", j->f->file,
                     j->f->sha256, was);
  if (!tern_held_look(&now, j->o->root, j->f->file)) return TERN_OK;
  bool untouched = was[0] != '\0' && now.bytes == j->held.bytes && now.mtime_ns == j->held.mtime_ns;
  bool same = wanted(j) == NULL || strcmp(was, wanted(j)) == 0;
  *there = true;
  if (untouched && same && !j->o->check) {
    j->digest.size = j->held.size;
    memcpy(j->digest.sha256, was, sizeof j->digest.sha256);
    return TERN_OK;
  }
  int status = check_content(j, j->target, &j->digest, &why);
  if (status == TERN_OK) return TERN_OK;
  if (status == TERN_INTERRUPTED) return tern_fail(e, why.status, "%s", why.text);
  return tern_fail(e, TERN_FAILED, "%s; it was changed: move it away to fetch it anew", why.text);
}

/* A record that can't be kept (a folder that is read only) matters only where
 * nothing else vouches for the file. */
static int hold(const job *j, const char *address, tern_error *e) {
  tern_error ignored = {0};
  bool verified = j->f->sha256 != NULL && !j->f->hearsay;
  int status = tern_held_put(j->o->root, j->f->file, &j->digest, address, &ignored);
  return status == TERN_OK || verified ? TERN_OK : tern_fail(e, ignored.status, "%s", ignored.text);
}

static void folder_of(char folder[PATH_MAX], const char *path) {
  snprintf(folder, PATH_MAX, "%s", path);
  *strrchr(folder, '/') = '\0';
}

static int make_folder(const char *path, tern_error *e) {
  char folder[PATH_MAX];
  folder_of(folder, path);
  return tern_directory_make(folder, e);
}

/* So that a name survives a power cut; its failure changes nothing else. */
static void sync_folder(const char *path) {
  char folder[PATH_MAX];
  folder_of(folder, path);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

/* The finished file `made` into place. */
static int place(job *j, const char *made, tern_error *e) {
  int status = make_folder(j->target, e);
  if (status == TERN_OK && rename(made, j->target) == 0) {
    sync_folder(j->target);
    return TERN_OK;
  }
  if (status == TERN_OK && errno != EXDEV) return tern_fail_errno(e, "%s: cannot write", j->target);
  if (status == TERN_OK) status = tern_form_apply(NULL, made, j->target, LLONG_MAX, e); /* a folder mounted apart */
  if (status == TERN_OK) unlink(made);
  return status;
}

/* Content out of `from` by a form (NULL: its bytes), checked, in place. */
static int make(job *j, const json_t *form, const char *from, tern_error *e) {
  char made[PATH_MAX], name[64];
  snprintf(name, sizeof name, ".fetch/made-%d%s", (int)getpid(), tern_digest_is_gzip(j->f->file) ? ".gz" : "");
  int status = join(made, j->o->root, name, e);
  if (status == TERN_OK) status = make_folder(made, e);
  if (status == TERN_OK) status = tern_form_apply(form, from, made, form != NULL ? limit(j) : LLONG_MAX, e);
  if (status == TERN_OK) {
    tern_error why = {0};
    status = check_content(j, made, &j->digest, &why);
    if (status != TERN_OK) tern_fail(e, why.status, "%s: what is made of %s: %s", j->f->file, from, why.text);
    if (status == TERN_OK) status = place(j, made, e);
  }
  if (status != TERN_OK) unlink(made);
  return status;
}

static const char *last_part(const char *name) {
  const char *slash = strrchr(name, '/');
  return slash != NULL ? slash + 1 : name;
}

static bool is_download(const job *j, const char *path) {
  tern_digest d;
  tern_error ignored = {0};
  return j->f->download_sha256 == NULL || (tern_digest_file(&d, path, false, LLONG_MAX, &ignored) == TERN_OK &&
                                           strcmp(d.sha256, j->f->download_sha256) == 0);
}

/* Where a user's folder may have it: in our layout, the same unpacked, or what
 * the address gives, under its own name or its place in an lm-eval installation. */
static int take(job *j, tern_fetch_state *state, tern_error *e) {
  enum { OURS = 2 }; /* places before are named as in the data folder */
  static const json_t *const as_it_is = NULL;
  char path[PATH_MAX], plain[PATH_MAX];
  const char *file = j->f->file, *lm_eval = j->f->address != NULL ? strstr(j->f->address, "lm_eval/tasks/") : NULL;
  json_t *packing = json_pack("{s:s}", "kind", "unpack"), *loose = json_deep_copy(j->f->form);
  const char *member = json_string_value(json_object_get(j->f->form, "member"));
  snprintf(plain, sizeof plain, "%s", file);
  if (tern_digest_is_gzip(file)) plain[strlen(plain) - 3] = '\0';
  const struct {
    const char *name;
    const json_t *form;
  } places[] = {{file, as_it_is},
                {strcmp(plain, file) != 0 ? plain : NULL, packing},
                {lm_eval, j->f->form},
                {member, loose},
                {j->f->address != NULL ? last_part(j->f->address) : NULL, j->f->form}};
  int status = TERN_OK;
  if (loose != NULL) json_object_del(loose, "member"); /* an archive unpacked */
  *state = TERN_FETCH_MISSING;
  if (j->source != NULL) {
    *state = TERN_FETCH_TAKEN;
    status = make(j, as_it_is, j->source, e);
  }
  for (size_t i = 0; i < sizeof places / sizeof *places && *state == TERN_FETCH_MISSING && status == TERN_OK; i++) {
    if (places[i].name == NULL) continue;
    status = join(path, j->o->from, places[i].name, e);
    if (status != TERN_OK || access(path, R_OK) != 0) continue;
    tern_error why = {0};
    *state = TERN_FETCH_TAKEN;
    status = make(j, places[i].form, path, &why);
    if (status == TERN_FAILED && i >= OURS && !is_download(j, path)) { /* another file of that name */
      *state = TERN_FETCH_MISSING;
      status = TERN_OK;
    } else if (status != TERN_OK) {
      tern_fail(e, why.status, "%s", why.text);
    }
  }
  json_decref(packing);
  json_decref(loose);
  return status;
}

/* The bytes of the address, against what is known of them. */
static int check_download(job *j, const char *part, tern_error *e) {
  const tern_catalog_file *f = j->f;
  tern_digest d;
  if (f->form == NULL && f->download_sha256 == f->sha256) return check_content(j, part, &j->digest, e);
  if (f->download_sha256 != NULL) {
    int status = tern_digest_file(&d, part, false, LLONG_MAX, e);
    if (status != TERN_OK) return status;
    if (strcmp(d.sha256, f->download_sha256) != 0)
      return tern_fail(e, TERN_FAILED, "%s: SHA-256 is %s, the manifest has %s", f->address, d.sha256,
                       f->download_sha256);
  }
  return f->form == NULL ? check_content(j, part, &j->digest, e) : TERN_OK;
}

/* Downloads until it is right: what was put together of two tries and is wrong
 * is fetched once more as a whole. */
static int from_address(job *j, tern_error *e) {
  char got[PATH_MAX], stem[NAME_MAX];
  const tern_catalog_file *f = j->f;
  tern_fetch_stem(stem, sizeof stem, f->address);
  for (int attempt = 0;; attempt++) {
    bool resumed = false;
    tern_error why = {0};
    if (tern_fetch_download(got, sizeof got, stem, j->t, f, j->o, j->token, &resumed, e) != TERN_OK)
      return (int)e->status;
    int status = check_download(j, got, &why);
    if (status == TERN_OK && f->form == NULL) return place(j, got, e);
    if (status == TERN_OK) status = make(j, f->form, got, &why);
    if (status == TERN_OK) return status;
    if (status == TERN_INTERRUPTED) return tern_fail(e, TERN_INTERRUPTED, "%s", why.text);
    unlink(got);
    if (!resumed || attempt > 0)
      return tern_fail(e, TERN_FAILED, "%s: %s (nothing is kept; the address gives another file than it did?)", f->file,
                       why.text);
  }
}

int tern_fetch_file(tern_fetched *out, const tern_catalog_entry *t, const tern_catalog_file *f, const char *source,
                    const tern_fetch_options *o, const char *token, tern_error *e) {
  job j = {.t = t, .f = f, .o = o, .token = token, .source = source};
  char stem[NAME_MAX];
  bool there = false;
  *out = (tern_fetched){.entry = t, .file = f->file, .rows = f->rows, .verified = f->sha256 != NULL && !f->hearsay};
  int lock = -1, status = join(j.target, o->root, f->file, e);
  if (status == TERN_OK) status = look(&j, &there, e);
  if (status == TERN_OK && !there) {
    tern_fetch_stem(stem, sizeof stem, f->address != NULL ? f->address : f->file);
    lock = tern_held_lock(o->root, stem, e);
    status = lock >= 0 ? look(&j, &there, e) : (int)e->status; /* the one waited for may have brought it */
  }
  if (status == TERN_OK && !there) {
    if (o->from != NULL || source != NULL) {
      status = take(&j, &out->state, e);
    } else if (f->address == NULL) {
      out->state = TERN_FETCH_MISSING;
    } else {
      out->state = TERN_FETCH_FETCHED;
      status = from_address(&j, e);
    }
  }
  if (status == TERN_OK && out->state != TERN_FETCH_MISSING) {
    memcpy(out->sha256, j.digest.sha256, sizeof out->sha256);
    out->size = j.digest.size;
    out->first_use = !out->verified && j.held.sha256[0] == '\0';
    status = hold(&j, out->state == TERN_FETCH_FETCHED ? f->address : NULL, e);
  }
  if (lock >= 0) close(lock);
  return status;
}

void tern_fetch_tidy(const tern_catalog_entry *t, const tern_fetch_options *o) {
  char path[PATH_MAX], stem[NAME_MAX], name[NAME_MAX + 16];
  tern_error ignored = {0};
  for (size_t i = 0; i < t->file_count; i++) {
    if (t->files[i].address == NULL || t->files[i].form == NULL) continue;
    tern_fetch_stem(stem, sizeof stem, t->files[i].address);
    snprintf(name, sizeof name, ".fetch/%s.whole", stem);
    if (join(path, o->root, name, &ignored) == TERN_OK) unlink(path);
  }
}
