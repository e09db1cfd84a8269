/* Figures that follow from counters, sizes and the machine's measured limits.
 * Operations are counted as the papers do: two for each weight of the layers a
 * token, whatever the kernel executes. */
#ifndef TERN_HARNESS_SUMMARY_DERIVED_H
#define TERN_HARNESS_SUMMARY_DERIVED_H

#include "harness/summary_parts.h"

typedef struct tern_derived {
  double weights;   /* of the model's layers; NAN: not told */
  double peak_gops; /* of the team with the cell's kernel; NAN: not measured */
  double read_gbs;  /* where a sample has none of its own block; NAN: not measured */
  double grid_co2;  /* g/kWh; NAN: not given */
  bool peer;        /* an outside program: its counters are of the whole process, loading included */
  bool counted;     /* bytes come from the memory controllers, else from sizes */
} tern_derived;

tern_derived tern_derived_of(const json_t *manifest, const tern_cell_rows *cell);

/* Each is NAN where a part of it is not available. */
double tern_derived_ipc(const tern_derived *d, const tern_sample *r);
double tern_derived_gops(const tern_derived *d, const tern_sample *r);
/* Bytes that came from memory for a token. From sizes only while decoding:
 * a prefill's reuse within the caches is not known. */
double tern_derived_bytes(const tern_derived *d, const tern_sample *r);
/* Operations a byte. */
double tern_derived_intensity(const tern_derived *d, const tern_sample *r);
/* Share of min(peak, intensity x bandwidth). */
double tern_derived_roofline(const tern_derived *d, const tern_sample *r);

#endif
