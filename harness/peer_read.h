/* What a peer says of its speed, out of whatever it printed. */
#ifndef TERN_HARNESS_PEER_READ_H
#define TERN_HARNESS_PEER_READ_H

#include <jansson.h>

#include "harness/peer.h"

typedef struct tern_peer_request {
  int prompt, gen, depth, threads;
} tern_peer_request;

typedef struct tern_peer_told {
  double seconds; /* of the asked tokens: the mean of `repeats` */
  int repeats;
  char reader[TERN_PEER_READER], version[TERN_PEER_VERSION];
} tern_peer_told;

/* Finds the asked figure in standard output, else in standard error. Fails
 * when there is none, when it is of other tokens or threads, or when it is
 * not a time. */
int tern_peer_read(const char *name, const char *out, const char *err, const tern_peer_request *ask,
                   tern_peer_told *told, tern_error *e);

/* Rows of llama-bench as objects with its JSON's keys, numbers perhaps as
 * texts; an empty array when the text holds none. NULL: out of memory. */
json_t *tern_peer_rows_json(const char *text);
json_t *tern_peer_rows_csv(const char *text);
json_t *tern_peer_rows_table(const char *text);

/* Lines "[prompt] eval time = T ms / N tokens|runs": how many and how long;
 * false: no such line. */
bool tern_peer_timings(const char *text, bool prompt, double *ms, double *count);

#endif
