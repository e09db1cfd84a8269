/* Lines from the user: edited with history on a terminal, plain from a pipe. */
#ifndef TERN_HARNESS_LINE_INPUT_H
#define TERN_HARNESS_LINE_INPUT_H

#include <stdbool.h>

#include "engine/base/error.h"

typedef struct tern_line_input tern_line_input;

typedef enum tern_line_end { TERN_LINE_READ, TERN_LINE_BROKEN, TERN_LINE_ENDED } tern_line_end;

/* prompt: shown on a terminal only; must stay. */
int tern_line_input_open(tern_line_input **out, const char *prompt, tern_error *e);
void tern_line_input_close(tern_line_input *l); /* NULL allowed */
bool tern_line_input_is_terminal(const tern_line_input *l);
/* The next line without its end, valid until the next call. BROKEN: a signal came
 * (tern_interrupt_take tells which); ENDED: no more. */
tern_line_end tern_line_input_read(tern_line_input *l, const char **line);

#endif
