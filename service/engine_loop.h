/* The engine's thread: the only one that touches the schedule. Any number of
 * threads hand it prompts and wait; whatever is there at a time is computed
 * together. Knows nothing of HTTP or JSON. */
#ifndef TERN_SERVICE_ENGINE_LOOP_H
#define TERN_SERVICE_ENGINE_LOOP_H

#include "engine/generate/schedule.h"

/* One prompt and what becomes of it. */
typedef struct tern_work {
  int32_t *ids; /* malloc'ed, the work's own */
  int count;
  tern_answer_params answer; /* count 0: none; strings are the caller's, put and arg the engine's */
  bool score_prompt, score_answer;

  /* Out, when it has ended: */
  int status;
  char error[512];     /* status != TERN_OK */
  int32_t *answer_ids; /* [answer_count] an end token included */
  int answer_count, reused;
  char *text; /* of the answer, up to a stop string; not necessarily valid UTF-8 */
  size_t size;
  tern_stop stop;
  tern_score *scores; /* [count + answer_count - 1], of ids from the second on; what was not asked for is 0 */

  /* The engine's own: */
  tern_request *request;
  int phase;
  size_t room;
} tern_work;
void tern_work_free(tern_work *w); /* what is in it */

typedef struct tern_engine_loop tern_engine_loop;
/* The schedule is the loop's until it is closed. most: prompts at once, those
 * that wait included. */
int tern_engine_loop_open(tern_engine_loop **out, tern_schedule *s, int most, tern_error *e);
/* What is underway is finished, unless a signal comes; new work is refused. */
void tern_engine_loop_drain(tern_engine_loop *l);
void tern_engine_loop_close(tern_engine_loop *l); /* drained first; NULL allowed */

typedef enum tern_loop_answer { TERN_LOOP_DONE, TERN_LOOP_BUSY, TERN_LOOP_CLOSED } tern_loop_answer;
/* Runs the works to their end, each with its own status. gone (may be NULL) is
 * asked now and then; when true they are cancelled. Any thread. */
tern_loop_answer tern_engine_loop_run(tern_engine_loop *l, tern_work *works, int count, bool (*gone)(void *),
                                      void *arg);
typedef struct tern_loop_load {
  int prompts;                   /* that run or wait */
  long long finished, cancelled; /* runs so far: all, and of them those whose clients went */
} tern_loop_load;
tern_loop_load tern_engine_loop_load(tern_engine_loop *l);

#endif
