/* Between the two files that read tokenizer.json. */
#ifndef TERN_TEXT_TOKENIZER_JSON_PARTS_H
#define TERN_TEXT_TOKENIZER_JSON_PARTS_H

#include <jansson.h>
#include <string.h>

#include "engine/text/tokenizer_parts.h"

typedef struct tern_json_reader {
  const char *path;
  json_t *root, *model;
  tern_tokenizer *t;
  bool byte_level;   /* ByteLevel was seen */
  bool piece_blanks; /* blanks become U+2581 */
  tern_error *e;
} tern_json_reader;

static inline bool tern_json_is(const json_t *o, const char *key, const char *text) {
  const char *have = json_string_value(json_object_get(o, key));
  return have && strcmp(have, text) == 0;
}

/* Fails, naming the file, the part and what of it is not known here. */
int tern_json_refuse(tern_json_reader *r, const char *where, const char *what);
/* The file's normalizer and pre_tokenizer, into r->t. */
int tern_json_rules(tern_json_reader *r);

#endif
