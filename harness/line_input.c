/* libedit on a terminal; getline elsewhere. The program's signal handlers stay:
 * a signal ends the read, and what to do then is the caller's affair. */
#include "harness/line_input.h"

#include <errno.h>
#include <histedit.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/interrupt.h"

enum { REMEMBERED = 500 };

struct tern_line_input {
  EditLine *edit; /* NULL: no terminal */
  History *history;
  const char *prompt;
  char *line;
  size_t room;
};

static char *show_prompt(EditLine *edit) {
  void *data;
  el_get(edit, EL_CLIENTDATA, &data);
  return (char *)(uintptr_t)((const tern_line_input *)data)->prompt;
}

static int open_editor(tern_line_input *l, tern_error *e) {
  HistEvent event;
  l->edit = el_init("ternmark", stdin, stdout, stderr);
  l->history = history_init();
  if (l->edit == NULL || l->history == NULL) return tern_fail(e, TERN_FAILED, "line editor: out of memory");
  history(l->history, &event, H_SETSIZE, REMEMBERED);
  history(l->history, &event, H_SETUNIQUE, 1);
  el_set(l->edit, EL_CLIENTDATA, l);
  el_set(l->edit, EL_PROMPT, show_prompt);
  el_set(l->edit, EL_EDITOR, "emacs");
  el_set(l->edit, EL_HIST, history, l->history);
  el_source(l->edit, NULL); /* the user's ~/.editrc */
  return TERN_OK;
}

int tern_line_input_open(tern_line_input **out, const char *prompt, tern_error *e) {
  *out = NULL;
  tern_line_input *l = calloc(1, sizeof *l);
  if (l == NULL) return tern_fail(e, TERN_FAILED, "line editor: out of memory");
  l->prompt = prompt;
  if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && open_editor(l, e) != TERN_OK) {
    tern_line_input_close(l);
    return TERN_FAILED;
  }
  *out = l;
  return TERN_OK;
}

void tern_line_input_close(tern_line_input *l) {
  if (l == NULL) return;
  if (l->edit != NULL) el_end(l->edit);
  if (l->history != NULL) history_end(l->history);
  free(l->line);
  free(l);
}

bool tern_line_input_is_terminal(const tern_line_input *l) {
  return l->edit != NULL;
}

static bool read_edited(tern_line_input *l) {
  HistEvent event;
  int count;
  const char *text = el_gets(l->edit, &count);
  if (text == NULL || count <= 0) return false;
  if (count > 1) history(l->history, &event, H_ENTER, text);
  free(l->line);
  l->line = strdup(text);
  return l->line != NULL;
}

tern_line_end tern_line_input_read(tern_line_input *l, const char **line) {
  errno = 0;
  bool read = l->edit != NULL ? read_edited(l) : getline(&l->line, &l->room, stdin) >= 0;
  if (tern_interrupted()) return TERN_LINE_BROKEN;
  if (!read) return TERN_LINE_ENDED;
  l->line[strcspn(l->line, "\r\n")] = 0;
  *line = l->line;
  return TERN_LINE_READ;
}
