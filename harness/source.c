/* Model files: given, cached, or made. */
#include "harness/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "engine/base/cache.h"
#include "engine/base/file.h"
#include "engine/format/gguf.h"
#include "harness/shapes.h"

/* Metadata and vocabulary beside the tensors, generously. */
static const size_t METADATA_BYTES = (size_t)16 << 20;

void tern_source_cache(const tern_job *job, char *folder, size_t size) {
  if (job->cache)
    snprintf(folder, size, "%s", job->cache);
  else if (tern_cache_folder(folder, size) == 0)
    snprintf(folder, size, "cache");
}

/* Our own synthetic files say so; what can't be opened is refused later. */
static bool says_synthetic(const char *path) {
  tern_gguf *g;
  tern_error ignored = {0};
  bool synthetic = false;
  if (tern_gguf_open(&g, path, &ignored)) return false;
  tern_gguf_bool(g, "ternmark.synthetic", &synthetic);
  tern_gguf_close(g);
  return synthetic;
}

static int find_file(tern_source *s, const char *path, tern_error *e) {
  struct stat st;
  if (strlen(path) >= sizeof s->path) return tern_fail(e, TERN_FAILED, "%.80s...: name too long", path);
  if (stat(path, &st) != 0) return tern_fail_errno(e, "%s", path);
  const char *slash = strrchr(path, '/');
  snprintf(s->name, sizeof s->name, "%.95s", slash ? slash + 1 : path);
  snprintf(s->path, sizeof s->path, "%s", path);
  s->present = true;
  s->synthetic = says_synthetic(path);
  s->bytes = (size_t)st.st_size;
  return 0;
}

int tern_source_find(tern_source *s, const tern_job *job, int index, tern_error *e) {
  memset(s, 0, sizeof *s);
  const tern_model_ask *ask = &job->models[index];
  if (ask->file) return find_file(s, ask->text, e);
  char folder[PATH_MAX];
  struct stat st;
  s->synthetic = true;
  if (tern_shapes_find(ask->text, &s->shape, e)) return (int)e->status;
  snprintf(s->name, sizeof s->name, "%s", s->shape.name);
  tern_source_cache(job, folder, sizeof folder);
  const tern_synth_params params = {.seed = job->seed};
  bool ternary = !s->shape.full_precision;
  int n = snprintf(s->path, sizeof s->path, "%s/%s-seed%" PRIu64 "-%s-v%d.gguf", folder, s->shape.name, job->seed,
                   ternary ? "i2_s" : "f16", TERN_SYNTH_VERSION);
  if (n >= (int)sizeof s->path) return tern_fail(e, TERN_FAILED, "%.80s...: name too long", folder);
  s->present = stat(s->path, &st) == 0;
  if (s->present) {
    s->bytes = (size_t)st.st_size;
    return 0;
  }
  if (tern_synth_bytes(&s->shape, &params, &s->bytes, e)) return (int)e->status;
  s->bytes += METADATA_BYTES;
  return 0;
}

static int check_space(const tern_source *s, const char *folder, tern_error *e) {
  struct statvfs fs;
  if (statvfs(folder, &fs) != 0) return tern_fail_errno(e, "%s", folder);
  double left = (double)fs.f_bavail * (double)fs.f_frsize;
  if (left < (double)s->bytes)
    return tern_fail(e, TERN_FAILED, "%s: the %s model takes %.2f GB and %.2f GB are free; choose another --cache",
                     folder, s->name, (double)s->bytes * 1e-9, left * 1e-9);
  return 0;
}

int tern_source_make(tern_source *s, const tern_job *job, int threads, tern_error *e) {
  char folder[PATH_MAX];
  struct stat st;
  tern_team *team;
  if (s->present) return 0;
  tern_source_cache(job, folder, sizeof folder);
  if (tern_directory_make(folder, e) || check_space(s, folder, e)) return (int)e->status;
  fprintf(stderr, "making a %s model with synthetic weights: %.2f GB in %s, kept for the next run\n", s->name,
          (double)s->bytes * 1e-9, folder);
  if (tern_team_open(&team, threads, NULL, e)) return (int)e->status;
  tern_synth_params params = {.seed = job->seed, .progress = true};
  int bad = tern_synth(s->path, &s->shape, &params, team, e);
  tern_team_close(team);
  if (bad) return bad;
  s->present = true;
  if (stat(s->path, &st) == 0) s->bytes = (size_t)st.st_size;
  return 0;
}
