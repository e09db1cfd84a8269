/* Instruction-set levels: what this CPU can execute, found by trying it.
 * A level includes all lower ones of its architecture, but for AVX-VNNI. */
#ifndef TERN_KERNELS_CPU_H
#define TERN_KERNELS_CPU_H

#include <stdbool.h>

typedef enum tern_isa {
  TERN_ISA_SCALAR = 0,   /* plain C: the definition (x86-64-v2 or ARMv8.0) */
  TERN_ISA_AVX2,         /* AVX2, FMA, F16C */
  TERN_ISA_AVXVNNI,      /* AVX2 and VNNI in VEX encoding; AVX-512 levels do without */
  TERN_ISA_AVX512,       /* AVX-512 F, BW, DQ, VL */
  TERN_ISA_AVX512VLVNNI, /* and VNNI, used at 256 bits */
  TERN_ISA_AVX512VNNI,   /* and VNNI at 512 bits */
  TERN_ISA_AVX512VBMI,   /* and VBMI, GFNI */
  TERN_ISA_NEON,         /* ARMv8.0 Advanced SIMD */
  TERN_ISA_NEONDOT,      /* ARMv8.2 dot product */
  TERN_ISA_NEONI8MM,     /* ARMv8.6 int8 matrix product */
  TERN_ISA_COUNT
} tern_isa;

/* Lower-case name ("avx512vnni"); "?" outside the enum. */
const char *tern_isa_name(tern_isa isa);

/* Level of that name, or -1. */
int tern_isa_parse(const char *name);

/* Whether this CPU runs the level. Each level is executed once under a trap
 * handler: hypervisors advertise features that then fault. */
bool tern_isa_usable(tern_isa isa);

/* Why a level is not usable ("not this architecture", "CPUID lacks it",
 * "advertised but faults"); NULL when usable. */
const char *tern_isa_reason(tern_isa isa);

/* Highest usable level not above `cap` (pass TERN_ISA_COUNT for no cap). */
tern_isa tern_isa_best(tern_isa cap);

/* CPU model string ("AMD EPYC ..."), "unknown" where the kernel hides it. */
const char *tern_cpu_name(void);

#endif
