/* ternmark serve: a model behind OpenAI's completions interface. */
#include <argp.h>
#include <stdio.h>
#include <time.h>

#include "engine/base/interrupt.h"
#include "harness/command.h"
#include "harness/job_lists.h"
#include "harness/opened.h"
#include "service/service.h"

enum { HOST = 0x100, PORT, SEQUENCES, BATCH, POSITIONS, QUEUE, BODY, CONNECTIONS, IDLE };
enum { USUAL_PORT = 8080, USUAL_SEQUENCES = 8, USUAL_BATCH = 512, USUAL_CONTEXT = 4096, LOOK_MS = 50, MIB = 1 << 20 };

typedef struct options {
  tern_open_options open;
  tern_service_params service;
} options;

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Where", 1},
    {"host", HOST, "ADDRESS", 0, "listen there (127.0.0.1: this machine alone)", 0},
    {"port", PORT, "N", 0, "and on this port (8080; 0: any free one)", 0},
    {0, 0, 0, 0, "How much at once", 2},
    {"parallel", SEQUENCES, "N", 0, "prompts computed at once (8)", 0},
    {"batch", BATCH, "N", 0, "tokens a step, of all prompts together (512)", 0},
    {"positions", POSITIONS, "N", 0, "positions of the KV cache, of all prompts together (parallel * context)", 0},
    {"queue", QUEUE, "N", 0, "prompts that run or wait, more are refused (1024)", 0},
    {"connections", CONNECTIONS, "N", 0, "connections at once (64)", 0},
    {"max-body", BODY, "MIB", 0, "largest request (16)", 0},
    {"idle", IDLE, "SECONDS", 0, "close connections that are silent for so long (60)", 0},
    {0},
};

static const char doc[] =
    "Serve a model over HTTP: POST /v1/completions (OpenAI's form; echo and logprobs as lm-evaluation-harness wants "
    "them), GET /v1/models, GET /health. A first SIGTERM or SIGINT finishes what is underway, a second ends it."
    "\vExamples:\n"
    "  ternmark serve model.gguf\n"
    "  ternmark serve model.gguf --port 9000 --parallel 16 --context 2048\n"
    "  curl -s localhost:8080/v1/completions -d '{\"prompt\": \"Once\", \"max_tokens\": 32, \"temperature\": 0}'\n\n"
    "There is no encryption and no password: keep to 127.0.0.1, or put a proxy before it.\n\n"
    "Exit code: 0 ended by a signal, 1 failed, 2 wrong usage.";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  tern_service_params *s = &o->service;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->open;
    break;
  case HOST:
    s->host = text;
    break;
  case PORT:
    s->port = (int)tern_option_number(state, "port", text, 0, UINT16_MAX);
    break;
  case SEQUENCES:
    s->schedule.sequences = (int)tern_option_number(state, "parallel", text, 1, 1024);
    break;
  case BATCH:
    s->schedule.batch = (int)tern_option_number(state, "batch", text, 1, 65536);
    break;
  case POSITIONS:
    s->schedule.positions = (int)tern_option_number(state, "positions", text, 1, INT32_MAX);
    break;
  case QUEUE:
    s->prompts = (int)tern_option_number(state, "queue", text, 1, 1 << 20);
    break;
  case CONNECTIONS:
    s->connections = (int)tern_option_number(state, "connections", text, 1, 4096);
    break;
  case BODY:
    s->most_body = (size_t)tern_option_number(state, "max-body", text, 1, 1024) * MIB;
    break;
  case IDLE:
    s->idle_s = (int)tern_option_number(state, "idle", text, 1, 86400);
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

static void tell(const tern_opened *o, const tern_service *s) {
  const tern_service_params *p = &s->params;
  bool v6 = false;
  for (const char *c = p->host; *c; c++) v6 |= *c == ':';
  tern_opened_tell(o, 0);
  fprintf(stderr, "%-8s %s at http://%s%s%s:%d, %d prompts of %d positions at once\n", "serving", s->model,
          v6 ? "[" : "", p->host, v6 ? "]" : "", tern_http_port(s->http), p->schedule.sequences, s->context);
}

static int serve(options *o, tern_opened *opened, tern_error *e) {
  tern_service *s = NULL;
  tern_service_params *p = &o->service;
  p->opened = opened;
  p->schedule.kv = o->open.kv;
  int status = tern_opened_preview(opened, &o->open, e);
  if (status == TERN_OK) status = tern_opened_context(opened, o->open.context, USUAL_CONTEXT, &p->schedule.context, e);
  if (status == TERN_OK) status = tern_opened_load(opened, e);
  if (status == TERN_OK) status = tern_service_open(&s, p, o->open.model, e);
  if (status != TERN_OK) return status;
  tell(opened, s);
  while (!tern_interrupted()) nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000}, NULL);
  tern_interrupt_take();
  tern_service_close(s);
  fputs("ended\n", stderr);
  return TERN_OK;
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp_child children[] = {{&tern_open_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      .options = table, .parser = parse, .args_doc = "MODEL", .doc = doc, .children = children};
  static char name[] = "ternmark serve"; /* how messages and usage call it */
  options o = {.service = {.host = "127.0.0.1",
                           .port = USUAL_PORT,
                           .prompts = 1024,
                           .connections = 64,
                           .idle_s = 60,
                           .most_body = 16 * MIB,
                           .schedule = {.sequences = USUAL_SEQUENCES, .batch = USUAL_BATCH}}};
  tern_opened opened = {0};
  if (tern_open_options_start(&o.open, e) != TERN_OK) return (int)e->status;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  int status = serve(&o, &opened, e);
  tern_opened_close(&opened);
  return status;
}

const tern_command tern_command_serve = {"serve", "serve a model over HTTP", run};
