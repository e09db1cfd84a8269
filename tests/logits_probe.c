/* Holds the engine's logits against the slow reference, bit for bit: every
 * usable instruction set, layout, KV type, thread count and batch split, on
 * tiny models of every architecture. Prints a hash of all logits, which must be
 * the same on every machine. Needs no test library, so that it also runs cross
 * compiled under an emulator. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/model/model.h"
#include "tests/reference.h"
#include "tests/reference_file.h"

enum { TOKENS = 21, ALL_RUNS = 2 }; /* cases that are run in every way; the others take turns */

typedef struct variant {
  const char *body, *head;
} variant;

/* Shapes: grouped, single and full KV heads, odd head and FFN sizes; every
 * family and every way in which one may differ. */
static const struct {
  tiny_shape shape;
  tiny_family family;
  variant variants[6];
} cases[] = {
    {.shape = {"bitnet-b1.58", 2, 128, 172, 4, 2, 197, 64, "I2_S", "F16", false, 0, 0},
     .variants = {{"t2", "f16"}, {"t5", "f16"}, {"q8", "f16"}, {"f16", "f16"}, {"bf16", "bf16"}}},
    {.shape = {"bitnet", 2, 256, 256, 8, 1, 70, 64, "TQ2_0", "F32", false, 0, 0},
     .variants = {{"t2", "f32"}, {"t5", "q8"}, {"q8", "q8"}}},
    {.shape = {"bitnet-25", 2, 64, 220, 2, 1, 97, 64, "I2_S", "Q8_0", false, 0, 0},
     .variants = {{"t2", "q8"}, {"f32", "f32"}}},
    {.shape = {"llama", 2, 36, 44, 6, 3, 67, 64, "F32", "F32", true, 0, 0},
     .variants = {{"f32", "f32"}, {"q8", "f16"}, {"f16", "bf16"}}},
    {.shape = {"llama", 1, 68, 96, 2, 2, 65, 64, "F16", "F16", false, 0, 0},
     .variants = {{"f16", "f16"}, {"q8", "q8"}}},
    {.shape = {"bitllama2c", 2, 64, 64, 8, 4, 64, 64, "I2_S", "F32", false, 0, 0},
     .variants = {{"t2", "f32"}, {"t5", "f16"}, {"q8", "f32"}}},
    {.shape = {"llama", 2, 64, 96, 4, 2, 67, 64, "F16", "F16", false, 0, 0},
     .family = {.scaling = "freqs"},
     .variants = {{"f16", "f16"}}},
    {.shape = {"llama", 2, 64, 96, 4, 2, 67, 64, "I2_S", "F16", true, 0, 0},
     .family = {.scaling = "llama3", .rotated = 10},
     .variants = {{"t2", "f16"}, {"f32", "f32"}}},
    {.shape = {"qwen2", 2, 60, 92, 6, 2, 71, 64, "F16", "F16", false, 0, 0},
     .variants = {{"f16", "f16"}, {"q8", "q8"}, {"f32", "f32"}}},
    {.shape = {"qwen3", 2, 64, 100, 4, 1, 71, 64, "I2_S", "F16", true, 0, 0},
     .family = {.head_dim = 24, .scaling = "yarn"},
     .variants = {{"t2", "f16"}, {"t5", "f16"}, {"q8", "f16"}, {"f16", "f16"}}},
    {.shape = {"qwen3", 2, 64, 96, 4, 2, 71, 64, "I2_S", "F16", false, 0, 0},
     .family = {.head_dim = 32, .input_norms = true},
     .variants = {{"t2", "f16"}, {"f16", "f16"}}},
    {.shape = {"gemma3", 5, 44, 52, 4, 1, 69, 64, "F16", "F16", false, 0, 0},
     .family = {.head_dim = 18, .window = 7, .period = 3, .scaling = "linear"},
     .variants = {{"f16", "f16"}, {"q8", "q8"}, {"bf16", "f16"}}},
    {.shape = {"gemma3", 1, 64, 64, 2, 2, 69, 64, "I2_S", "F16", false, 0, 0},
     .family = {.input_norms = true},
     .variants = {{"t2", "f16"}, {"f32", "f32"}}},
    {.shape = {"minicpm", 3, 48, 80, 4, 4, 77, 64, "F16", "F16", false, 0, 0},
     .variants = {{"f16", "f16"}, {"q8", "f16"}}},
    {.shape = {"qwen3", 2, 192, 320, 3, 1, 66, 64, "Q2_0", "Q2_0", false, 0, 0},
     .family = {.uneven = true},
     .variants = {{"t2b64", "f16"}, {"t2b64", "t2b64"}, {"f16", "f32"}, {"q8", "q8b32"}}},
    {.shape = {"qwen3", 1, 128, 256, 2, 2, 66, 64, "Q2_0_128", "F16", true, 0, 0},
     .family = {.uneven = true},
     .variants = {{"t2b128", "f16"}, {"t2b64", "q4b32"}}},
    {.shape = {"llama", 1, 256, 256, 4, 2, 66, 64, "TQ2_0", "F16", false, 0, 0},
     .family = {.uneven = true},
     .variants = {{"t2b128", "f16"}, {"t2b64", "f16"}, {"bf16", "bf16"}}},
    {.shape = {"llama", 2, 96, 160, 6, 3, 67, 64, "Q8_0", "Q8_0", false, 0, 0},
     .variants = {{"q8b32", "q8b32"}, {"q8", "q8"}, {"f16", "f16"}, {"q4b32", "f16"}}},
    {.shape = {"qwen2", 1, 96, 160, 6, 3, 67, 64, "Q4_0", "F16", false, 0, 0},
     .variants = {{"q4b32", "f16"}, {"q8b32", "f16"}, {"f16", "f16"}}},
    {.shape = {"llama", 1, 76, 100, 2, 1, 67, 64, "F16", "F16", false, 0, 0},
     .variants = {{"q8b32", "f16"}, {"q4b32", "q8b32"}}},
};

/* Threads and split of the tokens into calls; kv -1: every type. */
static const struct {
  int threads, split, kv;
} runs[] = {{1, TOKENS, -1}, {1, 1, 0}, {2, 1, 1}, {3, 1, 2},     {4, 5, 0},
            {2, 3, 0},       {3, 7, 1}, {4, 7, 0}, {4, TOKENS, 2}};

static uint64_t hash = UINT64_C(0xcbf29ce484222325);
static int failures, compared;

static void check(int rc, const tern_error *e) {
  if (!rc) return;
  fprintf(stderr, "logits_probe: %s\n", e->text);
  exit(1);
}

static void add_hash(const float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    hash = (hash ^ bits) * UINT64_C(0x100000001b3);
  }
}

/* Every token's logits, fed in calls of `split`; the session's own chunks are
 * smaller than the longest call, so that both kinds of boundary occur. */
static void engine_logits(const tern_model *m, tern_team *team, tern_kv_type kv, int split, const int32_t *ids,
                          float *logits) {
  tern_session *s;
  tern_error e = {0};
  int vocab = tern_model_describe(m)->vocab;
  check(tern_session_open(&s, m, team, &(tern_session_params){.context = TOKENS, .batch = 16, .kv = kv}, &e), &e);
  for (int done = 0; done < TOKENS; done += split) {
    int n = TOKENS - done < split ? TOKENS - done : split;
    check(tern_session_eval(s, ids + done, n, TERN_WANT_ALL, logits + (size_t)done * (size_t)vocab, &e), &e);
  }
  tern_session_close(s);
}

/* All runs, or every fourth from the one that a case begins with. */
static void compare(const tern_model *m, const variant *v, const char *arch, float *const *wanted, const int32_t *ids,
                    size_t first, size_t step) {
  const tern_model_facts *f = tern_model_describe(m);
  size_t vocab = (size_t)f->vocab, bytes = TOKENS * vocab * sizeof(float);
  float *logits = malloc(bytes);
  if (!logits) abort();
  for (size_t i = first; i < sizeof runs / sizeof *runs; i += step) {
    tern_team *team;
    tern_error e = {0};
    check(tern_team_open(&team, runs[i].threads, NULL, &e), &e);
    for (int kv = TERN_KV_F32; kv <= TERN_KV_INT8; kv++) {
      if (runs[i].kv >= 0 && runs[i].kv != kv) continue;
      memset(logits, 0xff, bytes);
      engine_logits(m, team, (tern_kv_type)kv, runs[i].split, ids, logits);
      compared++;
      if (memcmp(logits, wanted[kv], bytes) == 0) continue;
      size_t at = 0;
      while (memcmp(&logits[at], &wanted[kv][at], sizeof(float)) == 0) at++;
      failures++;
      printf("DIFFERS %s %s/%s kernel %s %s, kv %s, %d threads, calls of %d: token %zu logit %zu is %a, want %a\n",
             arch, v->body, v->head, f->body_kernel, f->vec, tern_kv_names[kv], runs[i].threads, runs[i].split,
             at / vocab, at % vocab, (double)logits[at], (double)wanted[kv][at]);
    }
    tern_team_close(team);
  }
  free(logits);
}

static bool kv_is_run(int kv, size_t first, size_t step) {
  for (size_t i = first; i < sizeof runs / sizeof *runs; i += step) {
    if (runs[i].kv < 0 || runs[i].kv == kv) return true;
  }
  return false;
}

static void run_variant(const tern_gguf *g, const tiny_shape *shape, const variant *v, size_t first, size_t step) {
  int32_t ids[TOKENS];
  float *wanted[3];
  for (int i = 0; i < TOKENS; i++) ids[i] = (i * i * 7 + 3) % shape->vocab;
  for (int kv = TERN_KV_F32; kv <= TERN_KV_INT8; kv++) {
    size_t n = TOKENS * (size_t)shape->vocab;
    wanted[kv] = NULL;
    if (!kv_is_run(kv, first, step)) continue;
    wanted[kv] = calloc(n, sizeof(float));
    if (!wanted[kv]) abort();
    reference_logits(g, &(reference_spec){v->body, v->head, (tern_kv_type)kv}, ids, TOKENS, wanted[kv]);
    add_hash(wanted[kv], n);
  }
  for (int isa = 0; isa < TERN_ISA_COUNT; isa++) {
    if (!tern_isa_usable((tern_isa)isa)) continue;
    tern_model_params p = {.layout = v->body, .head_layout = v->head, .isa_cap = (tern_isa)isa};
    tern_model *m;
    tern_team *team;
    tern_error e = {0};
    check(tern_team_open(&team, 1 + isa % 3, NULL, &e), &e);
    check(tern_model_load(&m, g, &p, team, &e), &e);
    compare(m, v, shape->arch, wanted, ids, first, step);
    tern_model_close(m);
    tern_team_close(team);
  }
  for (int kv = 0; kv < 3; kv++) free(wanted[kv]);
}

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[64];
    tern_gguf *g;
    tern_error e = {0};
    tiny_write_family(path, &cases[i].shape, &cases[i].family, NULL, 1000 + i);
    check(tern_gguf_open(&g, path, &e), &e);
    unlink(path);
    for (const variant *v = cases[i].variants; v < cases[i].variants + 6 && v->body; v++) {
      run_variant(g, &cases[i].shape, v, i < ALL_RUNS ? 0 : i % 4, i < ALL_RUNS ? 1 : 4);
    }
    tern_gguf_close(g);
  }
  fprintf(stderr, "%d runs equal the reference, %d differ\n", compared - failures, failures);
  printf("logits hash %016" PRIx64 "\n", hash); /* alone on stdout: the same on every machine */
  return failures != 0;
}
