/* One pass over a file: both hashes, size and lines. Git's id of a file is the
 * SHA-1 of "blob SIZE\0" and the bytes; repositories publish it where they
 * publish no SHA-256. */
#include "harness/eval/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <zlib.h>

#include "engine/base/interrupt.h"

enum { CHUNK = 1 << 18 };

bool tern_digest_is_gzip(const char *name) {
  size_t n = strlen(name);
  return n > 3 && strcmp(name + n - 3, ".gz") == 0;
}

typedef struct pass {
  EVP_MD_CTX *sha256, *git;
  long long size, lines;
  bool in_line;
} pass;

static bool take(pass *p, const unsigned char *bytes, size_t n) {
  p->size += (long long)n;
  for (size_t i = 0; i < n; i++) {
    bool end = bytes[i] == '\n';
    p->lines += end && p->in_line;
    p->in_line = !end && (p->in_line || bytes[i] != '\r');
  }
  return EVP_DigestUpdate(p->sha256, bytes, n) == 1 && (p->git == NULL || EVP_DigestUpdate(p->git, bytes, n) == 1);
}

static bool start_git(pass *p, long long size) {
  char head[40];
  int n = snprintf(head, sizeof head, "blob %lld", size);
  p->git = EVP_MD_CTX_new();
  return p->git != NULL && EVP_DigestInit_ex(p->git, EVP_sha1(), NULL) == 1 &&
         EVP_DigestUpdate(p->git, head, (size_t)n + 1) == 1;
}

static bool print_hex(EVP_MD_CTX *c, char *hex, size_t room) {
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_DigestFinal_ex(c, raw, &size) != 1 || 2 * (size_t)size + 1 != room) return false;
  for (unsigned i = 0; i < size; i++) snprintf(hex + 2 * (size_t)i, 3, "%02x", raw[i]);
  return true;
}

/* A file that is read as it lies, or through gzip. */
typedef struct reader {
  int fd;
  gzFile gzip; /* NULL: as it lies */
} reader;

static ssize_t read_some(reader *r, unsigned char *buffer, const char *path, tern_error *e) {
  if (r->gzip == NULL) {
    ssize_t n;
    do n = read(r->fd, buffer, CHUNK);
    while (n < 0 && errno == EINTR);
    if (n < 0) tern_fail_errno(e, "%s: cannot read", path);
    return n;
  }
  int n = gzread(r->gzip, buffer, CHUNK), code = Z_OK;
  gzerror(r->gzip, &code);
  bool bad = n < 0 || (code != Z_OK && code != Z_STREAM_END); /* cut short: Z_BUF_ERROR with n 0 */
  if (bad && code == Z_ERRNO)
    tern_fail_errno(e, "%s: cannot read", path);
  else if (bad)
    tern_fail(e, TERN_FAILED, "%s: is cut short or no whole gzip file", path);
  else if (gzdirect(r->gzip))
    tern_fail(e, TERN_FAILED, "%s: is no gzip file", path);
  else
    return n;
  return -1;
}

static int walk(pass *p, reader *r, const char *path, long long most, tern_error *e) {
  unsigned char buffer[CHUNK];
  ssize_t n;
  while ((n = read_some(r, buffer, path, e)) > 0) {
    if (tern_interrupt_check(e)) return TERN_INTERRUPTED;
    if (!take(p, buffer, (size_t)n)) return tern_fail(e, TERN_FAILED, "%s: cannot hash it", path);
    if (p->size > most) return tern_fail(e, TERN_FAILED, "%s: over the limit of %lld bytes", path, most);
  }
  return n < 0 ? TERN_FAILED : TERN_OK;
}

static int open_reader(reader *r, struct stat *st, const char *path, bool unpack, tern_error *e) {
  r->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (r->fd < 0 || fstat(r->fd, st) != 0) return tern_fail_errno(e, "%s: cannot read", path);
  if (!S_ISREG(st->st_mode)) return tern_fail(e, TERN_FAILED, "%s: is no regular file", path);
  if (!unpack) return TERN_OK;
  r->gzip = gzdopen(r->fd, "rb");
  if (r->gzip == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  gzbuffer(r->gzip, CHUNK);
  return TERN_OK;
}

int tern_digest_file(tern_digest *out, const char *path, bool unpack, long long most, tern_error *e) {
  pass p = {.sha256 = EVP_MD_CTX_new()};
  reader r = {.fd = -1};
  struct stat st;
  int status = open_reader(&r, &st, path, unpack, e);
  bool hashes = p.sha256 != NULL && EVP_DigestInit_ex(p.sha256, EVP_sha256(), NULL) == 1;
  if (status == TERN_OK && hashes && !unpack) hashes = start_git(&p, (long long)st.st_size);
  if (status == TERN_OK && hashes) status = walk(&p, &r, path, most, e);
  *out = (tern_digest){.size = p.size, .lines = p.lines + p.in_line};
  if (status == TERN_OK) {
    hashes = hashes && print_hex(p.sha256, out->sha256, sizeof out->sha256) &&
             (p.git == NULL || print_hex(p.git, out->git_id, sizeof out->git_id));
    if (!hashes) status = tern_fail(e, TERN_FAILED, "%s: cannot hash it", path);
  }
  if (r.gzip != NULL)
    gzclose(r.gzip);
  else if (r.fd >= 0)
    close(r.fd);
  EVP_MD_CTX_free(p.sha256);
  EVP_MD_CTX_free(p.git);
  return status;
}
