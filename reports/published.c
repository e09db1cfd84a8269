/* The published tables, taken into the read-only data by the assembler
 * (.incbin works the same in gcc and clang, on x86 and ARM). The list below is
 * the only place that names a table. */
#include "reports/published.h"

#include <string.h>

#define TABLES(X)                                                                                                      \
  X(claims, "claims.csv")                                                                                              \
  X(shapes, "shapes.csv")                                                                                              \
  X(bitnet_energy, "arxiv_2310_11453_bitnet_energy.csv")                                                               \
  X(era_of_1bit, "arxiv_2402_17764_era_of_1bit.csv")                                                                   \
  X(bitnet_cpp_speed, "arxiv_2410_16144_bitnet_cpp_speed_energy.csv")                                                  \
  X(bitnet_cpp_models, "arxiv_2410_16144_model_configs.csv")                                                           \
  X(bitnet_cpp_kernels, "arxiv_2502_11880_bitnet_cpp_kernels.csv")                                                     \
  X(bitnet_2b4t, "arxiv_2504_12285_bitnet_2b4t.csv")                                                                   \
  X(consistency, "derived_consistency_checks.csv")                                                                     \
  X(recomputation, "derived_energy_memory_recomputation.csv")                                                          \
  X(frontier, "frontier_cpu_claims.csv")                                                                               \
  X(ik_llama, "ik_llama_cpp_ternary_figures.csv")                                                                      \
  X(independent, "independent_energy_measurements.csv")                                                                \
  X(bitnet_2026, "microsoft_bitnet_2026_01_cpu_optimisation.csv")                                                      \
  X(reproduction, "open_reproduction_1bitllm.csv")                                                                     \
  X(operations, "per_operation_energy_tables.csv")

#define EMBED(id, file)                                                                                                \
  __asm__(".pushsection .rodata\n"                                                                                     \
          ".balign 16\n"                                                                                               \
          ".hidden tern_published_" #id "\n"                                                                           \
          ".hidden tern_published_" #id "_end\n"                                                                       \
          ".globl tern_published_" #id "\n"                                                                            \
          ".globl tern_published_" #id "_end\n"                                                                        \
          "tern_published_" #id ":\n"                                                                                  \
          ".incbin \"" TERN_SOURCE_DIR "/reports/published/" file "\"\n"                                               \
          "tern_published_" #id "_end:\n"                                                                              \
          ".byte 0\n"                                                                                                  \
          ".popsection\n");                                                                                            \
  extern const char tern_published_##id[] __attribute__((visibility("hidden")));                                       \
  extern const char tern_published_##id##_end[] __attribute__((visibility("hidden")));
TABLES(EMBED)

static const struct {
  const char *name, *data, *end;
} tables[] = {
#define ROW(id, file) {file, tern_published_##id, tern_published_##id##_end},
    TABLES(ROW)};

static const char *const names[] = {
#define NAME(id, file) file,
    TABLES(NAME) NULL};

const char *tern_published_file(const char *name, size_t *size) {
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (strcmp(tables[i].name, name) == 0) {
      *size = (size_t)(tables[i].end - tables[i].data);
      return tables[i].data;
    }
  return NULL;
}

const char *const *tern_published_names(void) {
  return names;
}
