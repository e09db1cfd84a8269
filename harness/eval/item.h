/* An item as its journal line holds it: which ids were asked (as a hash) and what
 * was answered; log-likelihoods as hexadecimal floats, equal to the bit when read
 * again. Nothing that depends on what else ran: no times, no reuse. */
#ifndef TERN_EVAL_ITEM_H
#define TERN_EVAL_ITEM_H

#include <jansson.h>
#include <stddef.h>

#include "harness/eval/ask.h"

enum { TERN_HASH_ROOM = 65 };
/* SHA-256, in hexadecimal, of a text; and of the ids and scored counts of asks. */
int tern_hash_text(const char *text, char out[TERN_HASH_ROOM], tern_error *e);
int tern_hash_asks(const tern_ask_ids *asks, size_t count, char out[TERN_HASH_ROOM], tern_error *e);

/* {"prompt": hash, "replies": [[hex, decimal, greedy, tokens, truncated], ...]};
 * a generated reply has no log-likelihood but text behind: [tokens, truncated, text, replaced]. */
json_t *tern_item_pack(const char *hash, const tern_reply *replies, size_t count, tern_error *e);
/* Replies of an item (free(*out)); texts stay the item's. where: names it in errors. */
int tern_item_unpack(const json_t *item, const char *where, tern_reply **out, size_t *count, tern_error *e);

#endif
