/* HTTP alone: sockets, connections, bodies up to a limit, and a reply for each.
 * What a request means is the handler's business. */
#ifndef TERN_SERVICE_HTTP_H
#define TERN_SERVICE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_http_request {
  const char *method, *path; /* HEAD is told as GET */
  const char *body;          /* [size], then a NUL */
  size_t size;
  bool (*gone)(void *); /* whether the client has hung up; with `peer` */
  void *peer;
} tern_http_request;

typedef struct tern_http_reply {
  int code;
  char *body;        /* JSON, malloc'ed; NULL: out of memory */
  const char *allow; /* for 405: methods; static */
} tern_http_reply;

/* Runs on the connection's own thread, may wait. */
typedef tern_http_reply (*tern_http_handle)(void *arg, const tern_http_request *q);
/* The body of a refusal that HTTP itself makes. */
typedef tern_http_reply (*tern_http_refuse)(int code, const char *message);

typedef struct tern_http_params {
  const char *host; /* address or name to listen on */
  int port;         /* 0: any free one */
  size_t most_body; /* bytes */
  int connections;  /* at once */
  int idle_s;       /* a silent connection is closed after */
  tern_http_handle handle;
  tern_http_refuse refuse;
  void *arg;
} tern_http_params;

typedef struct tern_http tern_http;
int tern_http_open(tern_http **out, const tern_http_params *p, tern_error *e);
int tern_http_port(const tern_http *h);
void tern_http_quiesce(tern_http *h); /* takes no new connection */
/* Waits (a few seconds at most) until replies underway are sent, then closes. NULL allowed. */
void tern_http_close(tern_http *h);

#endif
