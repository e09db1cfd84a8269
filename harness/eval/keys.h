/* JSON objects that people write, read by tables: a row a key. What is not in
 * the tables is refused with the nearest that is; null stands for absent. */
#ifndef TERN_EVAL_KEYS_H
#define TERN_EVAL_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

/* Takes a key's value to where its row says. where: "FILE: key". */
typedef int (*tern_key_read)(void *to, const json_t *value, const char *where, tern_error *e);
typedef struct tern_key {
  const char *name;
  tern_key_read read; /* NULL: only known, not kept */
  size_t offset;      /* in the table's base */
  bool required;
} tern_key;
/* Keys and the struct they go to. */
typedef struct tern_keys {
  const tern_key *rows;
  size_t count;
  void *base;
} tern_keys;

/* where: the file, with the object's own key behind it where it is an inner one
 * ("FILE: shots"). */
int tern_keys_read(const json_t *object, const tern_keys *tables, size_t count, const char *where, tern_error *e);

/* Readers. */
int tern_key_text(void *to, const json_t *value, const char *where, tern_error *e);    /* char *, not empty */
int tern_key_blank(void *to, const json_t *value, const char *where, tern_error *e);   /* char *, may be empty */
int tern_key_flag(void *to, const json_t *value, const char *where, tern_error *e);    /* bool */
int tern_key_natural(void *to, const json_t *value, const char *where, tern_error *e); /* int, 0 and up */
int tern_key_int64(void *to, const json_t *value, const char *where, tern_error *e);   /* int64_t */
int tern_key_object(void *to, const json_t *value, const char *where, tern_error *e);  /* json_t * */
int tern_key_list(void *to, const json_t *value, const char *where, tern_error *e);    /* json_t * */

/* "FILE: a" and "b": "FILE: a.b"; "FILE" and "b": "FILE: b". */
void tern_key_where(char *out, size_t size, const char *where, const char *name);
/* A message's end: the nearest of `names`, and all of them where none is near. */
void tern_key_advice(char *out, size_t size, const char *wrong, const char *const *names, size_t count);

#endif
