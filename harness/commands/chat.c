/* ternmark chat: a conversation in the model's own template. Answers go to
 * stdout, everything else to stderr; Ctrl-C stops an answer, not the program. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/interrupt.h"
#include "engine/generate/generate.h"
#include "harness/chat_ends.h"
#include "harness/command.h"
#include "harness/conversation.h"
#include "harness/job_lists.h"
#include "harness/line_input.h"
#include "harness/opened.h"
#include "harness/sampling_options.h"

enum { USUAL_CONTEXT = 4096 };

typedef struct options {
  tern_open_options open;
  tern_sampling_options sampling;
  const char *template_name, *system, *load;
  int tokens;
} options;

enum { TEMPLATE = 0x100, SYSTEM, LOAD };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Conversation", 1},
    {"system", SYSTEM, "TEXT", 0, "system message that it starts with", 0},
    {"template", TEMPLATE, "NAME", 0, "chat template, when the file has none that is known", 0},
    {"load", LOAD, "FILE", 0, "go on with a saved conversation (as /load)", 0},
    {"tokens", 'n', "N", 0, "at most N tokens an answer (as many as fit)", 0},
    {0},
};

static const char help[] = "/reset        forget the conversation\n"
                           "/save FILE    keep it in FILE, what the model has read in FILE.kv\n"
                           "/load FILE    go on with a kept one\n"
                           "/help         this\n"
                           "/exit         end (also Ctrl-D); Ctrl-C stops an answer\n";

static const char doc[] = "Talk with a model."
                          "\vExamples:\n"
                          "  ternmark chat model.gguf\n"
                          "  ternmark chat model.gguf --system \"Answer briefly.\" --temp 0.7 --top-p 0.9\n"
                          "  printf 'Hello\\nWho are you?\\n' | ternmark chat model.gguf --template llama3\n\n"
                          "Lines that begin with / are commands; /help lists them.\n"
                          "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted at the prompt of a pipe.";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->open;
    state->child_inputs[1] = &o->sampling;
    break;
  case 'n':
    o->tokens = (int)tern_option_number(state, "tokens", text, 1, INT32_MAX);
    break;
  case TEMPLATE:
    o->template_name = text;
    break;
  case SYSTEM:
    o->system = text;
    break;
  case LOAD:
    o->load = text;
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

typedef struct chat {
  const options *o;
  tern_opened opened;
  tern_session *session;
  const tern_chat_template *template;
  tern_conversation talk;
  tern_line_input *input;
  int32_t last; /* chosen last and not fed; -1: none */
  char *answer; /* being written */
  size_t size, room;
} chat;

static void say(const char *text) {
  fprintf(stderr, "ternmark chat: %s\n", text);
}

static int put(void *arg, const char *text, size_t size, tern_error *e) {
  chat *c = arg;
  if (c->room - c->size < size) {
    char *more = realloc(c->answer, 2 * (c->size + size));
    if (more == NULL) return tern_fail(e, TERN_FAILED, "not enough memory for the answer");
    c->answer = more;
    c->room = 2 * (c->size + size);
  }
  memcpy(c->answer + c->size, text, size);
  c->size += size;
  if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
    return tern_fail_errno(e, "standard output: cannot write");
  return TERN_OK;
}

/* The conversation so far as ids, up to where the answer begins. */
static int encode(chat *c, int32_t **ids, int *n, tern_error *e) {
  char *text;
  if (tern_chat_format(c->template, c->talk.messages, c->talk.count, true, &text, e) != TERN_OK) return TERN_FAILED;
  int status = tern_opened_encode(&c->opened, text, strlen(text), true, true, ids, n, e);
  free(text);
  return status;
}

/* How many tokens the answer may have; says so when the context is the limit. */
static int choose_count(const chat *c, int n, int *count, tern_error *e) {
  int context = tern_session_context(c->session), left = context - n + 1;
  if (n > context)
    return tern_fail(
        e, TERN_FAILED,
        "the conversation has %d tokens, the context %d positions: /reset, or start with a greater --context", n,
        context);
  if (c->o->tokens > left)
    fprintf(stderr, "ternmark chat: the context of %d positions ends after %d of the %d tokens asked for\n", context,
            left, c->o->tokens);
  *count = c->o->tokens > 0 && c->o->tokens < left ? c->o->tokens : left;
  return TERN_OK;
}

static int write_answer(chat *c, const int32_t *ids, int n, tern_error *e) {
  tern_answer_params p = tern_sampling_answer(&c->o->sampling);
  tern_chat_ends ends;
  tern_generation g = {.stop = TERN_STOP_COUNT};
  tern_error ignored = {0};
  if (choose_count(c, n, &p.count, e) != TERN_OK) return TERN_FAILED;
  if (tern_chat_ends_find(&ends, c->template, c->opened.tokenizer, e) != TERN_OK) return TERN_FAILED;
  tern_chat_ends_add(&ends, &p);
  p.put = put;
  p.arg = c;
  c->size = 0;
  int status = tern_generate(c->session, c->opened.tokenizer, &p, ids, n, &g, e);
  c->last = g.last;
  if (c->size > 0) put(c, "\n", 1, &ignored);
  if (c->size > 0) c->size--;
  if (status == TERN_OK && g.stop == TERN_STOP_CONTEXT) say("the context is full: /reset to go on");
  return status;
}

/* A message and its answer; a message without one is forgotten. */
static int turn(chat *c, const char *line, tern_error *e) {
  int32_t *ids = NULL;
  int n;
  int status = tern_conversation_add(&c->talk, "user", line, strlen(line), e);
  if (status != TERN_OK) return status;
  c->size = 0;
  status = encode(c, &ids, &n, e);
  if (status == TERN_OK) status = write_answer(c, ids, n, e);
  free(ids);
  tern_error other = {0};
  bool kept = c->size > 0 && (status == TERN_OK || status == TERN_INTERRUPTED) &&
              tern_conversation_add(&c->talk, "assistant", c->answer, c->size, &other) == TERN_OK;
  if (!kept) tern_conversation_drop_last(&c->talk);
  return status;
}

static int start(chat *c, tern_error *e) {
  tern_conversation_clear(&c->talk);
  tern_session_rewind(c->session, 0);
  c->last = -1;
  if (c->o->system == NULL) return TERN_OK;
  return tern_conversation_add(&c->talk, "system", c->o->system, strlen(c->o->system), e);
}

static void beside(char *path, size_t size, const char *file) {
  snprintf(path, size, "%s.kv", file);
}

static int save(chat *c, const char *file, tern_error *e) {
  char path[4096];
  beside(path, sizeof path, file);
  int status = tern_conversation_save(&c->talk, file, e);
  bool pending = c->last >= 0 && tern_session_position(c->session) > 0;
  if (status == TERN_OK) status = tern_session_save(c->session, path, &c->last, pending, e);
  if (status == TERN_OK) fprintf(stderr, "saved %d messages in %s\n", c->talk.count, file);
  return status;
}

/* Without its session a conversation is read again: slower, not different. */
static int load(chat *c, const char *file, tern_error *e) {
  char path[4096];
  tern_error why = {0};
  int32_t *ids = NULL;
  int n = 0;
  beside(path, sizeof path, file);
  if (tern_conversation_load(&c->talk, file, e) != TERN_OK) return TERN_FAILED;
  c->last = -1;
  if (tern_session_load(c->session, path, &ids, &n, &why) != TERN_OK)
    fprintf(stderr, "ternmark chat: %s; the conversation is read again\n", why.text);
  else if (n > tern_session_position(c->session))
    c->last = ids[n - 1];
  free(ids);
  fprintf(stderr, "loaded %d messages from %s\n", c->talk.count, file);
  return TERN_OK;
}

static int reset(chat *c, const char *file, tern_error *e) {
  (void)file;
  return start(c, e);
}

static int print_help(chat *c, const char *file, tern_error *e) {
  (void)c;
  (void)file;
  (void)e;
  fputs(help, stderr);
  return TERN_OK;
}

static const struct {
  const char *name;
  bool file;
  int (*run)(chat *c, const char *file, tern_error *e);
} commands[] = {{"/reset", false, reset}, {"/save", true, save}, {"/load", true, load}, {"/help", false, print_help}};

static int command(chat *c, const char *line, tern_error *e) {
  size_t n = strcspn(line, " \t");
  const char *file = line + n + strspn(line + n, " \t");
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (strlen(commands[i].name) != n || strncmp(commands[i].name, line, n) != 0) continue;
    if (commands[i].file && *file == 0) return tern_fail(e, TERN_FAILED, "%s wants a file name", commands[i].name);
    return commands[i].run(c, file, e);
  }
  return tern_fail(e, TERN_FAILED, "no command %.40s; /help lists them (a message can't begin with /)", line);
}

/* Errors of a line are said, and the next one is read; only a dead output or a
 * signal other than Ctrl-C ends it all. */
static int converse(chat *c, tern_error *e) {
  for (const char *line;;) {
    tern_line_end end = tern_line_input_read(c->input, &line);
    if (end == TERN_LINE_BROKEN) {
      bool again = tern_interrupt_take() == SIGINT && tern_line_input_is_terminal(c->input);
      if (!again) return tern_fail(e, TERN_INTERRUPTED, "interrupted");
      putchar('\n');
      continue;
    }
    if (end == TERN_LINE_ENDED || strcmp(line, "/exit") == 0) return TERN_OK;
    if (*line == 0) continue;
    tern_error wrong = {0};
    int status = *line == '/' ? command(c, line, &wrong) : turn(c, line, &wrong);
    if (status == TERN_INTERRUPTED) {
      if (tern_interrupt_take() != SIGINT) return tern_fail(e, TERN_INTERRUPTED, "interrupted");
    } else if (status != TERN_OK) {
      say(wrong.text);
    }
    if (ferror(stdout)) {
      *e = wrong;
      return TERN_FAILED;
    }
  }
}

static int open_all(chat *c, options *o, tern_error *e) {
  int status = tern_opened_preview(&c->opened, &o->open, e);
  if (status == TERN_OK) status = tern_chat_template_of(c->opened.gguf, o->template_name, &c->template, e);
  if (status == TERN_OK)
    status = tern_sampling_options_finish(&o->sampling, c->opened.tokenizer, c->opened.facts.vocab, e);
  tern_session_params sizes = {.kv = o->open.kv};
  if (status == TERN_OK) status = tern_opened_context(&c->opened, o->open.context, USUAL_CONTEXT, &sizes.context, e);
  if (status == TERN_OK) status = tern_opened_load(&c->opened, e);
  if (status == TERN_OK) status = tern_session_open(&c->session, c->opened.model, c->opened.team, &sizes, e);
  if (status == TERN_OK) status = start(c, e);
  if (status == TERN_OK && o->load != NULL) status = load(c, o->load, e);
  if (status == TERN_OK) status = tern_line_input_open(&c->input, "> ", e);
  return status;
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp_child children[] = {{&tern_open_argp, 0, NULL, 0}, {&tern_sampling_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      .options = table, .parser = parse, .args_doc = "MODEL", .doc = doc, .children = children};
  options o = {0};
  static char name[] = "ternmark chat"; /* how messages and usage call it */
  tern_sampling_options_start(&o.sampling);
  if (tern_open_options_start(&o.open, e) != TERN_OK) return (int)e->status;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  chat c = {.o = &o, .last = -1};
  int status = open_all(&c, &o, e);
  if (status == TERN_OK) {
    tern_opened_tell(&c.opened, tern_session_kv_bytes(c.session));
    fprintf(stderr, "%-8s %s, %d positions; /help\n", "chat", tern_chat_template_name(c.template),
            tern_session_context(c.session));
    status = converse(&c, e);
  }
  tern_line_input_close(c.input);
  tern_conversation_clear(&c.talk);
  free(c.answer);
  tern_session_close(c.session);
  tern_opened_close(&c.opened);
  return status;
}

const tern_command tern_command_chat = {"chat", "talk with a model", run};
