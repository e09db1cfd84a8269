/* Paths and who answers them. */
#include <stdlib.h>
#include <string.h>

#include "service/service.h"

enum { DIGITS = 17, OK = 200, NOT_FOUND = 404, BAD_METHOD = 405, FAULT = 500 };

typedef struct route {
  const char *path, *method;
  tern_service_handle handle;
} route;

static const route routes[] = {
    {"/v1/completions", "POST", tern_service_completions},
    {"/v1/models", "GET", tern_service_models},
    {"/health", "GET", tern_service_health},
};

json_t *tern_service_models(tern_service *s, const tern_http_request *q, tern_problem *p) {
  const tern_model_facts *f = &s->params.opened->facts;
  (void)q;
  (void)p;
  json_t *own = json_pack("{s:s, s:i, s:s, s:s, s:s}", "architecture", f->arch->name, "vocabulary", f->vocab, "body",
                          f->body_layout, "head", f->head_layout, "kv", tern_kv_names[s->params.schedule.kv]);
  return json_pack("{s:s, s:[{s:s, s:s, s:I, s:s, s:i, s:o}]}", "object", "list", "data", "id", s->model, "object",
                   "model", "created", (json_int_t)s->started, "owned_by", "ternmark", "max_model_len", s->context,
                   "ternmark", own);
}

json_t *tern_service_health(tern_service *s, const tern_http_request *q, tern_problem *p) {
  tern_loop_load load = tern_engine_loop_load(s->loop);
  (void)q;
  (void)p;
  return json_pack("{s:s, s:i, s:I, s:I}", "status", "ok", "prompts", load.prompts, "finished",
                   (json_int_t)load.finished, "cancelled", (json_int_t)load.cancelled);
}

static tern_http_reply as_text(int code, json_t *root) {
  char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS) | JSON_PRESERVE_ORDER) : NULL;
  json_decref(root);
  return (tern_http_reply){.code = code, .body = text};
}

tern_http_reply tern_service_refuse(int code, const char *message) {
  tern_problem p = {0};
  tern_refuse(&p, code, NULL, "%s", message);
  return as_text(code, tern_problem_json(&p));
}

tern_http_reply tern_service_route(void *arg, const tern_http_request *q) {
  const route *found = NULL;
  tern_problem p = {0};
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
    const route *r = &routes[i];
    if (strcmp(r->path, q->path) != 0) continue;
    if (strcmp(r->method, q->method) == 0) {
      json_t *body = r->handle(arg, q, &p);
      if (!body && !p.code) tern_refuse(&p, FAULT, NULL, "out of memory");
      return p.code ? as_text(p.code, tern_problem_json(&p)) : as_text(OK, body);
    }
    found = r;
  }
  if (!found) {
    tern_refuse(&p, NOT_FOUND, NULL, "no such path: %.200s", q->path);
    return as_text(p.code, tern_problem_json(&p));
  }
  tern_refuse(&p, BAD_METHOD, NULL, "%.20s is not answered here, only %s", q->method, found->method);
  tern_http_reply reply = as_text(p.code, tern_problem_json(&p));
  reply.allow = found->method;
  return reply;
}
