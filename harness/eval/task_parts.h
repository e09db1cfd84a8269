/* What the readers of a task file share. */
#ifndef TERN_EVAL_TASK_PARTS_H
#define TERN_EVAL_TASK_PARTS_H

#include "harness/eval/keys.h"
#include "harness/eval/task.h"

/* Readers of values, as keys.h has them. */
int tern_key_template(void *to, const json_t *value, const char *where, tern_error *e);  /* tern_template * */
int tern_key_texts(void *to, const json_t *value, const char *where, tern_error *e);     /* tern_task_list */
int tern_key_fields(void *to, const json_t *value, const char *where, tern_error *e);    /* tern_wording */
int tern_key_gold_is(void *to, const json_t *value, const char *where, tern_error *e);   /* tern_gold_is */
int tern_key_shot_rows(void *to, const json_t *value, const char *where, tern_error *e); /* tern_task_shots */
int tern_key_sampler(void *to, const json_t *value, const char *where, tern_error *e);   /* tern_shot_sampler */
int tern_key_manifest(void *to, const json_t *value, const char *where, tern_error *e);  /* char *, of {"manifest":} */

/* Keys that can't stand together or miss their partner; metrics by their names. */
int tern_task_check(tern_task *t, tern_error *e);

extern const tern_key tern_wording_keys[];
extern const size_t tern_wording_key_count;
void tern_wording_close(tern_wording *w);
void tern_task_list_close(tern_task_list *l);

#endif
