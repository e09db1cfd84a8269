/* Tuning: times of kernels on this machine, and the choice made from them.
 * Layouts of ternary weights hold the same values, and every kernel of a layout
 * gives the same bits, so a choice never shows in a result. The table comes from
 * the harness (harness/tune_cache.h); without one the usual layout and the
 * kernel of the highest level are taken. Pure functions. */
#ifndef TERN_KERNELS_TUNING_H
#define TERN_KERNELS_TUNING_H

#include "kernels/kernel.h"

/* Where the weights of a model lie while it runs. */
typedef enum tern_place { TERN_PLACE_CACHE, TERN_PLACE_DRAM, TERN_PLACES } tern_place;
const char *tern_place_name(tern_place place); /* "cache", "dram" */

/* Classes of batches: one token, few, many. */
enum { TERN_BATCH_CLASSES = 3, TERN_TUNING_ROWS = 2048 };
int tern_batch_class(int tokens);
int tern_batch_timed(int batch_class); /* tokens that stand for the class */

typedef struct tern_tuning_row {
  const tern_kernel *kernel;
  tern_place place;
  int threads;
  int batch_class;
  double ps; /* picoseconds a weight and token, above 0 */
} tern_tuning_row;

typedef struct tern_tuning {
  size_t cache; /* bytes: greater models lie in DRAM */
  int count;
  tern_tuning_row rows[TERN_TUNING_ROWS];
} tern_tuning;

/* What a choice is for. */
typedef struct tern_situation {
  tern_isa cap;
  int threads;  /* the next greater team that was timed stands for it */
  size_t bytes; /* of the model's weights, about */
} tern_situation;

typedef struct tern_choice {
  const tern_layout *layout;
  const tern_kernel *kernels[TERN_BATCH_CLASSES];
  bool tuned; /* times had a say */
} tern_choice;

/* The layout's kernels for these circumstances; tuning may be NULL. */
tern_choice tern_choose_kernels(const tern_tuning *tuning, const tern_layout *layout, const tern_situation *s);

/* The same, and the layout too among those of the usual one's kind, which must
 * be TERN_KIND_TERNARY: the one whose times with one and with many tokens have
 * the least product. The usual one stays where nothing is 2 % better. */
tern_choice tern_choose_layout(const tern_tuning *tuning, const tern_layout *usual, const tern_situation *s);

#endif
