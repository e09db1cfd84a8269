/* For fuzz targets of tokenizer files: the bytes as a file in memory, opened;
 * what opens must encode texts and give their bytes back in bounds. */
#ifndef TERN_TESTS_FUZZ_TOKENIZER_H
#define TERN_TESTS_FUZZ_TOKENIZER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/text/tokenizer.h"

typedef int fuzz_open(tern_tokenizer **out, const char *path, tern_error *e);

static inline void fuzz_encode(const tern_tokenizer *t, const char *text, size_t size, bool special) {
  tern_error e = {0};
  int32_t *ids = NULL, previous = -1;
  size_t count = 0;
  if (tern_tokenizer_encode(t, text, size, special, &ids, &count, &e)) {
    if (!e.text[0]) abort();
    return;
  }
  for (size_t i = 0; i < count; i++) {
    if (ids[i] < 0 || ids[i] >= tern_tokenizer_size(t)) abort();
    tern_gguf_string bytes = tern_tokenizer_bytes(t, previous, ids[i]);
    if (bytes.size) free(strndup(bytes.data, bytes.size));
    previous = ids[i];
  }
  free(ids);
}

static inline int fuzz_tokenizer(fuzz_open *open_file, const uint8_t *data, size_t size) {
  static const char *const texts[] = {"Hello, world! 123 it's",
                                      "\xc3\xa9t\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80",
                                      " \n\t  x<s></s><|end|>\xff\xfe"};
  static int fd = -1;
  char path[64];
  tern_error e = {0};
  tern_tokenizer *t;
  if (fd < 0) fd = memfd_create("fuzz", 0);
  if (fd < 0 || ftruncate(fd, (off_t)size) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (open_file(&t, path, &e)) {
    if (!e.text[0]) abort(); /* every refusal tells why */
    return 0;
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    fuzz_encode(t, texts[i], strlen(texts[i]), false);
    fuzz_encode(t, texts[i], strlen(texts[i]), true);
  }
  for (int32_t id = 0; id < tern_tokenizer_size(t) && id < 1000; id++) tern_tokenizer_bytes(t, -1, id);
  tern_tokenizer_close(t);
  return 0;
}

#endif
