/* Prompts of a file, one a line; empty lines are passed over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/text/tokenizer.h"
#include "harness/prompt.h"

enum { FILE_LIMIT = 16 << 20 };

/* Calls `take` for every line that holds something. */
static int each_line(const char *path, int (*take)(void *, int, const char *, size_t, tern_error *), void *arg,
                     tern_error *e) {
  size_t size;
  int number = 0;
  char *text = tern_file_read(path, FILE_LIMIT, &size, e);
  if (!text) return (int)e->status;
  for (char *at = text; at < text + size && !e->status;) {
    char *end = memchr(at, '\n', (size_t)(text + size - at));
    if (!end) end = text + size;
    size_t length = (size_t)(end - at);
    if (length > 0 && at[length - 1] == '\r') length--;
    if (length > 0) take(arg, ++number, at, length, e);
    at = end + 1;
  }
  free(text);
  if (!e->status && number == 0) tern_fail(e, TERN_FAILED, "%s: no prompt in it; want one a line", path);
  return (int)e->status;
}

typedef struct gathering {
  const tern_job *job;
  const tern_tokenizer *tokenizer;
  tern_prompts *prompts;
  tern_workload_list *loads;
} gathering;

static int foresee_line(void *arg, int number, const char *text, size_t size, tern_error *e) {
  (void)text;
  gathering *g = arg;
  return tern_workloads_add_prompt(g->loads, number, (int)size + 1, &g->job->ask.gen, e);
}

int tern_prompts_foresee(tern_workload_list *loads, const tern_job *job, tern_error *e) {
  *loads = job->workloads;
  gathering g = {.job = job, .loads = loads};
  return job->prompts_file ? each_line(job->prompts_file, foresee_line, &g, e) : 0;
}

static int take_line(void *arg, int number, const char *text, size_t size, tern_error *e) {
  gathering *g = arg;
  int32_t *ids;
  size_t n;
  if (tern_tokenizer_encode(g->tokenizer, text, size, false, &ids, &n, e)) return (int)e->status;
  int bos = tern_tokenizer_adds_bos(g->tokenizer) && tern_tokenizer_bos(g->tokenizer) >= 0;
  tern_prompt *items = realloc(g->prompts->items, (size_t)(number + 1) * sizeof *items);
  if (items) g->prompts->items = items;
  int32_t *own = calloc(n + 2, sizeof *own);
  if (!items || !own) {
    free(ids);
    free(own);
    return tern_fail(e, TERN_FAILED, "%s: out of memory", g->job->prompts_file);
  }
  if (bos) own[0] = tern_tokenizer_bos(g->tokenizer);
  if (n) memcpy(own + bos, ids, n * sizeof *ids);
  free(ids);
  items[number] = (tern_prompt){.ids = own, .count = (int)n + bos, .own = (int)n + bos, .text = true};
  g->prompts->count = number + 1;
  return tern_workloads_add_prompt(g->loads, number, (int)n + bos, &g->job->ask.gen, e);
}

/* What a generation after the line is fed: the shared ids, so that every
 * engine sees the same. */
static int extend(tern_prompts *p, int room, const char *path, tern_error *e) {
  for (int i = 1; i < p->count; i++) {
    tern_prompt *line = &p->items[i];
    int32_t *ids = realloc(line->ids, (size_t)(line->own + room) * sizeof *ids);
    if (!ids) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    for (int j = 0; j < room; j++) ids[line->own + j] = p->items[0].ids[j % p->items[0].count];
    line->ids = ids;
    line->count = line->own + room;
  }
  return 0;
}

static int read_lines(tern_prompts *out, tern_workload_list *loads, const tern_job *job, const tern_gguf *g,
                      tern_error *e) {
  tern_tokenizer *t;
  if (tern_tokenizer_from_gguf(&t, g, e)) return (int)e->status;
  gathering state = {job, t, out, loads};
  int bad = each_line(job->prompts_file, take_line, &state, e);
  tern_tokenizer_close(t);
  return bad;
}

int tern_prompts_make(tern_prompts *out, tern_workload_list *loads, const tern_job *job, const tern_gguf *g,
                      tern_error *e) {
  *loads = job->workloads;
  *out = (tern_prompts){calloc(1, sizeof *out->items), 1};
  if (!out->items) return tern_fail(e, TERN_FAILED, "prompts: out of memory");
  if (job->prompts_file && read_lines(out, loads, job, g, e)) goto out;
  int most = tern_workloads_positions(loads);
  if (tern_prompt_make(&out->items[0], g, job->seed, most, e)) goto out;
  extend(out, most, job->prompts_file ? job->prompts_file : "prompts", e);
out:
  if (e->status) tern_prompts_free(out);
  return (int)e->status;
}

void tern_prompts_free(tern_prompts *p) {
  for (int i = 0; i < p->count; i++) free(p->items[i].ids);
  free(p->items);
  *p = (tern_prompts){0};
}
