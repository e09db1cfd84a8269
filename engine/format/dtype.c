/* The table of disk types. A new one is a row in its family's file and a line
 * here. */
#include "engine/format/dtype.h"

#include <strings.h>

#include "engine/format/dtype_rows.h"

static const tern_dtype *const types[] = {
    &tern_dtype_f32,   &tern_dtype_f16,      &tern_dtype_bf16,   &tern_dtype_q8_0,   &tern_dtype_q6_k,
    &tern_dtype_tq1_0, &tern_dtype_tq2_0,    &tern_dtype_i2_s,   &tern_dtype_q4_0,   &tern_dtype_q4_k,
    &tern_dtype_q2_0,  &tern_dtype_q2_0_128, &tern_dtype_iq1_bn, &tern_dtype_iq2_bn,
};
enum { TYPES = sizeof types / sizeof *types };

const tern_dtype *tern_dtype_at(int i) {
  return i >= 0 && i < TYPES ? types[i] : NULL;
}

const tern_dtype *tern_dtype_by_id(uint32_t id) {
  for (int i = 0; i < TYPES; i++) {
    if (types[i]->id == id) return types[i];
  }
  return NULL;
}

const tern_dtype *tern_dtype_by_name(const char *name) {
  for (int i = 0; i < TYPES; i++) {
    if (strcasecmp(types[i]->name, name) == 0) return types[i];
  }
  return NULL;
}

/* Only for messages: what people meet in files made for other engines. */
static const struct {
  uint32_t id;
  const char *name;
} foreign[] = {
    {3, "Q4_1"},   {6, "Q5_0"},    {7, "Q5_1"},     {10, "Q2_K"},         {11, "Q3_K"},
    {13, "Q5_K"},  {15, "Q8_K"},   {16, "IQ2_XXS"}, {17, "IQ2_XS"},       {18, "IQ3_XXS"},
    {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"},   {22, "IQ2_S"},        {23, "IQ4_XS"},
    {24, "I8"},    {25, "I16"},    {26, "I32"},     {27, "I64"},          {28, "F64"},
    {29, "IQ1_M"}, {37, "I8_S"},   {38, "TL1"},     {39, "TL2 or MXFP4"}, {335, "IQ2_BN_R4"},
};

const char *tern_dtype_foreign(uint32_t id) {
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    if (foreign[i].id == id) return foreign[i].name;
  }
  return NULL;
}
