/* The entry is made by hand: what manifests may hold is check_eval_catalog's. */
#include "tests/eval_fetching.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "tests/scratch.h"

void fetching_hash(char sha256[TERN_SHA256_ROOM], const void *bytes, size_t n) {
  unsigned char raw[SHA256_DIGEST_LENGTH];
  SHA256(bytes, n, raw);
  for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) snprintf(sha256 + 2 * i, 3, "%02x", raw[i]);
}

int fetching_setup(void **state) {
  static const char *const others[] = {"HF_TOKEN",    "HF_TOKEN_PATH", "HF_HOME",   "HF_ENDPOINT", "http_proxy",
                                       "https_proxy", "HTTPS_PROXY",   "all_proxy", "ALL_PROXY"};
  fetching *t = calloc(1, sizeof *t);
  if (t == NULL) return 1;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) unsetenv(others[i]);
  scratch_make(t->root, sizeof t->root);
  setenv("HOME", t->root, 1);
  t->server = eval_server_start();
  unsigned x = 12345;
  for (size_t i = 0; i < sizeof t->body; i++) t->body[i] = (unsigned char)((x = x * 1103515245 + 12345) >> 16);
  fetching_hash(t->sha256, t->body, sizeof t->body);
  snprintf(t->address, sizeof t->address, "http://127.0.0.1:%d/data.bin", eval_server_port(t->server));
  t->file = (tern_catalog_file){.file = "data/set.bin",
                                .address = t->address,
                                .sha256 = t->sha256,
                                .download_sha256 = t->sha256,
                                .size = FETCHING_SIZE,
                                .download_size = FETCHING_SIZE,
                                .rows = -1};
  t->entry = (tern_catalog_entry){.name = "set",
                                  .kind = "data",
                                  .home = "https://publisher.example/terms",
                                  .files = &t->file,
                                  .file_count = 1,
                                  .most_bytes = 10 * FETCHING_SIZE};
  t->options = (tern_fetch_options){.root = t->root, .stall_s = 20, .tries = 3, .pause_s = 0.01};
  *state = t;
  return 0;
}

int fetching_teardown(void **state) {
  fetching *t = *state;
  eval_server_stop(t->server);
  scratch_remove(t->root);
  free(t);
  return 0;
}

static void told(void *state, const tern_fetched *f) {
  fetching *t = state;
  t->told = *f;
  t->files++;
}

int fetching_run(fetching *t) {
  t->files = 0;
  t->e = (tern_error){0};
  return tern_fetch(&t->entry, &t->options, told, t, &t->e);
}

void fetching_serve(fetching *t, server_page page) {
  if (page.path == NULL) page.path = "/data.bin";
  if (page.body == NULL) {
    page.body = t->body;
    page.size = sizeof t->body;
  }
  eval_server_put(t->server, &page);
}

server_seen fetching_seen(fetching *t) {
  return eval_server_seen(t->server, "/data.bin");
}

bool fetching_is_right(const fetching *t) {
  char path[512];
  unsigned char bytes[FETCHING_SIZE + 1];
  snprintf(path, sizeof path, "%s/data/set.bin", t->root);
  FILE *f = fopen(path, "rb");
  if (f == NULL) return false;
  size_t n = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  return n == FETCHING_SIZE && memcmp(bytes, t->body, n) == 0;
}

bool fetching_is_there(const fetching *t, const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", t->root, name);
  return access(path, F_OK) == 0;
}

long fetching_unfinished(const fetching *t) {
  char path[1024];
  long bytes = -1;
  struct stat st;
  snprintf(path, sizeof path, "%s/.fetch", t->root);
  DIR *d = opendir(path);
  for (struct dirent *one; d != NULL && (one = readdir(d)) != NULL;) {
    snprintf(path, sizeof path, "%s/.fetch/%s", t->root, one->d_name);
    bool lock = strstr(one->d_name, ".lock") != NULL || strstr(one->d_name, ".note") != NULL;
    if (!lock && one->d_name[0] != '.' && stat(path, &st) == 0) bytes = (long)st.st_size;
  }
  if (d != NULL) closedir(d);
  return bytes;
}
