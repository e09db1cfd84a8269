/* Punkt's four tables and the patterns around them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/eval/ifeval_punkt_parts.h"

#define MANY "(?:-{2,}|\\.{2,}|(?:\\.\\s){2,}\\.)"

enum { LARGEST = 64 << 20 }; /* bytes of a table */

static const char *const files[TERN_PUNKT_TABLES] = {
    [TERN_PUNKT_ABBREVIATIONS] = "abbrev_types.txt",
    [TERN_PUNKT_COLLOCATIONS] = "collocations.tab",
    [TERN_PUNKT_STARTERS] = "sent_starters.txt",
    [TERN_PUNKT_CASES] = "ortho_context.tab",
};

static int by_key(const void *a, const void *b) {
  return strcmp(((const tern_punkt_line *)a)->key, ((const tern_punkt_line *)b)->key);
}

/* Cuts the bytes into lines; those of ortho_context into word and number. */
static int read_lines(tern_punkt_table *t, bool numbers, const char *path, tern_error *e) {
  size_t room = 1;
  for (const char *at = t->bytes; *at != '\0'; at++) room += *at == '\n';
  if ((t->lines = calloc(room, sizeof *t->lines)) == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  for (char *at = t->bytes, *end; *at != '\0'; at = end) {
    size_t size = strcspn(at, "\n");
    end = at + size + (at[size] == '\n');
    at[size] = '\0';
    if (size > 0 && at[size - 1] == '\r') at[size - 1] = '\0';
    if (*at == '\0') continue;
    tern_punkt_line *line = &t->lines[t->count];
    line->key = at;
    char *tab = strrchr(at, '\t');
    if (numbers && (tab == NULL || sscanf(tab + 1, "%u", &line->value) != 1))
      return tern_fail(e, TERN_FAILED, "%s: line %zu: a word, a tab and a number were expected", path, t->count + 1);
    if (numbers) *tab = '\0';
    t->count++;
  }
  qsort(t->lines, t->count, sizeof *t->lines, by_key);
  return 0;
}

static int read_table(tern_punkt *p, int i, const char *folder, tern_error *e) {
  char path[4096];
  if (snprintf(path, sizeof path, "%s/%s", folder, files[i]) >= (int)sizeof path)
    return tern_fail(e, TERN_FAILED, "%s: path too long", folder);
  size_t size;
  tern_punkt_table *t = &p->tables[i];
  if ((t->bytes = tern_file_read(path, LARGEST, &size, e)) == NULL) return (int)e->status;
  if (memchr(t->bytes, '\0', size) != NULL) return tern_fail(e, TERN_FAILED, "%s: no text: a zero byte is in it", path);
  return read_lines(t, i == TERN_PUNKT_CASES, path, e);
}

static int open_patterns(tern_punkt *p, tern_error *e) {
  const struct {
    tern_regex **to;
    const char *text;
  } list[] = {
      /* a possible end: what follows it, and the next token where white space is between */
      {&p->ends, "[.?!](?=(" TERN_PUNKT_APART "|\\s+(\\S+)))"},
      /* closing marks at the head of a sentence belong to the one before */
      {&p->realigned, "(?m)\\A[\"')\\]}\\x{2018}\\x{2019}\\x{201c}\\x{201d}\\xab\\xbb]+?(?:\\s+|(?=--)|$)"},
      {&p->words, MANY "|(?=[^(\"`{\\[:;&#*@)}\\]\\-,])\\S+?(?=\\s|$|" TERN_PUNKT_APART "|" MANY
                       "|,(?=$|\\s|" TERN_PUNKT_APART "|" MANY "))|\\S"},
      {&p->number, "^-?[.,]?\\d[\\d,.-]*\\.?$"},
      {&p->initial, "^[^\\W\\d]\\.$"},
  };
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    if (tern_regex_open(list[i].to, list[i].text, "Punkt", e) != 0) return (int)e->status;
  }
  return 0;
}

int tern_punkt_open(tern_punkt **out, const char *folder, tern_error *e) {
  *out = NULL;
  tern_punkt *p = calloc(1, sizeof *p);
  if (p == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  int status = open_patterns(p, e);
  for (int i = 0; i < TERN_PUNKT_TABLES && status == 0; i++) status = read_table(p, i, folder, e);
  if (status != 0) {
    tern_punkt_close(p);
    return status;
  }
  *out = p;
  return 0;
}

void tern_punkt_close(tern_punkt *p) {
  if (p == NULL) return;
  for (int i = 0; i < TERN_PUNKT_TABLES; i++) {
    free(p->tables[i].bytes);
    free(p->tables[i].lines);
  }
  tern_regex *const list[] = {p->ends, p->realigned, p->words, p->number, p->initial};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) tern_regex_close(list[i]);
  free(p);
}

const tern_punkt_line *tern_punkt_find(const tern_punkt *p, int table, const char *key) {
  const tern_punkt_table *t = &p->tables[table];
  const tern_punkt_line wanted = {key, 0};
  return t->count == 0 ? NULL : bsearch(&wanted, t->lines, t->count, sizeof wanted, by_key);
}
