/* A server, a data folder and an entry of one file, for tests of fetching. */
#ifndef TERN_TESTS_EVAL_FETCHING_H
#define TERN_TESTS_EVAL_FETCHING_H

#include "harness/eval/fetch.h"
#include "tests/eval_server.h"

enum { FETCHING_SIZE = 100000 };

typedef struct fetching {
  eval_server *server;
  char root[256];                    /* the data folder, fresh */
  unsigned char body[FETCHING_SIZE]; /* what the publisher has */
  char sha256[TERN_SHA256_ROOM];     /* of it */
  char address[256];                 /* "/data.bin" on the server */
  tern_catalog_file file;            /* data/set.bin, verified: size and hash */
  tern_catalog_entry entry;
  tern_fetch_options options; /* quick ones */
  tern_fetched told;          /* the last file that was done */
  int files;                  /* how many were */
  tern_error e;
} fetching;

int fetching_setup(void **state);
int fetching_teardown(void **state);
int fetching_run(fetching *t); /* the entry; fills told, files, e */
/* Body of "/data.bin" with the page's other wishes; path and body may be left out. */
void fetching_serve(fetching *t, server_page page);
server_seen fetching_seen(fetching *t);
/* data/set.bin is there and is the body. */
bool fetching_is_right(const fetching *t);
bool fetching_is_there(const fetching *t, const char *name);
/* Bytes of what is unfinished in .fetch; -1: nothing. */
long fetching_unfinished(const fetching *t);
void fetching_hash(char sha256[TERN_SHA256_ROOM], const void *bytes, size_t n);

#endif
