/* One row a feature: where CPUID or the auxiliary vector tells it, and one of
 * its instructions, in assembly so that no compiler flag is needed. */
#include "harness/cpu_features.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "kernels/kernel.h"

#if defined(__x86_64__)
#include <cpuid.h>
#else
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define TRIAL(name, text)                                                                                              \
  static void try_##name(void) {                                                                                       \
    __asm__ volatile(text ::: CLOBBERS);                                                                               \
  }

#if defined(__x86_64__)
#define CLOBBERS "rax", "rdx", "xmm0", "memory", "cc"
#define END "\nvzeroupper"
enum { A, B, C, D };
typedef struct place {
  unsigned leaf, subleaf, reg, bit;
  unsigned state; /* of XCR0, that the system must save */
} place;
enum { NO_STATE = 0, YMM = 0x06, ZMM = 0xe6 };

TRIAL(sse42, "crc32l %%eax, %%eax")
TRIAL(popcnt, "popcnt %%eax, %%eax")
TRIAL(f16c, "vcvtps2ph $0, %%ymm0, %%xmm0" END)
TRIAL(fma, "vfmadd231ps %%ymm0, %%ymm0, %%ymm0" END)
TRIAL(avx2, "vpaddd %%ymm0, %%ymm0, %%ymm0" END)
TRIAL(bmi2, "pdep %%eax, %%eax, %%eax")
TRIAL(avx_vnni, "%{vex%} vpdpbusd %%ymm0, %%ymm0, %%ymm0" END)
TRIAL(avx512f, "vpaddd %%zmm0, %%zmm0, %%zmm0" END)
TRIAL(avx512dq, "vpmullq %%zmm0, %%zmm0, %%zmm0" END)
TRIAL(avx512bw, "vpmaddubsw %%zmm0, %%zmm0, %%zmm0" END)
TRIAL(avx512vl, "vpternlogd $0, %%ymm0, %%ymm0, %%ymm0" END)
TRIAL(avx512_vnni, "vpdpbusd %%zmm0, %%zmm0, %%zmm0" END)
TRIAL(avx512_vbmi, "vpermb %%zmm0, %%zmm0, %%zmm0" END)
TRIAL(gfni, "vgf2p8affineqb $0, %%ymm0, %%ymm0, %%ymm0" END)
TRIAL(avx512_bf16, "vdpbf16ps %%zmm0, %%zmm0, %%zmm0" END)
TRIAL(avx512_fp16, "vaddph %%zmm0, %%zmm0, %%zmm0" END)

static const struct row {
  const char *name, *level;
  place where;
  void (*trial)(void);
  bool aside; /* no higher level includes the feature's */
} rows[] = {
    {"sse4_2", "scalar", {1, 0, C, 20, NO_STATE}, try_sse42, false},
    {"popcnt", "scalar", {1, 0, C, 23, NO_STATE}, try_popcnt, false},
    {"f16c", "avx2", {1, 0, C, 29, YMM}, try_f16c, false},
    {"fma", "avx2", {1, 0, C, 12, YMM}, try_fma, false},
    {"avx2", "avx2", {7, 0, B, 5, YMM}, try_avx2, false},
    {"bmi2", "avx2", {7, 0, B, 8, NO_STATE}, try_bmi2, false},
    {"avx_vnni", "avxvnni", {7, 1, A, 4, YMM}, try_avx_vnni, true},
    {"avx512f", "avx512", {7, 0, B, 16, ZMM}, try_avx512f, false},
    {"avx512dq", "avx512", {7, 0, B, 17, ZMM}, try_avx512dq, false},
    {"avx512bw", "avx512", {7, 0, B, 30, ZMM}, try_avx512bw, false},
    {"avx512vl", "avx512", {7, 0, B, 31, ZMM}, try_avx512vl, false},
    {"avx512_vnni", "avx512vnni", {7, 0, C, 11, ZMM}, try_avx512_vnni, false},
    {"avx512_vbmi", "avx512vbmi", {7, 0, C, 1, ZMM}, try_avx512_vbmi, false},
    {"gfni", "avx512vbmi", {7, 0, C, 8, YMM}, try_gfni, false},
    {"avx512_bf16", "avx512bf16", {7, 1, A, 5, ZMM}, try_avx512_bf16, false},
    {"avx512_fp16", "avx512fp16", {7, 0, D, 23, ZMM}, try_avx512_fp16, false},
};

static bool advertised(const place *p) {
  unsigned r[4] = {0}, a, b, c, d, low = 0, high;
  if (!__get_cpuid_count(p->leaf, p->subleaf, &r[A], &r[B], &r[C], &r[D])) return false;
  if (__get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE) __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (r[p->reg] >> p->bit & 1) && (low & p->state) == p->state;
}
#else
#define CLOBBERS "x9", "v0", "memory"
typedef struct place {
  unsigned long vector, bit; /* AT_HWCAP or AT_HWCAP2, mask */
} place;

#define NEW(extension, text) ".arch armv8.6-a+" extension "\n" text "\n.arch armv8-a"
TRIAL(asimd, "add v0.4s, v0.4s, v0.4s")
TRIAL(fp16, NEW("fp16", "fadd v0.8h, v0.8h, v0.8h"))
TRIAL(dotprod, NEW("dotprod", "sdot v0.4s, v0.16b, v0.16b"))
TRIAL(i8mm, NEW("i8mm", "smmla v0.4s, v0.16b, v0.16b"))
TRIAL(bf16, NEW("bf16", "bfdot v0.4s, v0.8h, v0.8h"))
TRIAL(sve, NEW("sve", "cntb x9"))
TRIAL(sve2, NEW("sve2", "match p0.b, p0/z, z0.b, z0.b"))

static const struct row {
  const char *name, *level;
  place where;
  void (*trial)(void);
  bool aside; /* no higher level includes the feature's */
} rows[] = {
    {"asimd", "neon", {AT_HWCAP, HWCAP_ASIMD}, try_asimd, false},
    {"asimdhp", "neonfp16", {AT_HWCAP, HWCAP_ASIMDHP}, try_fp16, false},
    {"asimddp", "neondot", {AT_HWCAP, HWCAP_ASIMDDP}, try_dotprod, false},
    {"i8mm", "neoni8mm", {AT_HWCAP2, HWCAP2_I8MM}, try_i8mm, false},
    {"bf16", "neonbf16", {AT_HWCAP2, HWCAP2_BF16}, try_bf16, false},
    {"sve", "sve", {AT_HWCAP, HWCAP_SVE}, try_sve, false},
    {"sve2", "sve2", {AT_HWCAP2, HWCAP2_SVE2}, try_sve2, false},
};

static bool advertised(const place *p) {
  return (getauxval(p->vector) & p->bit) != 0;
}
#endif

enum { FEATURES = sizeof rows / sizeof *rows };
static sigjmp_buf trap;

static void on_fault(int signo) {
  siglongjmp(trap, signo);
}

static bool survives(void (*trial)(void)) {
  struct sigaction action = {.sa_handler = on_fault}, saved;
  sigemptyset(&action.sa_mask);
  sigaction(SIGILL, &action, &saved);
  bool alive = false;
  if (sigsetjmp(trap, 1) == 0) {
    trial();
    alive = true;
  }
  sigaction(SIGILL, &saved, NULL);
  return alive;
}

int tern_cpu_features(const tern_cpu_feature **list) {
  static tern_cpu_feature found[FEATURES];
  for (int i = 0; i < FEATURES && !found[i].name; i++) {
    bool told = advertised(&rows[i].where);
    found[i] = (tern_cpu_feature){rows[i].name, told, told && survives(rows[i].trial), tern_isa_parse(rows[i].level),
                                  rows[i].aside};
  }
  *list = found;
  return FEATURES;
}

bool tern_cpu_runs(const char *feature) {
  const tern_cpu_feature *list;
  int count = tern_cpu_features(&list);
  for (int i = 0; i < count; i++)
    if (strcmp(list[i].name, feature) == 0) return list[i].executed;
  return false;
}

void tern_cpu_feature_users(const tern_cpu_feature *f, char *out, size_t size) {
  bool all = true;
  out[0] = '\0';
  for (const tern_layout *const *l = tern_layouts(); *l; l++) {
    const tern_kernel *k = tern_kernel_find(*l, TERN_ISA_COUNT);
    const size_t used = strlen(out);
    const bool level = f->aside ? (int)k->isa == f->isa : (int)k->isa >= f->isa;
    const bool takes = f->isa >= 0 && f->executed && level;
    all = all && takes;
    if (takes) snprintf(out + used, size - used, "%s%s", used ? ", " : "", k->name);
  }
  if (all) snprintf(out, size, "all");
}
