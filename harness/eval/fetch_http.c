/* A transfer is a row of tries on one partial file. What a server says decides
 * between them: 206 goes on, 200 begins anew (If-Range: the file changed), 4xx
 * ends, 5xx, silence and cut connections are tried again. */
#include "harness/eval/fetch_http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "engine/base/progress.h"

enum { MOST_REDIRECTS = 10, LONGEST_PAUSE_S = 60, VALIDATOR = 200, SNIFF = 256 };

/* Why a try ended before its time. */
typedef enum { GOES_ON, IS_HTML, TOO_LONG, WRITE_FAILED, WRONG_RANGE, SILENT } ending;

typedef struct transfer {
  const tern_http_request *r;
  const char *note;
  CURL *curl;
  int fd;
  long long have;            /* bytes in the file */
  long long whole;           /* what the server says; -1: nothing */
  long long range_from;      /* of Content-Range; -1: none */
  long retry_after;          /* seconds; 0: the server names none */
  char validator[VALIDATOR]; /* strong ETag or Last-Modified of what the file holds; "" none */
  char fresh[VALIDATOR];     /* of this answer */
  bool started;              /* the answer's first byte was judged */
  ending ending;
  int write_errno;
  double last_news; /* tern_now() when something came */
  tern_progress progress;
} transfer;

static void read_note(transfer *t) {
  json_error_t why;
  json_t *note = json_load_file(t->note, 0, &why);
  const char *validator = json_string_value(json_object_get(note, "validator"));
  if (validator != NULL) snprintf(t->validator, sizeof t->validator, "%s", validator);
  json_decref(note);
}

/* A note that can't be written costs the resumption, nothing else. */
static void write_note(const transfer *t) {
  tern_output *o;
  tern_error ignored = {0};
  if (tern_output_open(&o, t->note, &ignored) != TERN_OK) return;
  json_t *note = json_pack("{s:s}", "validator", t->validator);
  bool whole = note != NULL && json_dumpf(note, tern_output_stream(o), 0) == 0;
  json_decref(note);
  if (whole)
    tern_output_commit(o, &ignored);
  else
    tern_output_abandon(o);
}

static bool is_header(const char *line, size_t n, const char *name, const char **value) {
  size_t k = strlen(name);
  if (n <= k || line[k] != ':' || strncasecmp(line, name, k) != 0) return false;
  *value = line + k + 1 + strspn(line + k + 1, " \t");
  return true;
}

/* Headers of every answer on the way come by; a status line begins anew. */
static size_t on_header(char *line, size_t one, size_t n, void *state) {
  transfer *t = state;
  t->last_news = tern_now();
  const char *v;
  char text[VALIDATOR];
  n *= one;
  size_t keep = n < sizeof text - 1 ? n : sizeof text - 1;
  memcpy(text, line, keep);
  text[keep] = '\0';
  text[strcspn(text, "\r\n")] = '\0';
  if (strncasecmp(text, "HTTP/", 5) == 0) {
    t->whole = t->range_from = -1;
    t->retry_after = 0;
    t->fresh[0] = '\0';
  } else if (is_header(text, keep, "ETag", &v)) {
    if (strncmp(v, "W/", 2) != 0 && keep == n) snprintf(t->fresh, sizeof t->fresh, "%s", v);
  } else if (is_header(text, keep, "Last-Modified", &v)) {
    if (t->fresh[0] == '\0') snprintf(t->fresh, sizeof t->fresh, "%s", v);
  } else if (is_header(text, keep, "Content-Range", &v)) {
    long long from = -1, whole = -1;
    if (sscanf(v, "bytes %lld-%*d/%lld", &from, &whole) < 1) sscanf(v, "bytes */%lld", &whole);
    t->range_from = from;
    t->whole = whole;
  } else if (is_header(text, keep, "Retry-After", &v)) {
    t->retry_after = strtol(v, NULL, 10);
  }
  return n;
}

static bool looks_like_html(const char *bytes, size_t n) {
  static const char *const starts[] = {"<!doctype html", "<html", "<head"};
  char text[SNIFF];
  size_t from = 0;
  if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) from = 3;
  while (from < n && strchr(" \t\r\n", bytes[from]) != NULL) from++;
  size_t keep = n - from < sizeof text - 1 ? n - from : sizeof text - 1;
  memcpy(text, bytes + from, keep);
  text[keep] = '\0';
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (strncasecmp(text, starts[i], strlen(starts[i])) == 0) return true;
  return false;
}

/* What the answer is, seen from its head and first bytes; the file is put in a
 * state that fits it. */
static ending judge(transfer *t, long code, const char *bytes, size_t n) {
  const char *type = NULL;
  curl_off_t length = -1;
  curl_easy_getinfo(t->curl, CURLINFO_CONTENT_TYPE, &type);
  curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (type != NULL && strncasecmp(type, "text/html", 9) == 0) return IS_HTML;
  if (code == 206) {
    if (t->range_from != t->have) return WRONG_RANGE;
  } else {
    if (looks_like_html(bytes, n)) return IS_HTML;
    if (ftruncate(t->fd, 0) != 0) {
      t->write_errno = errno;
      return WRITE_FAILED;
    }
    t->have = 0;
    t->whole = length;
    memcpy(t->validator, t->fresh, sizeof t->validator);
    write_note(t);
  }
  long long most = t->r->size >= 0 ? t->r->size : t->r->most;
  if (t->whole > most) return TOO_LONG;
  if (t->r->label != NULL)
    tern_progress_start(&t->progress, t->r->label, (double)(t->r->size > 0 ? t->r->size : t->whole));
  return GOES_ON;
}

static size_t on_bytes(char *bytes, size_t one, size_t n, void *state) {
  transfer *t = state;
  long code = 0;
  t->last_news = tern_now();
  n *= one;
  curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
  if (code != 200 && code != 206) return n; /* an error's page */
  if (!t->started) t->ending = judge(t, code, bytes, n);
  t->started = true;
  if (t->ending == GOES_ON && t->have + (long long)n > (t->r->size >= 0 ? t->r->size : t->r->most))
    t->ending = TOO_LONG;
  for (size_t done = 0; t->ending == GOES_ON && done < n;) {
    ssize_t put = pwrite(t->fd, bytes + done, n - done, (off_t)t->have);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      t->write_errno = errno;
      t->ending = WRITE_FAILED;
      break;
    }
    done += (size_t)put;
    t->have += put;
  }
  tern_progress_update(&t->progress, (double)t->have);
  return t->ending == GOES_ON ? n : 0;
}

/* Called once a second even when nothing comes. libcurl's own low-speed limit
 * looks at an average of several seconds. */
static int on_progress(void *state, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
  transfer *t = state;
  (void)a, (void)b, (void)c, (void)d;
  if (t->ending == GOES_ON && tern_now() - t->last_news > t->r->stall_s) t->ending = SILENT;
  return t->ending == SILENT || tern_interrupted();
}

static void set_up(transfer *t) {
  const tern_http_request *r = t->r;
  CURL *c = t->curl;
  const char *bundle = getenv("CURL_CA_BUNDLE");
  /* https is never left for http; file:, ftp: and others never entered */
  const char *onwards = strncmp(r->address, "https:", 6) == 0 ? "https" : "http,https";
  curl_easy_setopt(c, CURLOPT_URL, r->address);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, onwards);
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "ternmark");
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)r->stall_s);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  if (bundle != NULL && bundle[0] != '\0') curl_easy_setopt(c, CURLOPT_CAINFO, bundle);
  if (r->token != NULL) { /* libcurl keeps it from other hosts */
    curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
    curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, r->token);
  }
}

/* One try. The code of the answer, 0 when none came. */
static CURLcode try_once(transfer *t, long *code) {
  char range[32], condition[VALIDATOR + 16];
  struct curl_slist *headers = NULL;
  /* without a validator a changed file would be glued to an old one's head */
  if (t->have > 0 && t->validator[0] == '\0' && !t->r->verified && ftruncate(t->fd, 0) == 0) t->have = 0;
  snprintf(range, sizeof range, "%lld-", t->have);
  curl_easy_setopt(t->curl, CURLOPT_RANGE, t->have > 0 ? range : NULL);
  if (t->have > 0 && t->validator[0] != '\0') {
    snprintf(condition, sizeof condition, "If-Range: %s", t->validator);
    headers = curl_slist_append(NULL, condition);
  }
  curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
  t->started = false;
  t->last_news = tern_now();
  t->ending = GOES_ON;
  CURLcode got = curl_easy_perform(t->curl);
  *code = 0;
  curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, code);
  curl_slist_free_all(headers);
  tern_progress_end(&t->progress);
  return got;
}

/* Answers that no second try changes; TERN_OK: it may. */
static int refused(const transfer *t, CURLcode got, long code, tern_error *e) {
  const tern_http_request *r = t->r;
  long long most = r->size >= 0 ? r->size : r->most;
  if (got == CURLE_UNSUPPORTED_PROTOCOL || got == CURLE_URL_MALFORMAT)
    return tern_fail(e, TERN_FAILED, "%s: leads to an address that is not %s: refused", r->address,
                     strncmp(r->address, "https:", 6) == 0 ? "https" : "http or https");
  if (got == CURLE_TOO_MANY_REDIRECTS)
    return tern_fail(e, TERN_FAILED, "%s: redirects over %d times", r->address, MOST_REDIRECTS);
  if (got == CURLE_PEER_FAILED_VERIFICATION || got == CURLE_SSL_CACERT_BADFILE)
    return tern_fail(e, TERN_FAILED, "%s: its certificate is not trusted (CURL_CA_BUNDLE names other authorities)",
                     r->address);
  if (t->ending == IS_HTML)
    return tern_fail(e, TERN_FAILED, "%s: gives an HTML page, not the file (a login or error page?)", r->address);
  if (t->ending == TOO_LONG)
    return tern_fail(e, TERN_FAILED, "%s: gives over %lld bytes, %s", r->address, most,
                     r->size >= 0 ? "the manifest's size" : "the limit");
  if (t->ending == WRITE_FAILED) {
    errno = t->write_errno;
    return tern_fail_errno(e, "%s: cannot write after %lld bytes, which are kept", r->label ? r->label : r->address,
                           t->have);
  }
  if ((code == 401 || code == 403) && r->gated != NULL && r->token == NULL)
    return tern_fail(e, TERN_FAILED,
                     "%s: gated (%ld): accept its terms at %s, then give a token of that account in HF_TOKEN or "
                     "~/.cache/huggingface/token",
                     r->address, code, r->gated);
  if ((code == 401 || code == 403) && r->gated != NULL)
    return tern_fail(e, TERN_FAILED,
                     "%s: gated (%ld): the token is not let in; accept the terms at %s with its account", r->address,
                     code, r->gated);
  if (code == 401 || code == 403)
    return tern_fail(e, TERN_FAILED, "%s: the server refuses it (%ld); take it from a folder with --from", r->address,
                     code);
  if (code == 404 || code == 410)
    return tern_fail(e, TERN_FAILED, "%s: not there (%ld); take it from a folder with --from", r->address, code);
  if (code >= 400 && code < 500 && code != 408 && code != 416 && code != 425 && code != 429)
    return tern_fail(e, TERN_FAILED, "%s: the server answers %ld", r->address, code);
  return TERN_OK;
}

/* The last try's trouble in words. */
static int give_up(const transfer *t, CURLcode got, long code, tern_error *e) {
  const char *address = t->r->address;
  if (code >= 400 && t->ending != SILENT)
    return tern_fail(e, TERN_FAILED, "%s: the server answers %ld, again and again", address, code);
  if (got == CURLE_OPERATION_TIMEDOUT || t->ending == SILENT)
    return tern_fail(e, TERN_FAILED, "%s: nothing comes for %d s (%lld bytes are kept)", address, t->r->stall_s,
                     t->have);
  if (got != CURLE_OK && got != CURLE_PARTIAL_FILE)
    return tern_fail(e, TERN_FAILED, "%s: %s (%lld bytes are kept)", address, curl_easy_strerror(got), t->have);
  return tern_fail(e, TERN_FAILED, "%s: ends after %lld of %lld bytes", address, t->have,
                   t->r->size >= 0 ? t->r->size : t->whole);
}

static int rest(double seconds, tern_error *e) {
  const struct timespec slice = {.tv_nsec = 20000000};
  for (double until = tern_now() + seconds; tern_now() < until;) {
    if (tern_interrupt_check(e)) return TERN_INTERRUPTED;
    nanosleep(&slice, NULL);
  }
  return TERN_OK;
}

static bool is_whole(const transfer *t, CURLcode got, long code) {
  if (code == 416) return t->have > 0 && t->have == t->whole; /* asked for what is behind the end */
  if (got != CURLE_OK || (code != 200 && code != 206)) return false;
  return t->r->size < 0 || t->have == t->r->size;
}

static int interrupted(const transfer *t, tern_error *e) {
  return tern_fail(e, TERN_INTERRUPTED, "interrupted; %lld bytes are kept, the same command goes on from there",
                   t->have);
}

static int run(transfer *t, tern_error *e) {
  long long best = t->have;
  double pause = t->r->pause_s;
  for (int failed = 0;;) {
    long code;
    CURLcode got = try_once(t, &code);
    if (tern_interrupted()) return interrupted(t, e);
    if (got == CURLE_OK && code == 200 && !t->started) t->ending = judge(t, code, "", 0); /* an empty file */
    if (is_whole(t, got, code) && t->ending == GOES_ON) return TERN_OK;
    if (refused(t, got, code, e) != TERN_OK) return TERN_FAILED;
    if (code == 416 || t->ending == WRONG_RANGE) {
      if (ftruncate(t->fd, 0) == 0) t->have = 0;
      t->validator[0] = '\0';
    }
    bool news = t->have > best;
    if (news) {
      best = t->have;
      failed = 0;
      pause = t->r->pause_s;
    }
    if (!news && ++failed >= t->r->tries) return give_up(t, got, code, e);
    double wait = t->retry_after > 0 ? (double)t->retry_after : pause;
    if (rest(wait < LONGEST_PAUSE_S ? wait : LONGEST_PAUSE_S, e) != TERN_OK) return interrupted(t, e);
    pause *= 2;
  }
}

int tern_http_get(const tern_http_request *r, int fd, const char *note, long long *resumed, tern_error *e) {
  struct stat st;
  if (resumed != NULL) *resumed = 0;
  if (fstat(fd, &st) != 0) return tern_fail_errno(e, "%s", note);
  transfer t = {.r = r, .note = note, .fd = fd, .have = (long long)st.st_size, .whole = -1, .curl = curl_easy_init()};
  if (t.curl == NULL) return tern_fail(e, TERN_FAILED, "%s: libcurl does not start", r->address);
  read_note(&t);
  if (r->size >= 0 && t.have > r->size && ftruncate(fd, 0) == 0) t.have = 0;
  if (resumed != NULL) *resumed = t.have;
  set_up(&t);
  int status = r->size > 0 && t.have == r->size ? TERN_OK : run(&t, e);
  curl_easy_cleanup(t.curl);
  if (status == TERN_OK && fsync(fd) != 0) status = tern_fail_errno(e, "%s: cannot write", r->address);
  if (status == TERN_OK) unlink(note);
  return status;
}
