/* Tables of keys against an object. */
#include "harness/eval/keys.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/nearest.h"

enum { WHERE = 400, MOST_KEYS = 64 };

static const char *const kinds[] = {"an object", "a list", "text", "a number", "a number", "true", "false", "null"};

static int expected(const char *what, const json_t *value, const char *where, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "%s is %s; %s was expected", where, kinds[json_typeof(value)], what);
}

void tern_key_where(char *out, size_t size, const char *where, const char *name) {
  snprintf(out, size, "%s%s%s", where, strstr(where, ": ") ? "." : ": ", name);
}

void tern_key_advice(char *out, size_t size, const char *wrong, const char *const *names, size_t count) {
  size_t best = 0, used = 0, i;
  int least = INT_MAX;
  *out = '\0';
  for (i = 0; i < count; i++) {
    int d = tern_name_distance(wrong, names[i]);
    if (d < least) least = d, best = i;
  }
  if (count == 0) return;
  used = (size_t)snprintf(out, size, "did you mean \"%s\"?", names[best]);
  if (least <= 2) return; /* a slip of the finger: the list would hide it */
  for (i = 0; i < count && used + strlen(names[i]) + 12 < size; i++)
    used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : " There are: ", names[i]);
  if (i < count) snprintf(out + used, size - used, ", ...");
}

static const tern_key *find(const tern_keys *tables, size_t count, const char *name, void **base) {
  for (size_t t = 0; t < count; t++) {
    for (size_t i = 0; i < tables[t].count; i++) {
      if (strcmp(tables[t].rows[i].name, name) != 0) continue;
      *base = tables[t].base;
      return &tables[t].rows[i];
    }
  }
  return NULL;
}

static int unknown(const char *name, const tern_keys *tables, size_t count, const char *where, tern_error *e) {
  const char *names[MOST_KEYS];
  char advice[360];
  size_t n = 0;
  for (size_t t = 0; t < count; t++) {
    for (size_t i = 0; i < tables[t].count && n < MOST_KEYS; i++) names[n++] = tables[t].rows[i].name;
  }
  tern_key_advice(advice, sizeof advice, name, names, n);
  return tern_fail(e, TERN_FAILED, "%s: unknown key \"%.40s\"; %s", where, name, advice);
}

int tern_keys_read(const json_t *object, const tern_keys *tables, size_t count, const char *where, tern_error *e) {
  const char *name;
  json_t *value;
  if (!json_is_object(object)) return expected("an object", object, where, e);
  json_object_foreach((json_t *)object, name, value) {
    char at[WHERE];
    void *base = NULL;
    const tern_key *k = find(tables, count, name, &base);
    if (k == NULL) return unknown(name, tables, count, where, e);
    if (json_is_null(value) || k->read == NULL) continue;
    tern_key_where(at, sizeof at, where, name);
    if (k->read((char *)base + k->offset, value, at, e) != 0) return (int)e->status;
  }
  for (size_t t = 0; t < count; t++) {
    for (size_t i = 0; i < tables[t].count; i++) {
      const tern_key *k = &tables[t].rows[i];
      value = json_object_get(object, k->name);
      if (k->required && (value == NULL || json_is_null(value)))
        return tern_fail(e, TERN_FAILED, "%s: no \"%s\", which is required", where, k->name);
    }
  }
  return 0;
}

int tern_key_blank(void *to, const json_t *value, const char *where, tern_error *e) {
  if (!json_is_string(value)) return expected("text", value, where, e);
  if (strlen(json_string_value(value)) != json_string_length(value))
    return tern_fail(e, TERN_FAILED, "%s holds a NUL character", where);
  char *copy = strdup(json_string_value(value));
  if (copy == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  *(char **)to = copy;
  return 0;
}

int tern_key_text(void *to, const json_t *value, const char *where, tern_error *e) {
  if (json_is_string(value) && json_string_length(value) == 0)
    return tern_fail(e, TERN_FAILED, "%s is empty; leave the key out", where);
  return tern_key_blank(to, value, where, e);
}

int tern_key_flag(void *to, const json_t *value, const char *where, tern_error *e) {
  if (!json_is_boolean(value)) return expected("true or false", value, where, e);
  *(bool *)to = json_is_true(value);
  return 0;
}

int tern_key_natural(void *to, const json_t *value, const char *where, tern_error *e) {
  json_int_t n = json_integer_value(value);
  if (!json_is_integer(value)) return expected("a whole number", value, where, e);
  if (n < 0 || n > 1000000) return tern_fail(e, TERN_FAILED, "%s is outside 0 to 1000000", where);
  *(int *)to = (int)n;
  return 0;
}

int tern_key_int64(void *to, const json_t *value, const char *where, tern_error *e) {
  if (!json_is_integer(value)) return expected("a whole number", value, where, e);
  *(int64_t *)to = json_integer_value(value);
  return 0;
}

static int keep(void *to, const json_t *value) {
  *(json_t **)to = json_incref((json_t *)value);
  return 0;
}

int tern_key_object(void *to, const json_t *value, const char *where, tern_error *e) {
  return json_is_object(value) ? keep(to, value) : expected("an object", value, where, e);
}

int tern_key_list(void *to, const json_t *value, const char *where, tern_error *e) {
  return json_is_array(value) ? keep(to, value) : expected("a list", value, where, e);
}
