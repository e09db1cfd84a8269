/* A server of the program on loopback, and a client of it through libcurl.
 * Fails the cmocka test that calls it where something is not to be had. */
#ifndef TERN_TESTS_SERVICE_CLIENT_H
#define TERN_TESTS_SERVICE_CLIENT_H

#include <jansson.h>
#include <sys/types.h>

typedef struct served {
  pid_t pid;
  int port;
} served;

/* Starts "serve MODEL --port 0" with further arguments and waits for its line. */
served serve_start(const char *model, const char *const *more);
/* SIGTERM; it has to end with code 0. */
void serve_stop(const served *s);

typedef struct got {
  long code;    /* HTTP status, 0: no reply */
  char *text;   /* (free()) */
  json_t *json; /* (json_decref()), NULL: none */
} got;
/* body NULL: GET. chunked: without a length. Any thread. */
got serve_ask(const served *s, const char *path, const char *body, size_t size, int chunked);
got serve_post(const served *s, const char *body); /* to /v1/completions */
void got_free(got *g);
/* Text of the i-th choice. */
const char *got_text(const got *g, size_t i);

/* A bare connection, what was written sent; closed by the caller. */
int serve_connect(const served *s, const char *bytes, size_t size);

#endif
