/* Prompts. The text is our own and public with the program. */
#include "harness/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/text/tokenizer.h"

static const uint64_t PROMPT_STREAM = UINT64_C(0x70726f6d70) << 20;

static const char text[] =
    "The lighthouse at the end of the harbour was built before anyone thought of charging for light. Its keeper, "
    "a patient woman with two pairs of glasses, wrote down everything that passed: the fishing boats by name, the "
    "steamers by colour, the weather by smell. On the first page of each book she noted how much oil the lamp had "
    "burned, because oil was carried up by hand, and whoever carries a thing learns what it weighs. When engineers "
    "came from the city to measure the lamp, they brought an instrument in a walnut box and asked how bright it "
    "was. \"Bright enough,\" she said, \"for a man who is tired and wet to see it from the sandbank. Measure that.\" "
    "They set up the instrument on the quay, then on the sandbank, then on a boat, and each place gave another "
    "number. The youngest of them wrote three numbers in his table, and under the table he wrote where he had stood "
    "and what the weather was. The others laughed, but years later, when the lamp was replaced by one that used a "
    "third of the oil, his were the only figures that could be compared with the new ones. So the habit spread along "
    "the coast. A figure without its place is only a rumour, the keepers used to say, and they taught it to the "
    "children together with knots and tides. In winter the harbour froze and the boats lay upside down on the beach "
    "like sleeping seals. People mended nets, argued about the price of rope, and read old books aloud. One evening "
    "somebody asked why the new lamp burned less and yet could be seen as far. The keeper took a sheet of paper and "
    "folded it into a fan. \"The old one sent its light everywhere,\" she said, \"up to the gulls and down to the "
    "rocks. This one only says yes, no, or nothing at all, and says it where it matters.\" Nobody was sure that this "
    "was an explanation, but they all remembered it. ";

static int from_text(tern_prompt *p, const tern_tokenizer *t, tern_error *e) {
  int32_t *ids;
  size_t n;
  if (tern_tokenizer_encode(t, text, sizeof text - 1, false, &ids, &n, e)) return (int)e->status;
  int at = 0;
  if (tern_tokenizer_adds_bos(t) && tern_tokenizer_bos(t) >= 0) p->ids[at++] = tern_tokenizer_bos(t);
  for (size_t i = 0; n > 0 && at < p->count; i = (i + 1) % n) p->ids[at++] = ids[i];
  free(ids);
  p->text = true;
  snprintf(p->note, sizeof p->note, "built-in English text of %zu tokens, repeated as needed", n);
  return n > 0 ? 0 : tern_fail(e, TERN_FAILED, "the tokenizer gives no tokens for the built-in text");
}

/* Rows of the token embedding. */
static int64_t vocabulary(const tern_gguf *g) {
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, "token_embd.weight");
  return t && t->dims == 2 ? t->shape[1] : 0;
}

int tern_prompt_make(tern_prompt *out, const tern_gguf *g, uint64_t seed, int count, tern_error *e) {
  *out = (tern_prompt){.ids = calloc((size_t)count, sizeof *out->ids), .count = count};
  if (!out->ids) return tern_fail(e, TERN_FAILED, "prompt: out of memory");
  bool synthetic = false;
  tern_gguf_bool(g, "ternmark.synthetic", &synthetic);
  tern_tokenizer *t = NULL;
  tern_error unsupported = {0};
  if (!synthetic && tern_tokenizer_from_gguf(&t, g, &unsupported) == 0) {
    int bad = from_text(out, t, e);
    tern_tokenizer_close(t);
    return bad;
  }
  int64_t vocab = vocabulary(g);
  if (vocab < 1) return tern_fail(e, TERN_FAILED, "%s: no tensor token_embd.weight", tern_gguf_name(g));
  for (int i = 0; i < count; i++)
    out->ids[i] = (int32_t)(tern_random_at(seed, PROMPT_STREAM, (uint64_t)i) % (uint64_t)vocab);
  snprintf(out->note, sizeof out->note, "seeded ids%s%.70s", synthetic ? "" : ": ", synthetic ? "" : unsupported.text);
  return 0;
}
