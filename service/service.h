/* The service: what it offers under which path. Ties HTTP, requests and the
 * engine's loop together; each of them knows nothing of the others. */
#ifndef TERN_SERVICE_SERVICE_H
#define TERN_SERVICE_SERVICE_H

#include "harness/opened.h"
#include "service/engine_loop.h"
#include "service/http.h"
#include "service/problem.h"

typedef struct tern_service_params {
  const tern_opened *opened; /* loaded; outlives the service */
  tern_schedule_params schedule;
  int prompts; /* at once, those that wait included */
  const char *host;
  int port, connections, idle_s;
  size_t most_body;
} tern_service_params;

typedef struct tern_service {
  tern_service_params params;
  char model[256]; /* the name it has for clients */
  long long started;
  int context;
  tern_schedule *schedule;
  tern_engine_loop *loop;
  tern_http *http;
} tern_service;

int tern_service_open(tern_service **out, const tern_service_params *p, const char *model, tern_error *e);
/* Takes nothing new, finishes what is underway (a signal ends that), closes. NULL allowed. */
void tern_service_close(tern_service *s);

/* One path's work; *body is the reply, p->code set where it is a refusal. */
typedef json_t *(*tern_service_handle)(tern_service *s, const tern_http_request *q, tern_problem *p);
json_t *tern_service_completions(tern_service *s, const tern_http_request *q, tern_problem *p);
json_t *tern_service_models(tern_service *s, const tern_http_request *q, tern_problem *p);
json_t *tern_service_health(tern_service *s, const tern_http_request *q, tern_problem *p);

/* Of routes.c: the handlers of http.h. */
tern_http_reply tern_service_route(void *arg, const tern_http_request *q);
tern_http_reply tern_service_refuse(int code, const char *message);

#endif
