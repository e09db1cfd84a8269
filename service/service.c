#include "service/service.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A file's name without folders and .gguf, a folder's own name. */
static void name_model(char *out, size_t size, const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  const char *begin = path + n;
  while (begin > path && begin[-1] != '/') begin--;
  n -= (size_t)(begin - path);
  if (n > 5 && memcmp(begin + n - 5, ".gguf", 5) == 0) n -= 5;
  snprintf(out, size, "%.*s", n < size ? (int)n : (int)size - 1, begin);
}

int tern_service_open(tern_service **out, const tern_service_params *p, const char *model, tern_error *e) {
  const tern_opened *o = p->opened;
  *out = NULL;
  tern_service *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "service: out of memory");
  s->params = *p;
  s->started = (long long)time(NULL);
  s->context = p->schedule.context;
  name_model(s->model, sizeof s->model, model);
  const tern_http_params http = {.host = p->host,
                                 .port = p->port,
                                 .most_body = p->most_body,
                                 .connections = p->connections,
                                 .idle_s = p->idle_s,
                                 .handle = tern_service_route,
                                 .refuse = tern_service_refuse,
                                 .arg = s};
  int status = tern_schedule_open(&s->schedule, o->model, o->team, o->tokenizer, &p->schedule, e);
  if (status == TERN_OK) status = tern_engine_loop_open(&s->loop, s->schedule, p->prompts, e);
  if (status == TERN_OK) status = tern_http_open(&s->http, &http, e);
  if (status == TERN_OK)
    *out = s;
  else
    tern_service_close(s);
  return status;
}

void tern_service_close(tern_service *s) {
  if (!s) return;
  if (s->http) tern_http_quiesce(s->http);
  if (s->loop) tern_engine_loop_drain(s->loop);
  tern_http_close(s->http); /* its threads still ask the loop */
  tern_engine_loop_close(s->loop);
  tern_schedule_close(s->schedule);
  free(s);
}
