/* ternmark run: text in, text out. Only the generated text goes to stdout;
 * what was loaded, how fast it ran and why it stopped go to stderr. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/generate/generate.h"
#include "engine/text/chat_template.h"
#include "harness/chat_ends.h"
#include "harness/command.h"
#include "harness/job_lists.h"
#include "harness/opened.h"
#include "harness/sampling_options.h"

enum { PROMPT_LIMIT = 64 << 20, DEFAULT_TOKENS = 128 };

typedef struct options {
  tern_open_options open;
  tern_sampling_options sampling;
  const char *prompt, *file, *session, *template_name, *system;
  int tokens;
  bool no_bos, no_special, echo, chat;
} options;

enum { NO_BOS = 0x100, NO_SPECIAL, SHOW_PROMPT, SESSION, CHAT, TEMPLATE, SYSTEM };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Text", 1},
    {"prompt", 'p', "TEXT", 0, "text to go on from (none: the model starts one)", 0},
    {"file", 'f', "PATH", 0, "the same, from a file", 0},
    {"tokens", 'n', "N", 0, "generate at most N tokens (128)", 0},
    {"echo", SHOW_PROMPT, 0, 0, "print the prompt before the text", 0},
    {"session", SESSION, "FILE", 0, "go on where the text saved in FILE ended, if it is there; save it afterwards", 0},
    {"chat", CHAT, 0, 0, "the prompt is a message: put it in the model's chat template", 0},
    {"template", TEMPLATE, "NAME", 0, "this chat template (implies --chat)", 0},
    {"system", SYSTEM, "TEXT", 0, "system message before it (implies --chat)", 0},
    {"no-bos", NO_BOS, 0, 0, "don't put the beginning-of-text token first", 0},
    {"no-special", NO_SPECIAL, 0, 0, "take special tokens written in the prompt as plain text", 0},
    {0},
};

static const char doc[] = "Generate text with a model. The text goes to stdout, statistics to stderr."
                          "\vExamples:\n"
                          "  ternmark run model.gguf -p \"Once upon a time\" -n 64\n"
                          "  ternmark run model.gguf -f prompt.txt --temp 0.8 --top-p 0.95 --seed 7\n"
                          "  ternmark run model.gguf --chat -p \"What is a trit?\" --stop \"\\n\\n\"\n"
                          "  ternmark run model.gguf -p \"Chapter 1\" --session book.session\n"
                          "  ternmark run model.gguf -p \"A\" --logit-bias '\" the\"-inf' --head exact\n\n"
                          "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->open;
    state->child_inputs[1] = &o->sampling;
    break;
  case 'p':
    o->prompt = text;
    break;
  case 'f':
    o->file = text;
    break;
  case 'n':
    o->tokens = (int)tern_option_number(state, "tokens", text, 0, INT32_MAX);
    break;
  case NO_BOS:
    o->no_bos = true;
    break;
  case NO_SPECIAL:
    o->no_special = true;
    break;
  case SHOW_PROMPT:
    o->echo = true;
    break;
  case SESSION:
    o->session = text;
    break;
  case TEMPLATE:
    o->template_name = text;
    o->chat = true;
    break;
  case SYSTEM:
    o->system = text;
    o->chat = true;
    break;
  case CHAT:
    o->chat = true;
    break;
  case ARGP_KEY_END:
    if (o->prompt != NULL && o->file != NULL) argp_error(state, "--prompt and --file exclude each other");
    if (o->chat && o->prompt == NULL && o->file == NULL)
      argp_error(state, "--chat wants a message: --prompt or --file");
    if (o->chat && o->no_special) argp_error(state, "--no-special leaves a chat template no tokens");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

typedef struct job {
  tern_opened opened;
  tern_session *session;
  tern_session_file_facts saved; /* ids 0: none */
  tern_chat_ends chat;
  int32_t *prompt, *text; /* what is new; all before the answer */
  int prompt_count, count;
  char last; /* byte written last */
} job;

static void job_close(job *j) {
  free(j->text);
  free(j->prompt);
  tern_session_close(j->session);
  tern_opened_close(&j->opened);
}

static int put(void *arg, const char *text, size_t size, tern_error *e) {
  if (size == 0) return TERN_OK;
  ((job *)arg)->last = text[size - 1];
  if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
    return tern_fail_errno(e, "standard output: cannot write");
  return TERN_OK;
}

/* The message in the model's template; *text is replaced. */
static int put_in_template(job *j, const options *o, char **text, tern_error *e) {
  const tern_chat_template *t;
  const tern_chat_message messages[] = {{"system", o->system}, {"user", *text}};
  const tern_chat_message *first = o->system != NULL ? messages : messages + 1;
  char *whole;
  if (tern_chat_template_of(j->opened.gguf, o->template_name, &t, e) != TERN_OK) return TERN_FAILED;
  if (tern_chat_format(t, first, o->system != NULL ? 2 : 1, true, &whole, e) != TERN_OK) return TERN_FAILED;
  free(*text);
  *text = whole;
  return tern_chat_ends_find(&j->chat, t, j->opened.tokenizer, e);
}

static int read_prompt(job *j, const options *o, tern_error *e) {
  size_t size;
  char *text = o->file != NULL ? tern_file_read(o->file, PROMPT_LIMIT, &size, e) : strdup(o->prompt ? o->prompt : "");
  if (text == NULL) return o->file != NULL ? TERN_FAILED : tern_fail(e, TERN_FAILED, "prompt: out of memory");
  if (o->file == NULL) size = strlen(text);
  int status = o->chat ? put_in_template(j, o, &text, e) : TERN_OK;
  if (o->chat && status == TERN_OK) size = strlen(text);
  bool goes_on = j->saved.ids > 0;
  if (status == TERN_OK && !(goes_on && size == 0))
    status = tern_opened_encode(&j->opened, text, size, !o->no_special, !o->no_bos && !goes_on, &j->prompt,
                                &j->prompt_count, e);
  if (status == TERN_OK && !goes_on && j->prompt_count == 0)
    status =
        tern_fail(e, TERN_USAGE, "nothing to start from: give a prompt%s", o->no_bos ? " or leave out --no-bos" : "");
  if (status == TERN_OK && o->echo) status = put(j, text, size, e);
  free(text);
  return status;
}

/* What a session file asks of this run, when there is one. */
static int peek(job *j, options *o, tern_error *e) {
  if (o->session == NULL) return TERN_OK;
  if (access(o->session, F_OK) != 0 && errno == ENOENT) return TERN_OK;
  if (tern_session_peek(o->session, &j->saved, e) != TERN_OK) return TERN_FAILED;
  if (!o->open.kv_given) o->open.kv = j->saved.kv;
  return TERN_OK;
}

/* Positions to reserve; tells before any work what will not fit. */
static int choose_context(const job *j, const options *o, int *context, tern_error *e) {
  int64_t before = (int64_t)j->saved.ids + j->prompt_count;
  int64_t needed = before + (o->tokens > 0 ? o->tokens - 1 : 0); /* the last token is not fed */
  int most = j->opened.facts.context;
  if (tern_opened_context(&j->opened, o->open.context, needed, context, e) != TERN_OK) return TERN_FAILED;
  const char *remedy = *context < most ? " or raise --context" : "";
  if (before > *context && j->saved.ids > 0)
    return tern_fail(e, TERN_FAILED,
                     "the session has %d tokens and the prompt %d, the context %d positions: shorten it%s",
                     j->saved.ids, j->prompt_count, *context, remedy);
  if (before > *context)
    return tern_fail(e, TERN_FAILED, "the prompt has %d tokens, the context %d positions: shorten it%s",
                     j->prompt_count, *context, remedy);
  if (needed > *context)
    fprintf(stderr, "ternmark run: the context of %d positions ends after %d of the %d tokens asked for%s\n", *context,
            *context - (int)before + 1, o->tokens, *context < most ? "; raise --context" : "");
  return TERN_OK;
}

/* All ids before the answer: the saved ones, then the prompt's. */
static int join_text(job *j, const options *o, tern_error *e) {
  int32_t *saved = NULL;
  if (j->saved.ids > 0 && tern_session_load(j->session, o->session, &saved, &j->count, e) != TERN_OK)
    return TERN_FAILED;
  j->text = malloc(((size_t)j->count + (size_t)j->prompt_count + 1) * sizeof *j->text);
  if (j->text != NULL && j->count > 0) memcpy(j->text, saved, (size_t)j->count * sizeof *saved);
  free(saved);
  if (j->text == NULL) return tern_fail(e, TERN_FAILED, "not enough memory for a text of %d tokens", j->prompt_count);
  if (j->prompt_count > 0) memcpy(j->text + j->count, j->prompt, (size_t)j->prompt_count * sizeof *j->prompt);
  j->count += j->prompt_count;
  return TERN_OK;
}

static int prepare(job *j, options *o, tern_error *e) {
  tern_session_params sizes = {0};
  int status = tern_opened_preview(&j->opened, &o->open, e);
  if (status == TERN_OK)
    status = tern_sampling_options_finish(&o->sampling, j->opened.tokenizer, j->opened.facts.vocab, e);
  if (status == TERN_OK) status = peek(j, o, e);
  if (status == TERN_OK) status = read_prompt(j, o, e);
  if (status == TERN_OK) status = choose_context(j, o, &sizes.context, e);
  if (status == TERN_OK) status = tern_opened_load(&j->opened, e);
  sizes.kv = o->open.kv;
  if (status == TERN_OK) status = tern_session_open(&j->session, j->opened.model, j->opened.team, &sizes, e);
  if (status == TERN_OK) status = join_text(j, o, e);
  return status;
}

static void tell_phase(const char *phase, int tokens, double seconds) {
  if (tokens <= 0 || seconds <= 0) return;
  fprintf(stderr, "%-8s %6d tokens %9.3f s %9.2f tokens/s %9.3f ms/token\n", phase, tokens, seconds, tokens / seconds,
          1e3 * seconds / tokens);
}

static void tell(const job *j, const tern_generation *g, const options *o) {
  tern_opened_tell(&j->opened, tern_session_kv_bytes(j->session));
  if (g->reused > 0) fprintf(stderr, "%-8s %6d tokens were in the session\n", "reused", g->reused);
  tell_phase("prefill", g->prompt_tokens - g->reused, g->prefill_s);
  tell_phase("decode", g->decoded, g->decode_s);
  fprintf(stderr, "%-8s %d tokens: %s", "text", g->generated, tern_stop_reason(g->stop));
  if (o->sampling.params.temperature > 0) fprintf(stderr, " (seed %llu)", (unsigned long long)o->sampling.params.seed);
  fputc('\n', stderr);
}

/* An interrupted text is kept too. */
static int save(const job *j, const options *o, const tern_generation *g, tern_error *e) {
  int fed = tern_session_position(j->session);
  if (o->session == NULL) return TERN_OK;
  if (g->generated == 0) return tern_session_save(j->session, o->session, j->text + fed, j->count - fed, e);
  return tern_session_save(j->session, o->session, &g->last, 1, e);
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp_child children[] = {{&tern_open_argp, 0, NULL, 0}, {&tern_sampling_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      .options = table, .parser = parse, .args_doc = "MODEL", .doc = doc, .children = children};
  options o = {.tokens = DEFAULT_TOKENS};
  static char name[] = "ternmark run"; /* how messages and usage call it */
  tern_sampling_options_start(&o.sampling);
  if (tern_open_options_start(&o.open, e) != TERN_OK) return (int)e->status;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  job j = {0};
  int status = prepare(&j, &o, e);
  if (status == TERN_OK) {
    tern_generation g;
    tern_answer_params answer = tern_sampling_answer(&o.sampling);
    answer.count = o.tokens;
    answer.put = put;
    answer.arg = &j;
    tern_chat_ends_add(&j.chat, &answer);
    status = tern_generate(j.session, j.opened.tokenizer, &answer, j.text, j.count, &g, e);
    tern_error other = {0};
    if (j.last != 0 && j.last != '\n') put(&j, "\n", 1, &other);
    bool stands = status == TERN_OK || status == TERN_INTERRUPTED;
    if (stands) tell(&j, &g, &o);
    if (stands && save(&j, &o, &g, &other) != TERN_OK) {
      *e = other;
      status = (int)other.status;
    }
  }
  job_close(&j);
  return status;
}

const tern_command tern_command_run = {"run", "generate text with a model", run};
