/* CPU levels by trial: the feature bits say what to try, one trapped call of
 * each level's trial function (cpu_<isa>.c, compiled with that level's flags)
 * says whether it runs. Done once per process; the answers never change. */
#include "kernels/cpu.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#else
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/* Each runs typical instructions of its level and returns 1. */
int tern_trial_avx2(void);
int tern_trial_avxvnni(void);
int tern_trial_avx512(void);
int tern_trial_avx512vlvnni(void);
int tern_trial_avx512vnni(void);
int tern_trial_avx512vbmi(void);
int tern_trial_neondot(void);
int tern_trial_neoni8mm(void);

static const char *const names[TERN_ISA_COUNT] = {"scalar",     "avx2",       "avxvnni", "avx512",  "avx512vlvnni",
                                                  "avx512vnni", "avx512vbmi", "neon",    "neondot", "neoni8mm"};

static const char other_arch[] = "not this architecture";
static const char faults[] = "advertised but faults";

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *reasons[TERN_ISA_COUNT]; /* NULL: usable */
static char cpu_name[64] = "unknown";
static sigjmp_buf trap;

static void on_fault(int signo) {
  siglongjmp(trap, signo);
}

/* Whether the trial ends and computes what it should. */
static bool survives(int (*trial)(void)) {
  static const int signals[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE};
  enum { SIGNALS = sizeof signals / sizeof *signals };
  struct sigaction action = {.sa_handler = on_fault}, saved[SIGNALS];
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &action, &saved[i]);
  const bool good = sigsetjmp(trap, 1) == 0 && trial() == 1;
  for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &saved[i], NULL);
  return good;
}

static void trim_into_name(const char *text) {
  text += strspn(text, " \t");
  snprintf(cpu_name, sizeof cpu_name, "%s", text);
  for (size_t n = strlen(cpu_name); n > 0 && strchr(" \t\n", cpu_name[n - 1]); n--) cpu_name[n - 1] = 0;
}

#if defined(__x86_64__)

static unsigned long long xcr0(void) {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (unsigned long long)high << 32 | low;
}

static void detect(void) {
  unsigned a, b, c, d, c1 = 0, b7 = 0, c7 = 0, a71 = 0;
  unsigned long long state = 0;
  if (__get_cpuid(1, &a, &b, &c, &d)) c1 = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) b7 = b, c7 = c;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) a71 = a;
  if (c1 & bit_OSXSAVE) state = xcr0(); /* the registers that the OS saves */

  const unsigned avx2_1 = bit_AVX | bit_FMA | bit_F16C, avx2_7 = bit_AVX2 | bit_BMI2;
  const unsigned avx512_7 = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
  const unsigned vbmi_7 = bit_AVX512VBMI | bit_GFNI, avxvnni_71 = 1u << 4;
  const bool saves_ymm = (state & 0x06) == 0x06, saves_zmm = (state & 0xe6) == 0xe6;
  const bool has_vnni = (c7 & bit_AVX512VNNI) != 0;
  const bool has_avx2 = (c1 & avx2_1) == avx2_1 && (b7 & avx2_7) == avx2_7;
  const struct {
    tern_isa isa, base; /* level that must be usable too */
    bool advertised, saved;
    int (*trial)(void);
  } steps[] = {
      {TERN_ISA_AVX2, TERN_ISA_SCALAR, has_avx2, saves_ymm, tern_trial_avx2},
      {TERN_ISA_AVXVNNI, TERN_ISA_AVX2, (a71 & avxvnni_71) != 0, saves_ymm, tern_trial_avxvnni},
      {TERN_ISA_AVX512, TERN_ISA_AVX2, (b7 & avx512_7) == avx512_7, saves_zmm, tern_trial_avx512},
      {TERN_ISA_AVX512VLVNNI, TERN_ISA_AVX512, has_vnni, saves_zmm, tern_trial_avx512vlvnni},
      {TERN_ISA_AVX512VNNI, TERN_ISA_AVX512VLVNNI, has_vnni, saves_zmm, tern_trial_avx512vnni},
      {TERN_ISA_AVX512VBMI, TERN_ISA_AVX512VNNI, (c7 & vbmi_7) == vbmi_7, saves_zmm, tern_trial_avx512vbmi},
  };
  for (int i = TERN_ISA_NEON; i < TERN_ISA_COUNT; i++) reasons[i] = other_arch;
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    const char **reason = &reasons[steps[i].isa];
    if (!steps[i].advertised) {
      *reason = "CPUID lacks it";
    } else if (!steps[i].saved) {
      *reason = "the operating system does not save its registers";
    } else if (reasons[steps[i].base]) {
      *reason = "a lower level is not usable";
    } else if (!survives(steps[i].trial)) {
      *reason = faults;
    }
  }

  unsigned brand[13] = {0};
  for (unsigned i = 0; i < 3; i++) {
    unsigned *p = brand + 4 * i;
    if (!__get_cpuid(0x80000002 + i, p, p + 1, p + 2, p + 3)) return;
  }
  trim_into_name((const char *)brand);
}

#else

/* Names of common cores by MIDR part number (implementer 0x41, ARM Ltd). */
static const struct {
  unsigned part;
  const char *name;
} arm_parts[] = {
    {0xd03, "Cortex-A53"},  {0xd05, "Cortex-A55"},  {0xd07, "Cortex-A57"},
    {0xd08, "Cortex-A72"},  {0xd0b, "Cortex-A76"},  {0xd0c, "Neoverse N1"},
    {0xd40, "Neoverse V1"}, {0xd49, "Neoverse N2"}, {0xd4f, "Neoverse V2"},
};

static void read_cpu_name(void) {
  FILE *f = fopen("/proc/cpuinfo", "r");
  if (!f) return;
  char line[256];
  unsigned implementer = 0, part = 0;
  while (fgets(line, sizeof line, f)) {
    const char *colon = strchr(line, ':');
    if (!colon) continue;
    if (strncmp(line, "CPU implementer", 15) == 0) sscanf(colon + 1, "%x", &implementer);
    if (strncmp(line, "CPU part", 8) == 0) sscanf(colon + 1, "%x", &part);
    if (strncmp(line, "model name", 10) == 0) trim_into_name(colon + 1);
  }
  fclose(f);
  if (!part) return;
  snprintf(cpu_name, sizeof cpu_name, "ARM implementer 0x%02x part 0x%03x", implementer, part);
  for (size_t i = 0; i < sizeof arm_parts / sizeof *arm_parts; i++)
    if (implementer == 0x41 && arm_parts[i].part == part) trim_into_name(arm_parts[i].name);
}

static void detect(void) {
  for (int i = TERN_ISA_AVX2; i < TERN_ISA_NEON; i++) reasons[i] = other_arch;
  const struct {
    tern_isa isa;
    bool advertised;
    int (*trial)(void);
  } steps[] = {
      {TERN_ISA_NEONDOT, (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0, tern_trial_neondot},
      {TERN_ISA_NEONI8MM, (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0, tern_trial_neoni8mm},
  };
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    const char **reason = &reasons[steps[i].isa];
    if (!steps[i].advertised) {
      *reason = "HWCAP lacks it";
    } else if (i > 0 && reasons[steps[i - 1].isa]) {
      *reason = "a lower level is not usable";
    } else if (!survives(steps[i].trial)) {
      *reason = faults;
    }
  }
  read_cpu_name();
}

#endif

const char *tern_isa_name(tern_isa isa) {
  return (unsigned)isa < TERN_ISA_COUNT ? names[isa] : "?";
}

int tern_isa_parse(const char *name) {
  for (int i = 0; i < TERN_ISA_COUNT; i++)
    if (strcmp(name, names[i]) == 0) return i;
  return -1;
}

const char *tern_isa_reason(tern_isa isa) {
  if ((unsigned)isa >= TERN_ISA_COUNT) return "no such level";
  pthread_once(&once, detect);
  return reasons[isa];
}

bool tern_isa_usable(tern_isa isa) {
  return tern_isa_reason(isa) == NULL;
}

tern_isa tern_isa_best(tern_isa cap) {
  int best = cap < TERN_ISA_COUNT ? (int)cap : TERN_ISA_COUNT - 1;
  while (best > 0 && !tern_isa_usable((tern_isa)best)) best--;
  return (tern_isa)best;
}

const char *tern_cpu_name(void) {
  pthread_once(&once, detect);
  return cpu_name;
}
