/* manifest.json through jansson. */
#include "reports/manifest.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"

enum { MANIFEST_LIMIT = 64 << 20, SCHEMA = 1 };

int tern_manifest_read(json_t **out, const char *dir, tern_error *e) {
  char path[4096];
  size_t size;
  json_error_t problem;
  *out = NULL;
  if (snprintf(path, sizeof path, "%s/manifest.json", dir) >= (int)sizeof path)
    return tern_fail(e, TERN_FAILED, "%.80s: name too long", dir);
  char *text = tern_file_read(path, MANIFEST_LIMIT, &size, e);
  if (!text) return (int)e->status;
  json_t *m = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
  free(text);
  if (!m) return tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, problem.line, problem.text);
  double schema = tern_manifest_number(m, "schema|schema_version");
  if (!json_is_object(m) || isnan(schema))
    tern_fail(e, TERN_FAILED, "%s: no \"schema\" number; is this a result folder?", path);
  else if (schema > SCHEMA)
    tern_fail(e, TERN_FAILED, "%s: schema %g is newer than this program's %d; use a newer ternmark", path, schema,
              SCHEMA);
  else {
    *out = m;
    return 0;
  }
  json_decref(m);
  return (int)e->status;
}

static const json_t *walk(const json_t *m, const char *path, size_t length) {
  while (m && length) {
    const char *dot = memchr(path, '.', length);
    size_t n = dot ? (size_t)(dot - path) : length;
    char key[64];
    if (n >= sizeof key) return NULL;
    memcpy(key, path, n);
    key[n] = '\0';
    m = json_object_get(m, key);
    path += n + (dot != NULL);
    length -= n + (dot != NULL);
  }
  return json_is_null(m) ? NULL : m;
}

const json_t *tern_manifest_at(const json_t *m, const char *path) {
  for (;;) {
    size_t n = strcspn(path, "|");
    const json_t *found = walk(m, path, n);
    if (found || !path[n]) return found;
    path += n + 1;
  }
}

const char *tern_manifest_text(const json_t *m, const char *path, char *text, size_t size) {
  const json_t *v = tern_manifest_at(m, path);
  size_t used = 0;
  text[0] = '\0';
  if (json_is_string(v))
    snprintf(text, size, "%s", json_string_value(v));
  else if (json_is_number(v))
    snprintf(text, size, "%.15g", json_number_value(v));
  else if (json_is_boolean(v))
    snprintf(text, size, "%s", json_is_true(v) ? "yes" : "no");
  for (size_t i = 0; i < json_array_size(v) && used < size; i++) {
    const char *word = json_string_value(json_array_get(v, i));
    if (word) used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", word);
  }
  return text;
}

double tern_manifest_number(const json_t *m, const char *path) {
  const json_t *v = tern_manifest_at(m, path);
  return json_is_number(v) ? json_number_value(v) : NAN;
}

bool tern_manifest_true(const json_t *m, const char *path) {
  return json_is_true(tern_manifest_at(m, path));
}
