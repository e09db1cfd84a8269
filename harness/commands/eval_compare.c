/* ternmark eval compare: two runs over the same items. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/eval/changes_table.h"
#include "harness/eval/items.h"
#include "harness/eval/parity.h"
#include "harness/eval_parts.h"

enum { LM_EVAL = 0x100, TOLERANCE, JSON, MARKDOWN, DIFFERS = 4 /* exit code */ };

static const struct argp_option table[] = {
    {"lm-eval", LM_EVAL, 0, 0, "A is lm-eval's: its folder of samples_TASK_TIME.jsonl, or one such file", 0},
    {"tolerance", TOLERANCE, "NATS", 0, "with --lm-eval: log-likelihoods that differ by more are counted (1e-4)", 0},
    {"markdown", MARKDOWN, 0, 0, "tables in Markdown", 0},
    {"json", JSON, 0, 0, "JSON instead of tables", 0},
    {0},
};

static const char doc[] =
    "Two runs over the same items: of two kernels, formats, KV types or engines. A and B are folders of runs, "
    "baselines "
    "(ternmark eval --save-baseline) or samples files. Says for each figure the difference B - A with its 95 % "
    "interval "
    "(Tango's for accuracies; paired means else) and McNemar's exact p-value, and lists the items that changed."
    "\vExamples:\n"
    "  ternmark eval compare runs/f16 runs/i8\n"
    "  ternmark eval compare --lm-eval lm-eval-output/model runs/ours\n\n"
    "Exit code: 0 done; with --lm-eval 4 where a log-likelihood is beyond the tolerance or a text or decision differs.";

typedef struct options {
  const char *a, *b;
  double tolerance;
  bool lm_eval, markdown, json;
} options;

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  char *end;
  switch (key) {
  case LM_EVAL:
    o->lm_eval = true;
    break;
  case TOLERANCE:
    o->tolerance = strtod(text, &end);
    if (end == text || *end != '\0' || !(o->tolerance >= 0)) argp_error(state, "--tolerance: \"%.40s\"", text);
    break;
  case MARKDOWN:
    o->markdown = true;
    break;
  case JSON:
    o->json = true;
    break;
  case ARGP_KEY_ARG:
    if (o->b != NULL) argp_usage(state);
    *(o->a == NULL ? &o->a : &o->b) = text;
    break;
  case ARGP_KEY_END:
    if (o->b == NULL) argp_error(state, "two runs are compared");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

static json_t *number(double v) {
  json_t *value = json_real(v); /* NULL of what is no number */
  return value != NULL ? value : json_null();
}

static json_t *json_of(const tern_changes *c) {
  json_t *rows = json_array(), *items = json_array();
  for (size_t i = 0; i < c->count; i++) {
    const tern_change *r = &c->rows[i];
    json_array_append_new(
        rows, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "task", r->task, "figure",
                        r->figure, "items", (json_int_t)r->items, "changed", (json_int_t)r->changed, "won",
                        (json_int_t)r->won, "lost", (json_int_t)r->lost, "before", number(r->before), "now",
                        number(r->now), "difference", number(r->difference.difference), "low",
                        number(r->difference.low), "high", number(r->difference.high), "p", number(r->p)));
  }
  for (size_t i = 0; i < c->item_count; i++) {
    const tern_changed_item *t = &c->items[i];
    json_array_append_new(items, json_pack("{s:s, s:I, s:o, s:O}", "task", t->task, "id", t->id, "most",
                                           number(t->most), "figures", t->figures));
  }
  return json_pack("{s:I, s:O, s:o, s:o}", "items", (json_int_t)c->compared, "runs_differ", c->runs_differ, "figures",
                   rows, "changed", items);
}

static void print_json(json_t *value) {
  json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
  putchar('\n');
  json_decref(value);
}

static void tell_sum(const tern_changes *c, bool markdown) {
  size_t figures = 0;
  for (size_t i = 0; i < c->item_count; i++) figures += json_object_size(c->items[i].figures) > 0;
  printf("%s%zu items compared, ", markdown ? "\n" : "", c->compared);
  if (c->item_count == 0)
    puts("all equal to the bit");
  else
    printf("%zu changed, %zu of them a figure\n", c->item_count, figures);
}

static int compare(const options *o, const json_t *a, const json_t *b, tern_error *e) {
  tern_changes c;
  int status = tern_changes_find(&c, a, b, e);
  if (status != 0) return status;
  if (o->json) {
    print_json(json_of(&c));
  } else {
    tern_changes_table_write(&(tern_changes_table){.changes = &c, .before = "A", .now = "B", .markdown = o->markdown},
                             stdout);
    tern_changes_items_write(&c, o->markdown, stdout);
    tell_sum(&c, o->markdown);
  }
  tern_changes_close(&c);
  return 0;
}

static int compare_with_lm_eval(const options *o, const json_t *theirs, const json_t *ours, tern_error *e) {
  tern_parity *rows;
  size_t count;
  bool holds = true;
  int status = tern_parity_find(&rows, &count, theirs, ours, o->tolerance, e);
  if (status != 0) return status;
  if (o->json)
    print_json(tern_parity_json(rows, count));
  else
    tern_parity_markdown(rows, count, o->tolerance, stdout);
  for (size_t i = 0; i < count; i++) holds = holds && tern_parity_holds(&rows[i]);
  tern_parity_close(rows, count);
  return holds ? 0 : DIFFERS;
}

int tern_eval_compare_command(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "A B", .doc = doc};
  static char name[] = "ternmark eval compare";
  options o = {.tolerance = 1e-4};
  json_t *a = NULL, *b = NULL;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  int status = tern_items_load(&a, o.a, e);
  if (status == 0) status = tern_items_load(&b, o.b, e);
  if (status == 0) status = (o.lm_eval ? compare_with_lm_eval : compare)(&o, a, b, e);
  json_decref(a);
  json_decref(b);
  return status;
}
