#include "harness/eval/item.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int finish(EVP_MD_CTX *c, bool ok, char out[TERN_HASH_ROOM], tern_error *e) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ok = ok && EVP_DigestFinal_ex(c, bytes, &size) == 1 && 2 * size + 1 == TERN_HASH_ROOM;
  EVP_MD_CTX_free(c);
  if (!ok) return tern_fail(e, TERN_FAILED, "SHA-256 failed");
  for (unsigned i = 0; i < size; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
  return 0;
}

int tern_hash_text(const char *text, char out[TERN_HASH_ROOM], tern_error *e) {
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  bool ok = c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(c, text, strlen(text)) == 1;
  return finish(c, ok, out, e);
}

/* Integers as little-endian words of 32 bits, whatever the machine. */
static bool update(EVP_MD_CTX *c, const int32_t *v, size_t count) {
  unsigned char bytes[1024];
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    for (int b = 0; b < 4; b++) bytes[used++] = (unsigned char)((uint32_t)v[i] >> (8 * b));
    if (used < sizeof bytes && i + 1 < count) continue;
    if (EVP_DigestUpdate(c, bytes, used) != 1) return false;
    used = 0;
  }
  return true;
}

int tern_hash_asks(const tern_ask_ids *asks, size_t count, char out[TERN_HASH_ROOM], tern_error *e) {
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  bool ok = c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;
  for (size_t i = 0; ok && i < count; i++) {
    int32_t sizes[2] = {asks[i].count, asks[i].scored};
    ok = update(c, sizes, 2) && update(c, asks[i].ids, (size_t)asks[i].count);
  }
  return finish(c, ok, out, e);
}

static json_t *pack_reply(const tern_reply *r) {
  if (r->text != NULL) return json_pack("[i, i, s, i]", r->tokens, r->truncated, r->text, r->replaced);
  char hex[40];
  snprintf(hex, sizeof hex, "%a", r->logprob);
  json_t *decimal = isfinite(r->logprob) ? json_real(r->logprob) : json_null();
  return json_pack("[s, o, b, i, i]", hex, decimal, (int)r->greedy, r->tokens, r->truncated);
}

json_t *tern_item_pack(const char *hash, const tern_reply *replies, size_t count, tern_error *e) {
  json_t *list = json_array(), *item = NULL;
  bool ok = list != NULL;
  for (size_t i = 0; ok && i < count; i++) ok = json_array_append_new(list, pack_reply(&replies[i])) == 0;
  if (ok) item = json_pack("{s:s, s:O}", "prompt", hash, "replies", list);
  json_decref(list);
  if (item == NULL) tern_fail(e, TERN_FAILED, "an item's journal line: out of memory, or a text that is not UTF-8");
  return item;
}

static bool unpack_reply(const json_t *value, tern_reply *r) {
  const char *hex, *text;
  char *end;
  json_t *decimal;
  int greedy;
  if (json_unpack((json_t *)value, "[i, i, s, i!]", &r->tokens, &r->truncated, &text, &r->replaced) == 0) {
    r->text = (char *)text; /* the item's; only read */
    return true;
  }
  if (json_unpack((json_t *)value, "[s, o, b, i, i!]", &hex, &decimal, &greedy, &r->tokens, &r->truncated) != 0)
    return false;
  r->greedy = greedy != 0;
  r->logprob = strtod(hex, &end);
  return *hex != '\0' && *end == '\0';
}

int tern_item_unpack(const json_t *item, const char *where, tern_reply **out, size_t *count, tern_error *e) {
  const json_t *list = json_object_get(item, "replies");
  *count = json_array_size(list);
  *out = calloc(*count + 1, sizeof **out);
  if (*out == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  bool ok = json_is_array(list) && json_is_string(json_object_get(item, "prompt"));
  for (size_t i = 0; ok && i < *count; i++) ok = unpack_reply(json_array_get(list, i), &(*out)[i]);
  if (ok) return 0;
  free(*out);
  *out = NULL;
  return tern_fail(e, TERN_FAILED, "%s: its journal line is damaged; remove it to have the item asked again", where);
}
