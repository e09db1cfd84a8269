/* An address into the data folder's .fetch, with the token it may need. */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "harness/eval/fetch_http.h"
#include "harness/eval/fetch_parts.h"
#include "harness/eval/item.h"

enum { MOST_TOKEN = TERN_TOKEN_ROOM - 1, DIGITS = 8, KEEP = 60 };

void tern_fetch_stem(char *stem, size_t size, const char *address) {
  char hash[TERN_HASH_ROOM], name[KEEP + 1];
  tern_error unused = {0};
  const char *slash = strrchr(address, '/');
  if (tern_hash_text(address, hash, &unused) != TERN_OK) hash[0] = '\0'; /* the name alone must do */
  snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : address);
  for (char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL) *c = '_';
  snprintf(stem, size, "%.*s-%s", 2 * DIGITS, hash, name);
}

static int read_token_file(char *token, size_t size, const char *path, tern_error *e) {
  size_t n = 0;
  if (access(path, F_OK) != 0) return TERN_OK;
  char *text = tern_file_read(path, MOST_TOKEN, &n, e);
  if (text == NULL) return TERN_FAILED;
  snprintf(token, size, "%s", text);
  free(text);
  return TERN_OK;
}

int tern_fetch_token(char *token, size_t size, tern_error *e) {
  char path[PATH_MAX] = "";
  const char *given = getenv("HF_TOKEN"), *file = getenv("HF_TOKEN_PATH"), *home = getenv("HF_HOME"),
             *user = getenv("HOME");
  int status = TERN_OK;
  token[0] = '\0';
  if (given != NULL && given[0] != '\0') {
    snprintf(token, size, "%s", given);
  } else {
    if (file != NULL && file[0] != '\0')
      snprintf(path, sizeof path, "%s", file);
    else if (home != NULL && home[0] != '\0')
      snprintf(path, sizeof path, "%s/token", home);
    else if (user != NULL && user[0] != '\0')
      snprintf(path, sizeof path, "%s/.cache/huggingface/token", user);
    status = read_token_file(token, size, path, e);
  }
  size_t n = strlen(token);
  while (n > 0 && isspace((unsigned char)token[n - 1])) token[--n] = '\0';
  for (size_t i = 0; i < n && status == TERN_OK; i++) /* it becomes a line of the request's head */
    if (!isgraph((unsigned char)token[i]))
      status =
          tern_fail(e, TERN_FAILED, "the Hugging Face token (HF_TOKEN, or its file) has a character that no token has");
  return status;
}

/* Better known before hours of a transfer than at their end. */
static int check_room(int fd, const char *part, long long size, tern_error *e) {
  struct statvfs fs;
  struct stat st;
  if (size < 0 || fstatvfs(fd, &fs) != 0 || fstat(fd, &st) != 0) return TERN_OK;
  double want = (double)size - (double)st.st_size, left = (double)fs.f_bavail * (double)fs.f_frsize;
  if (want <= left) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "%s: wants %.2f GB more and %.2f GB are free; name a larger disk with --data", part,
                   want * 1e-9, left * 1e-9);
}

int tern_fetch_download(char *whole, size_t room, const char *stem, const tern_catalog_entry *t,
                        const tern_catalog_file *f, const tern_fetch_options *o, const char *token, bool *resumed,
                        tern_error *e) {
  char note[PATH_MAX], part[PATH_MAX];
  long long kept = 0;
  int n = snprintf(whole, room, "%s/.fetch/%s.whole", o->root, stem);
  int m = snprintf(note, sizeof note, "%s/.fetch/%s.note", o->root, stem);
  snprintf(part, sizeof part, "%s/.fetch/%s.part", o->root, stem);
  if (n < 0 || (size_t)n >= room || m < 0 || m >= (int)sizeof note)
    return tern_fail(e, TERN_FAILED, "%.80s: name too long", o->root);
  *resumed = access(whole, R_OK) == 0; /* another file of the entry came out of it */
  if (*resumed) return TERN_OK;
  int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return tern_fail_errno(e, "%s: cannot write", part);
  bool plain = f->form == NULL && !tern_digest_is_gzip(f->file);
  const tern_http_request r = {.address = f->address,
                               .label = o->progress ? f->file : NULL,
                               .token = t->gated && token != NULL && token[0] != '\0' ? token : NULL,
                               .gated = t->gated ? t->home : NULL,
                               .size = plain && f->download_size < 0 ? f->size : f->download_size,
                               .most = t->most_bytes,
                               .verified = f->download_sha256 != NULL || f->sha256 != NULL,
                               .stall_s = o->stall_s,
                               .tries = o->tries,
                               .pause_s = o->pause_s};
  int status = check_room(fd, part, r.size, e);
  if (status == TERN_OK) status = tern_http_get(&r, fd, note, &kept, e);
  *resumed = kept > 0;
  if (close(fd) != 0 && status == TERN_OK) status = tern_fail_errno(e, "%s: cannot write", part);
  if (status == TERN_OK && rename(part, whole) != 0) status = tern_fail_errno(e, "%s: cannot write", whole);
  return status;
}
