/* manifest.json, read tolerantly: a key that is absent or null is "not
 * available" (NULL, NAN, false). Keys the report reads (several spellings
 * where "|" stands; the first that is there counts):
 *
 *   schema, finished, quick, started, command (text or list), version,
 *   revision, compiler, flags, seed, blocks, warnings[] (texts)
 *   machine.{cpu, architecture, isa, cores, memory_bytes, virtualisation,
 *            governor, page_bytes, os}
 *   models[].{name, shape, weights ("synthetic" or "trained")}
 *   engines[].{model, body_weights}, skipped[].{engine, model, what, reason}
 *   peers[].{engine, program, sha256, libraries_sha256, version, reader, command}
 *   reference, grid_co2_g_per_kwh
 *   stopped[].{model, by, blocks, warm_up.{blocks, ended_by}, half_widths{}}
 *   checks[].{contender, workload, threads, truth, time_ratio, low, high, holds}
 *   meters[].{what, source, usable, why}
 *   provisional: {baseline: reason} */
#ifndef TERN_REPORTS_MANIFEST_H
#define TERN_REPORTS_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

/* Reads DIR/manifest.json; *out is freed with json_decref. */
int tern_manifest_read(json_t **out, const char *dir, tern_error *e);

/* Value at a dotted path; alternatives are parted by '|'. NULL: none, or null. */
const json_t *tern_manifest_at(const json_t *m, const char *path);
/* Text of the value: strings as they are, numbers and lists of texts written
 * out, truth as yes or no. "" when not available. Returns `text`. */
const char *tern_manifest_text(const json_t *m, const char *path, char *text, size_t size);
double tern_manifest_number(const json_t *m, const char *path); /* NAN: not available */
bool tern_manifest_true(const json_t *m, const char *path);

#endif
