/* JSON values written as Python writes them, because lm-eval hashes and stores
 * such text: json.dumps(ensure_ascii=False) and str(). Reals are repr's: the
 * fewest digits that read back as the same double. */
#ifndef TERN_EVAL_PYTHON_JSON_H
#define TERN_EVAL_PYTHON_JSON_H

#include <jansson.h>

#include "engine/base/error.h"

/* json.dumps(value, indent=indent, ensure_ascii=False); indent 0: one line,
 * ", " and ": " between (free()). */
char *tern_python_dumps(const json_t *value, int indent, tern_error *e);
/* str(value): a text as it is, else Python's literal: True, None, ['a'] (free()). */
char *tern_python_str(const json_t *value, tern_error *e);

enum { TERN_REAL_ROOM = 32 };
/* repr(float); nan, inf and -inf for those. */
void tern_python_real(double v, char out[TERN_REAL_ROOM]);

#endif
