/* Instruction peaks in assembly: twelve independent sums, more than latency
 * times throughput of any core so far; assembly also needs no compiler flags. */
#include "harness/kernel_peak.h"

#include <math.h>
#include <stddef.h>

#include "engine/base/progress.h"
#include "harness/cpu_features.h"

enum { ROUNDS = 4000, SUMS = 12, REPEATS = 8 };

/* Twelve instructions, one a sum; X(a, b) formats sum a. */
#define TWELVE(X) X("0") X("1") X("2") X("3") X("4") X("5") X("6") X("7") X("8") X("9") X("10") X("11")

#if defined(__x86_64__)
#define CLOBBERS                                                                                                       \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",  \
      "xmm14", "xmm15", "memory"
#define LEAVE "vzeroupper"
#define DPBUSD(i) "vpdpbusd %%zmm15, %%zmm15, %%zmm" i "\n"
#define DPBUSD256(i) "%{evex%} vpdpbusd %%ymm15, %%ymm15, %%ymm" i "\n"
#define DPBUSD_VEX(i) "%{vex%} vpdpbusd %%ymm15, %%ymm15, %%ymm" i "\n"
#define MADDUBS512(i) "vpmaddubsw %%zmm15, %%zmm15, %%zmm14\nvpaddw %%zmm14, %%zmm" i ", %%zmm" i "\n"
#define MADDUBS(i) "vpmaddubsw %%ymm15, %%ymm15, %%ymm14\nvpaddw %%ymm14, %%ymm" i ", %%ymm" i "\n"
#define FMA512(i) "vfmadd231ps %%zmm15, %%zmm15, %%zmm" i "\n"
#define FMA256(i) "vfmadd231ps %%ymm15, %%ymm15, %%ymm" i "\n"
#define DPBF16(i) "vdpbf16ps %%zmm15, %%zmm15, %%zmm" i "\n"
#define ZERO "vpxor %%xmm15, %%xmm15, %%xmm15\n"
#define ZERO_SUM(i) "vpxor %%xmm" i ", %%xmm" i ", %%xmm" i "\n"
#else
#define CLOBBERS "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v15", "memory"
#define LEAVE ""
#define SDOT(i) "sdot v" i ".4s, v15.16b, v15.16b\n"
#define FMLA(i) "fmla v" i ".4s, v15.4s, v15.4s\n"
#define BFDOT(i) ".arch armv8.6-a+bf16\nbfdot v" i ".4s, v15.8h, v15.8h\n"
#define ZERO ".arch armv8.2-a+dotprod\nmovi v15.4s, #0\n"
#define ZERO_SUM(i) "movi v" i ".4s, #0\n"
#endif

#define LOOP(name, X)                                                                                                  \
  static void name(void) {                                                                                             \
    __asm__ volatile(ZERO TWELVE(ZERO_SUM)::: CLOBBERS);                                                               \
    for (int i = 0; i < ROUNDS; i++) __asm__ volatile(TWELVE(X)::: CLOBBERS);                                          \
    __asm__ volatile(LEAVE::: "memory");                                                                               \
  }

#if defined(__x86_64__)
LOOP(dpbusd, DPBUSD)
LOOP(dpbusd256, DPBUSD256)
LOOP(dpbusd_vex, DPBUSD_VEX)
LOOP(maddubs512, MADDUBS512)
LOOP(maddubs, MADDUBS)
LOOP(fma512, FMA512)
LOOP(fma256, FMA256)
LOOP(dpbf16, DPBF16)
#else
LOOP(sdot, SDOT)
LOOP(fmla, FMLA)
LOOP(bfdot, BFDOT)
#endif

static const struct {
  tern_isa isa;
  bool floats;
  int operations; /* of one instruction (or pair) */
  const char *name;
  void (*loop)(void);
} peaks[] = {
#if defined(__x86_64__)
    {TERN_ISA_AVX2, false, 64, "vpmaddubsw + vpaddw ymm", maddubs},
    {TERN_ISA_AVX2, true, 16, "vfmadd231ps ymm", fma256},
    {TERN_ISA_AVXVNNI, false, 64, "vpdpbusd ymm", dpbusd_vex},
    {TERN_ISA_AVX512, false, 128, "vpmaddubsw + vpaddw zmm", maddubs512},
    {TERN_ISA_AVX512VLVNNI, false, 64, "vpdpbusd ymm", dpbusd256},
    {TERN_ISA_AVX512, true, 32, "vfmadd231ps zmm", fma512},
    {TERN_ISA_AVX512VNNI, false, 128, "vpdpbusd zmm", dpbusd},
    {TERN_ISA_AVX512VBMI, false, 128, "vpdpbusd zmm", dpbusd},
#else
    {TERN_ISA_NEON, true, 8, "fmla 4s", fmla},
    {TERN_ISA_NEONDOT, false, 32, "sdot 4s", sdot},
#endif
};

static double rate_of(void (*loop)(void), int operations) {
  double best = INFINITY;
  for (int r = 0; r < REPEATS; r++) {
    const double start = tern_now();
    loop();
    const double seconds = tern_now() - start;
    if (seconds < best) best = seconds;
  }
  return (double)ROUNDS * SUMS * operations / best * 1e-9;
}

double tern_instruction_peak(tern_isa isa, bool floats, const char **instruction) {
  *instruction = "";
  for (size_t i = 0; i < sizeof peaks / sizeof *peaks; i++) {
    if (peaks[i].isa != isa || peaks[i].floats != floats) continue;
    *instruction = peaks[i].name;
    return rate_of(peaks[i].loop, peaks[i].operations);
  }
  return (double)NAN;
}

double tern_bf16_peak(const char **instruction) {
#if defined(__x86_64__)
  *instruction = "vdpbf16ps zmm";
  return tern_cpu_runs("avx512_bf16") ? rate_of(dpbf16, 64) : (double)NAN;
#else
  *instruction = "bfdot 4s";
  return tern_cpu_runs("bf16") ? rate_of(bfdot, 16) : (double)NAN;
#endif
}
