/* libFuzzer target: any bytes as a SentencePiece model; texts are encoded with
 * what opens. */
#include "tests/fuzz_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return fuzz_tokenizer(tern_tokenizer_from_sentencepiece, data, size);
}
