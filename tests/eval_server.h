/* An HTTP server on loopback that misbehaves as told: what fetching is tested
 * against. Pages are set before and changed between requests; what was asked is
 * counted. A thread a connection, one request each. */
#ifndef TERN_TESTS_EVAL_SERVER_H
#define TERN_TESTS_EVAL_SERVER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct server_page {
  const char *path; /* as in the request line; an absolute address for requests to a proxy */
  const void *body;
  size_t size;
  const char *type;            /* Content-Type; NULL: application/octet-stream */
  const char *etag;            /* with its quotes; NULL: none */
  const char *location;        /* 302 to there */
  const char *token;           /* 401 without "Authorization: Bearer TOKEN" */
  int status;                  /* always this; 0: 200 or 206 */
  int fail_first, fail_status; /* so many requests get that status first */
  int later_status;            /* all answers but the first are that */
  const char *extra;           /* header lines with CRLF */
  size_t cut_at;               /* the first answer ends there (0: never): the connection is closed */
  size_t stall_at;             /* silence from there on (0: never), as long as the server runs */
  bool wrong_range;            /* answers a Range with other bytes, and says so */
  bool no_ranges;              /* answers 200 to a Range */
  bool no_length;              /* no Content-Length: the end is the connection's */
} server_page;

typedef struct server_seen {
  int requests;
  char range[64], if_range[64], authorization[128], host[128]; /* of the last one; "" none */
} server_seen;

typedef struct eval_server eval_server;
eval_server *eval_server_start(void); /* ends the program when it can't */
int eval_server_port(const eval_server *s);
/* Sets a page, or another at the same path (counts begin anew). Texts are the caller's. */
void eval_server_put(eval_server *s, const server_page *page);
server_seen eval_server_seen(eval_server *s, const char *path);
/* Waits until so many bytes of the page's body were sent in all. */
void eval_server_wait(eval_server *s, const char *path, size_t bytes);
void eval_server_stop(eval_server *s);

#endif
