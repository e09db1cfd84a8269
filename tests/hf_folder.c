/* Makes a small Hugging Face folder of a family, for scripts: hf_folder
 * CLASS STORE DIR [TOKENIZER], where STORE is dense, packed, divides or online
 * and TOKENIZER a tokenizer.json of at most 512 tokens; or hf_folder --list:
 * the classes. */
#include <stdio.h>
#include <string.h>

#include "engine/format/hf_parts.h"
#include "tests/hf_fixture.h"

int main(int argc, char **argv) {
  static const char *const stores[] = {"dense", "packed", "divides", "online"};
  for (int i = 0; argc == 2 && tern_hf_family_at(i); i++) printf("%s\n", tern_hf_family_at(i)->classes[0]);
  if (argc < 4) return argc == 2 ? 0 : 2;
  hf_fixture f = {.class_name = argv[1],
                  .type = TERN_SAFE_BF16,
                  .layers = 1,
                  .hidden = 16,
                  .ffn = 16,
                  .heads = 2,
                  .kv_heads = 1,
                  .head_dim = 8,
                  .vocab = argc > 4 ? 512 : 4,
                  .tokenizer = argc > 4 ? argv[4] : NULL};
  for (int i = 0; i < 4; i++) {
    if (strcmp(stores[i], argv[2]) == 0) f.store = (hf_store)i;
  }
  hf_fixture_write(argv[3], &f);
  return 0;
}
