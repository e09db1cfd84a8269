/* See chat_ends.h. */
#include "harness/chat_ends.h"

static int full(const tern_chat_template *t, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "chat template %s: more than %d texts that end an answer",
                   tern_chat_template_name(t), TERN_MOST_CHAT_ENDS);
}

int tern_chat_ends_find(tern_chat_ends *s, const tern_chat_template *t, const tern_tokenizer *tokenizer,
                        tern_error *e) {
  *s = (tern_chat_ends){0};
  for (const char *const *text = tern_chat_stops(t); *text != NULL; text++) {
    int32_t id = tern_tokenizer_find(tokenizer, *text);
    if (s->id_count == TERN_MOST_CHAT_ENDS || s->text_count == TERN_MOST_CHAT_ENDS) return full(t, e);
    if (id >= 0)
      s->ids[s->id_count++] = id;
    else
      s->texts[s->text_count++] = *text;
  }
  return TERN_OK;
}

void tern_chat_ends_add(tern_chat_ends *s, tern_answer_params *p) {
  int room = TERN_MOST_CHAT_ENDS - s->text_count;
  for (int i = 0; i < p->stop_count && i < room; i++) s->texts[s->text_count++] = p->stops[i];
  p->stops = s->texts;
  p->stop_count = s->text_count;
  p->ends = s->ids;
  p->end_count = s->id_count;
}
