/* Values of a row by path, and messages that say what a row has instead. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/rows_parts.h"

static const char *const kinds[] = {"an object", "a list", "text", "a number", "a number", "true", "false", "null"};

static const char *kind(const json_t *value) {
  return kinds[json_typeof(value)];
}

/* Names that `at` has, as "question, answer" or "4 entries". */
static void describe(json_t *at, char *out, size_t size) {
  const char *key;
  json_t *value;
  size_t used = 0;
  if (json_is_array(at)) {
    snprintf(out, size, "%zu entries", json_array_size(at));
  } else if (!json_is_object(at)) {
    snprintf(out, size, "%s", kind(at));
  } else {
    snprintf(out, size, "nothing");
    json_object_foreach(at, key, value) {
      int n = snprintf(out + used, size - used, "%s%.40s", used ? ", " : "", key);
      if (n < 0 || (used += (size_t)n) >= size) break;
    }
  }
}

json_t *tern_rows_step(json_t *at, const char *name, size_t size) {
  if (json_is_object(at)) return json_object_getn(at, name, size);
  if (!json_is_array(at)) return NULL;
  char digits[24], *end;
  if (size == 0 || size >= sizeof digits) return NULL;
  memcpy(digits, name, size);
  digits[size] = '\0';
  long i = strtol(digits, &end, 10);
  if (*end != '\0') return NULL;
  if (i < 0) i += (long)json_array_size(at);
  return i < 0 ? NULL : json_array_get(at, (size_t)i);
}

json_t *tern_rows_field(const tern_rows *rows, size_t i, const char *path, tern_error *e) {
  json_t *at = tern_rows_at(rows, i);
  for (const char *name = path;;) {
    size_t size = strcspn(name, ".");
    json_t *next = tern_rows_step(at, name, size);
    if (next == NULL) {
      char have[200];
      describe(at, have, sizeof have);
      tern_rows_fail(rows, i, e, "no \"%.*s\"%s%s; there is: %s", (int)size, name, name == path ? "" : " in ",
                     name == path ? "" : path, have);
      return NULL;
    }
    at = next;
    if (name[size] == '\0') return at;
    name += size + 1;
  }
}

const char *tern_rows_text(const tern_rows *rows, size_t i, const char *path, tern_error *e) {
  const json_t *value = tern_rows_field(rows, i, path, e);
  if (value == NULL) return NULL;
  if (!json_is_string(value)) {
    tern_rows_fail(rows, i, e, "\"%s\" is %s; text was expected", path, kind(value));
    return NULL;
  }
  if (strlen(json_string_value(value)) != json_string_length(value)) {
    tern_rows_fail(rows, i, e, "\"%s\" holds a NUL character", path);
    return NULL;
  }
  return json_string_value(value);
}

static bool parse_integer(const char *text, json_int_t *out) {
  char *end;
  errno = 0;
  *out = strtoll(text, &end, 10);
  return end != text && *end == '\0' && errno == 0;
}

int tern_rows_integer(const tern_rows *rows, size_t i, const char *path, json_int_t *out, tern_error *e) {
  const json_t *value = tern_rows_field(rows, i, path, e);
  if (value == NULL) return (int)e->status;
  if (json_is_integer(value)) {
    *out = json_integer_value(value);
    return 0;
  }
  if (json_is_string(value) && parse_integer(json_string_value(value), out)) return 0;
  return tern_rows_fail(rows, i, e, "\"%s\" is %s; a whole number was expected", path, kind(value));
}
