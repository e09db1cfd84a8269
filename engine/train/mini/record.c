/* Records as JSON lines. */
#include <string.h>

#include "engine/train/mini/record.h"

void mini_record_clear(mini_record *r) {
  mini_text_clear(&r->prompt);
  mini_text_clear(&r->completion);
  r->kind = "";
  r->choices = r->answer = r->answers = 0;
  r->tuple[0] = r->composition[0] = '\0';
}

void mini_record_choose(mini_record *r, mini_draw *d, const char *const *text, int choices) {
  int order[MINI_CHOICES] = {0, 1, 2, 3};
  mini_shuffle(d, order, choices);
  r->choices = choices;
  for (int i = 0; i < choices; i++) {
    snprintf(r->choice[i], MINI_SHORT, "%s", text[order[i]]);
    if (order[i] == 0) r->answer = i;
  }
}

/* The tables are plain ASCII; what JSON escapes is the quote and the line end. */
static void put(FILE *to, const char *text) {
  fputc('"', to);
  for (; *text; text++) {
    if (*text == '\n') {
      fputs("\\n", to);
      continue;
    }
    if (*text == '"' || *text == '\\') fputc('\\', to);
    fputc(*text, to);
  }
  fputc('"', to);
}

static void field(FILE *to, const char *before, const char *name, const char *text) {
  fprintf(to, "%s\"%s\":", before, name);
  put(to, text);
}

static void write_ask(FILE *to, const mini_record *r, const char *task, const char *split, int number) {
  field(to, "{", "instruction", r->kind);
  field(to, ",", "input", r->prompt.data);
  field(to, ",", "output", r->completion.data);
  field(to, ",", "task", task);
  field(to, ",", "split", split);
  fprintf(to, ",\"id\":\"%s-%s-%d\"}\n", task, split, number);
}

int mini_record_write(FILE *to, const mini_record *r, const char *task, const char *split, int number) {
  if (strcmp(task, "tune") == 0) {
    write_ask(to, r, task, split, number);
    return ferror(to) ? TERN_FAILED : 0;
  }
  field(to, "{", "prompt", r->prompt.data);
  field(to, ",", "completion", r->completion.data);
  field(to, ",", "task", task);
  field(to, ",", "split", split);
  field(to, ",", "kind", r->kind);
  fprintf(to, ",\"id\":\"%s-%s-%d\"", task, split, number);
  if (r->tuple[0]) field(to, ",", "tuple", r->tuple);
  if (r->composition[0]) field(to, ",", "composition", r->composition);
  for (int i = 0; i < r->choices; i++) {
    fputs(i ? "," : ",\"choices\":[", to);
    put(to, r->choice[i]);
  }
  if (r->choices) fprintf(to, "],\"answer\":%d", r->answer);
  for (int i = 0; i < r->answers; i++) fprintf(to, "%s[%zu,%zu]", i ? "," : ",\"answers\":[", r->begin[i], r->end[i]);
  fputs(r->answers ? "]}\n" : "}\n", to);
  return ferror(to) ? TERN_FAILED : 0;
}
