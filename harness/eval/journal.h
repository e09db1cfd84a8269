/* A run's journal: a line of JSON an item, appended as the item ends, fsync once
 * a second. The first line says what the run is (model, tasks, data, options);
 * another run's journal is refused. What a kill cut off the end is dropped. The
 * order of lines is that of ending; results are made from items in the order of
 * their ids. One process at a time (the file is locked), one thread. */
#ifndef TERN_EVAL_JOURNAL_H
#define TERN_EVAL_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_journal tern_journal;

/* Begins the file or goes on with it. head: object; stays the caller's. */
int tern_journal_open(tern_journal **out, const char *path, const json_t *head, tern_error *e);
/* What a journal holds, whoever wrote it; nothing can be added. */
int tern_journal_read(tern_journal **out, const char *path, tern_error *e);
/* Makes the last lines durable. Frees j also on failure; NULL allowed. */
int tern_journal_close(tern_journal *j, tern_error *e);

/* Adds an item, an object without "task" and "id"; stays the caller's. When the
 * disk is full the file keeps whole lines only, the item is not there, and the
 * message says how to go on. */
int tern_journal_add(tern_journal *j, const char *task, size_t id, const json_t *item, tern_error *e);

const json_t *tern_journal_head(const tern_journal *j);
/* The item as it was added; NULL when it isn't there. */
const json_t *tern_journal_item(const tern_journal *j, const char *task, size_t id);
/* Items of a task, of all with NULL. */
size_t tern_journal_count(const tern_journal *j, const char *task);

#endif
