#include "service/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/text/tokenizer.h"

enum { SERVER_FAULT = 500, OVERLOADED = 503, REPLACED = 3 };

int tern_refuse(tern_problem *p, int code, const char *field, const char *format, ...) {
  va_list args;
  p->code = code;
  p->field = field;
  va_start(args, format);
  vsnprintf(p->message, sizeof p->message, format, args);
  va_end(args);
  return code;
}

json_t *tern_problem_json(const tern_problem *p) {
  const char *type = p->code == OVERLOADED ? "overloaded" : p->code >= SERVER_FAULT ? "server_error" : NULL;
  return json_pack("{s:{s:o, s:s, s:s?, s:i}}", "error", "message", tern_json_text(p->message, strlen(p->message)),
                   "type", type ? type : "invalid_request_error", "param", p->field, "code", p->code);
}

typedef struct sink {
  char *text;
  size_t size;
} sink;

static void put(void *arg, const char *text, size_t size) {
  sink *s = arg;
  memcpy(s->text + s->size, text, size);
  s->size += size;
}

json_t *tern_json_text(const char *text, size_t size) {
  tern_utf8_stream stream = {.replace = true};
  sink s = {.text = malloc(tern_mul(size + sizeof stream.held, REPLACED))}; /* a byte becomes three at most */
  if (!s.text) return NULL;
  tern_utf8_push(&stream, (tern_gguf_string){text, size}, put, &s);
  tern_utf8_flush(&stream, put, &s);
  json_t *string = json_stringn(s.text, s.size);
  free(s.text);
  return string;
}
