/* One address into one open file, through libcurl: goes on where an earlier try
 * ended, tries again with growing pauses, and takes nothing that is not the file
 * (HTML pages, redirects off http, more bytes than announced). Proxies come from
 * the environment (http_proxy, https_proxy, no_proxy). */
#ifndef TERN_EVAL_FETCH_HTTP_H
#define TERN_EVAL_FETCH_HTTP_H

#include <stdbool.h>

#include "engine/base/error.h"

typedef struct tern_http_request {
  const char *address;
  const char *label; /* of the progress bar; NULL: no bar */
  const char *token; /* bearer token for the address's own host; NULL: none */
  const char *gated; /* page whose terms must be accepted; NULL: an open address */
  long long size;    /* -1: not known */
  long long most;    /* bytes, when the size is not known */
  bool verified;     /* a hash will tell a wrong mixture of two tries */
  int stall_s;       /* seconds without a byte, or without a connection */
  int tries;         /* in a row that bring nothing new */
  double pause_s;    /* before the second try; doubles, one minute at most */
} tern_http_request;

/* fd: the partial file, locked by the caller; `note` is where the
 * validator of what came (ETag or date) is kept, removed when the file is whole.
 * *resumed (may be NULL): bytes that were there and were kept. An interrupt
 * leaves both for the next time. */
int tern_http_get(const tern_http_request *r, int fd, const char *note, long long *resumed, tern_error *e);

#endif
