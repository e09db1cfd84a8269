/* Inside of the schedule: requests and the pool of their sessions. */
#ifndef TERN_GENERATE_SCHEDULE_PARTS_H
#define TERN_GENERATE_SCHEDULE_PARTS_H

#include "engine/generate/schedule.h"

struct tern_request {
  tern_schedule *schedule;
  tern_request *next; /* by arrival */
  tern_request_params params;
  int32_t *prompt;
  tern_score *scores;
  tern_answer *answer;
  tern_request_facts facts;
  tern_error error;
  tern_session *session; /* NULL: waits, or has ended */
  int feed;              /* prompt ids to feed: all, or all but the last when they are only scored */
  int reusable;          /* of these at most from elsewhere: those whose logits nobody wants */
  int needed;            /* positions */
  int32_t last;          /* chosen last, to be fed next */
  bool cancelled;
};

/* A session of the pool. */
typedef struct tern_kept {
  tern_session *session;
  tern_request *user; /* NULL: kept for what it holds */
  int64_t used;       /* when last, in steps */
} tern_kept;

typedef struct tern_session_pool {
  tern_workspace *workspace;
  tern_kv_type kv;
  int longest;   /* positions of one session */
  int most;      /* positions */
  int positions; /* of all sessions */
  int wait;      /* positions: as tern_schedule_params has it */
  bool no_reuse;
  tern_kept *kept; /* [room] */
  int count, room;
} tern_session_pool;

/* What came of looking for a session. */
typedef enum tern_admission {
  TERN_ADMITTED,
  TERN_LATER,  /* another request is about to compute much of the prompt */
  TERN_FULL,   /* no positions left */
  TERN_REFUSED /* failed: *e */
} tern_admission;

/* Gives r a session with as much of its prompt as any session has. */
tern_admission tern_session_pool_take(tern_session_pool *p, tern_request *r, int64_t now, tern_error *e);
void tern_session_pool_give(tern_session_pool *p, tern_request *r, int64_t now);
void tern_session_pool_close(tern_session_pool *p);

#endif
