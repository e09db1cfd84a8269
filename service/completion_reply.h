/* OpenAI's "text_completion" object from works that have ended. */
#ifndef TERN_SERVICE_COMPLETION_REPLY_H
#define TERN_SERVICE_COMPLETION_REPLY_H

#include "service/completion_ask.h"
#include "service/engine_loop.h"

/* works: one a prompt of the ask; NULL: out of memory. */
json_t *tern_completion_reply(const tern_completion_ask *a, const tern_work *works, const tern_tokenizer *t,
                              const char *model, long long number, long long created);

#endif
