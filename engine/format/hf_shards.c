/* The safetensors files of a folder: model.safetensors, or what the index
 * lists. Every tensor that the index promises must be in the file it names. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/format/hf_parts.h"

#define SINGLE "model.safetensors"
#define INDEX "model.safetensors.index.json"
enum { MOST_INDEX = 256 << 20, MOST_SHARDS = 10000 };

static int open_shard(struct hf_shard *s, const char *folder, const char *name, tern_error *e) {
  if (asprintf(&s->path, "%s/%s", folder, name) < 0) {
    s->path = NULL;
    return tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  }
  if (tern_map_open(&s->map, s->path, e)) return TERN_FAILED;
  return tern_safetensors_parse(&s->tensors, s->map.data, s->map.size, s->path, e);
}

static struct hf_shard *find(const hf_shards *s, const char *name) {
  for (int i = 0; i < s->count; i++) {
    if (strcmp(strrchr(s->list[i].path, '/') + 1, name) == 0) return &s->list[i];
  }
  return NULL;
}

static bool holds(const struct hf_shard *s, const char *tensor) {
  for (int i = 0; i < tern_safetensors_count(s->tensors); i++) {
    if (strcmp(tern_safetensors_at(s->tensors, i)->name, tensor) == 0) return true;
  }
  return false;
}

static int add_shard(hf_shards *s, const char *folder, const char *index, const char *name, tern_error *e) {
  char path[PATH_MAX];
  if (strchr(name, '/')) return tern_fail(e, TERN_FAILED, "%s: %.80s lies in another folder", index, name);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (access(path, F_OK) != 0) {
    return tern_fail(e, TERN_FAILED, "%s: shard %.80s is missing; fetch the rest of the model", index, name);
  }
  if (s->count == MOST_SHARDS) return tern_fail(e, TERN_FAILED, "%s: more than %d shards", index, MOST_SHARDS);
  struct hf_shard *grown = realloc(s->list, ((size_t)s->count + 1) * sizeof *grown);
  if (!grown) return tern_fail(e, TERN_FAILED, "%s: out of memory", index);
  s->list = grown;
  s->list[s->count] = (struct hf_shard){0};
  return open_shard(&s->list[s->count++], folder, name, e);
}

static int open_index(hf_shards *s, const char *folder, const char *path, tern_error *e) {
  size_t size;
  json_error_t wrong;
  const char *tensor;
  json_t *shard;
  char *text = tern_file_read(path, MOST_INDEX, &size, e);
  if (!text) return TERN_FAILED;
  json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong), *map = json_object_get(root, "weight_map");
  int rc = 0;
  free(text);
  if (!json_object_size(map)) {
    rc = tern_fail(e, TERN_FAILED, "%s: field weight_map is missing or empty: %.100s", path, root ? "" : wrong.text);
  }
  json_object_foreach(map, tensor, shard) {
    const char *name = json_string_value(shard);
    if (rc) break;
    if (!name) {
      rc = tern_fail(e, TERN_FAILED, "%s: field weight_map: tensor %.100s is in no file", path, tensor);
    } else if (!find(s, name)) {
      rc = add_shard(s, folder, path, name, e);
    }
    if (!rc && !holds(find(s, name), tensor)) {
      rc = tern_fail(e, TERN_FAILED, "%s: tensor %.100s is not in %.80s; fetch both again", path, tensor, name);
    }
  }
  json_decref(root);
  return rc;
}

int tern_hf_shards_open(hf_shards *s, const char *folder, tern_error *e) {
  char index[PATH_MAX], single[PATH_MAX];
  *s = (hf_shards){0};
  snprintf(index, sizeof index, "%s/" INDEX, folder);
  snprintf(single, sizeof single, "%s/" SINGLE, folder);
  if (access(single, F_OK) == 0) return add_shard(s, folder, folder, SINGLE, e);
  if (access(index, F_OK) == 0) return open_index(s, folder, index, e);
  return tern_fail(e, TERN_FAILED, "%s: neither " SINGLE " nor " INDEX " is here (pytorch_model.bin is not read)",
                   folder);
}

void tern_hf_shards_close(hf_shards *s) {
  for (int i = 0; i < s->count; i++) {
    tern_safetensors_close(s->list[i].tensors);
    tern_map_close(&s->list[i].map);
    free(s->list[i].path);
  }
  free(s->list);
  *s = (hf_shards){0};
}
