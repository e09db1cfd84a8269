/* What a client is told when its request is not served. */
#ifndef TERN_SERVICE_PROBLEM_H
#define TERN_SERVICE_PROBLEM_H

#include <jansson.h>

typedef struct tern_problem {
  int code;          /* HTTP status; 0: none */
  const char *field; /* of the request; NULL: none in particular */
  char message[512];
} tern_problem;

/* Fills in p, returns code. */
int tern_refuse(tern_problem *p, int code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* {"error": {"message", "type", "param", "code"}} as OpenAI's; NULL: out of memory. */
json_t *tern_problem_json(const tern_problem *p);
/* A text of any bytes as a JSON string: what is no UTF-8 becomes U+FFFD. */
json_t *tern_json_text(const char *text, size_t size);

#endif
