/* Peers: their specifications and command templates. A template is a command
 * for /bin/sh: the shell splits it, never this file, which only puts values in
 * place of {names} and quotes the one that can hold anything, the path. */
#include "harness/peer.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/peer_command.h"

/* What {batch} says when a workload leaves it to the engine: llama.cpp's own default. */
enum { USUAL_BATCH = 512 };

typedef enum { MODEL, STEM, THREADS, PROMPT, GEN, DEPTH, BATCH, CPUS, PLACEHOLDERS } placeholder;
static const char *const names[PLACEHOLDERS] = {"model", "stem", "threads", "prompt", "gen", "depth", "batch", "cpus"};
#define KNOWN "{model} {stem} {threads} {prompt} {gen} {depth} {batch} {cpus}"

/* One placeholder or a stretch of plain text. */
typedef struct piece {
  const char *text;
  size_t size;
  int which;      /* placeholder; -1: text */
  bool in_quotes; /* of the template */
} piece;

/* Length of "{name}" at p, of any name; 0: not that. */
static size_t braced(const char *p) {
  size_t n = 1;
  while (isalnum((unsigned char)p[n]) || p[n] == '_') n++;
  return n > 1 && p[n] == '}' ? n + 1 : 0;
}

static int which_placeholder(const char *p, size_t size) {
  for (int i = 0; i < PLACEHOLDERS; i++)
    if (strlen(names[i]) == size - 2 && memcmp(p + 1, names[i], size - 2) == 0) return i;
  return PLACEHOLDERS;
}

/* Follows quotes over one character that is not a placeholder; characters taken. */
static size_t plain(const char *p, char *quote) {
  if (*p == '\\' && *quote != '\'' && p[1]) return 2;
  if (*quote == *p)
    *quote = 0;
  else if (!*quote && (*p == '\'' || *p == '"'))
    *quote = *p;
  return 1;
}

/* The piece at *at, moving it on; `which` is PLACEHOLDERS for an unknown name.
 * "{{" is a brace, and "${name}" the shell's own. */
static bool next_piece(const char **at, char *quote, piece *out) {
  const char *p = *at;
  if (!*p) return false;
  *out = (piece){.text = p, .which = -1, .in_quotes = *quote != 0};
  if (p[0] == '{' && p[1] == '{') {
    out->size = 1;
    *at = p + 2;
    return true;
  }
  size_t size = *p == '{' ? braced(p) : 0;
  if (size) {
    out->which = which_placeholder(p, size);
  } else if (p[0] == '$' && p[1] == '{') {
    size = 2;
  } else {
    do size += plain(p + size, quote);
    while (p[size] && p[size] != '{' && p[size] != '$' && !*quote == !out->in_quotes);
  }
  out->size = size;
  *at = p + size;
  return true;
}

static unsigned placeholders(const char *command) {
  unsigned seen = 0;
  char quote = 0;
  piece x;
  while (next_piece(&command, &quote, &x))
    if (x.which >= 0) seen |= 1u << x.which;
  return seen;
}

static bool has(const tern_peer_spec *spec, placeholder which) {
  return placeholders(spec->command) >> which & 1;
}

static int check_template(const tern_peer_spec *spec, tern_error *e) {
  const char *at = spec->command;
  char quote = 0;
  piece x;
  while (next_piece(&at, &quote, &x)) {
    if (x.which == PLACEHOLDERS)
      return tern_fail(e, TERN_USAGE, "--peer %s: unknown placeholder %.*s; known: " KNOWN " ({{ is a plain brace)",
                       spec->name, (int)(x.size < 40 ? x.size : 40), x.text);
    if ((x.which == MODEL || x.which == STEM) && x.in_quotes)
      return tern_fail(e, TERN_USAGE, "--peer %s: {%s} brings its own quotes: write it outside of quotes", spec->name,
                       names[x.which]);
  }
  if (quote) return tern_fail(e, TERN_USAGE, "--peer %s: a quote (%c) is not closed", spec->name, quote);
  if (!has(spec, MODEL) && !has(spec, STEM))
    return tern_fail(e, TERN_USAGE,
                     "--peer %s: the command names neither {model} nor a twin beside it, as {stem}-tq2_0.gguf",
                     spec->name);
  if (!has(spec, PROMPT) && !has(spec, GEN))
    return tern_fail(e, TERN_USAGE, "--peer %s: the command asks for neither {prompt} nor {gen} tokens", spec->name);
  return 0;
}

int tern_peer_parse(tern_peer_spec *out, const char *text, tern_error *e) {
  memset(out, 0, sizeof *out);
  size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:+-");
  if (name == 0 || text[name] != '=')
    return tern_fail(e, TERN_USAGE, "--peer: wants NAME=COMMAND, NAME of letters, digits and ._:+-, not \"%.60s\"",
                     text);
  if (name >= sizeof out->name)
    return tern_fail(e, TERN_USAGE, "--peer: the name is longer than %zu characters", sizeof out->name - 1);
  const char *command = text + name + 1;
  command += strspn(command, " \t\n");
  if (!*command) return tern_fail(e, TERN_USAGE, "--peer %.*s: the command is empty", (int)name, text);
  if (strlen(command) >= sizeof out->command)
    return tern_fail(e, TERN_USAGE, "--peer %.*s: the command is longer than %zu characters", (int)name, text,
                     sizeof out->command - 1);
  memcpy(out->name, text, name);
  strcpy(out->command, command);
  return check_template(out, e);
}

tern_peer_values tern_peer_ask(const tern_workload *load) {
  bool decode = load->phase == TERN_PHASE_DECODE;
  return (tern_peer_values){
      .prompt = decode ? 0 : load->tokens,
      .gen = decode ? load->tokens : 0,
      .depth = load->context > TERN_SHORT_CONTEXT ? load->context : 0,
      .batch = load->batch > 0 ? load->batch : USUAL_BATCH,
  };
}

bool tern_peer_can(const tern_peer_spec *spec, const tern_workload *load, char *why, size_t size) {
  tern_peer_values ask = tern_peer_ask(load);
  placeholder missing = PLACEHOLDERS;
  if (load->batch > 0 && !has(spec, BATCH)) missing = BATCH;
  if (ask.depth > 0 && !has(spec, DEPTH)) missing = DEPTH;
  if (ask.prompt > 0 && !has(spec, PROMPT)) missing = PROMPT;
  if (ask.gen > 0 && !has(spec, GEN)) missing = GEN;
  if (missing == PLACEHOLDERS) return true;
  snprintf(why, size, "its command has no {%s}, which %s needs", names[missing], load->name);
  return false;
}

char *tern_peer_quote(const char *text) {
  size_t size = 3;
  for (const char *p = text; *p; p++) size += *p == '\'' ? 4 : 1;
  char *quoted = malloc(size), *q = quoted;
  if (!quoted) return NULL;
  *q++ = '\'';
  for (const char *p = text; *p; p++)
    if (*p == '\'')
      q = stpcpy(q, "'\\''");
    else
      *q++ = *p;
  strcpy(q, "'");
  return quoted;
}

static void print_cpus(FILE *to, const tern_peer_values *v) {
  const char *comma = "";
  for (int i = 0; v->cpus && i < v->threads; i++) {
    fprintf(to, "%s%d", comma, v->cpus[i]);
    comma = ",";
  }
  cpu_set_t allowed;
  if (v->cpus || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &allowed)) {
      fprintf(to, "%s%zu", comma, cpu);
      comma = ",";
    }
}

static void print_value(FILE *to, const tern_peer_values *v, int which, char *const quoted[2]) {
  const int numbers[PLACEHOLDERS] = {
      [THREADS] = v->threads, [PROMPT] = v->prompt, [GEN] = v->gen, [DEPTH] = v->depth, [BATCH] = v->batch};
  if (which == MODEL || which == STEM)
    fputs(quoted[which], to);
  else if (which == CPUS)
    print_cpus(to, v);
  else
    fprintf(to, "%d", numbers[which]);
}

/* The path without ".gguf": what files of the same model in other types are named after. */
static char *quote_stem(const char *model) {
  size_t size = strlen(model);
  if (size > 5 && strcmp(model + size - 5, ".gguf") == 0) size -= 5;
  char *stem = strndup(model, size), *quoted = stem ? tern_peer_quote(stem) : NULL;
  free(stem);
  return quoted;
}

int tern_peer_expand(const tern_peer_spec *spec, const tern_peer_values *values, char **out, tern_error *e) {
  size_t size = 0;
  *out = NULL;
  if (values->threads > 1 && !has(spec, THREADS))
    return tern_fail(e, TERN_USAGE, "--peer %s: %d threads need {threads} in its command", spec->name, values->threads);
  char *quoted[2] = {[MODEL] = tern_peer_quote(values->model), [STEM] = quote_stem(values->model)};
  FILE *to = open_memstream(out, &size);
  const char *at = spec->command;
  char quote = 0;
  piece x;
  bool ok = quoted[MODEL] && quoted[STEM] && to;
  while (ok && next_piece(&at, &quote, &x))
    if (x.which >= 0)
      print_value(to, values, x.which, quoted);
    else
      fwrite(x.text, 1, x.size, to);
  if (to && fclose(to) != 0) ok = false;
  free(quoted[MODEL]);
  free(quoted[STEM]);
  if (ok) return 0;
  free(*out);
  *out = NULL;
  return tern_fail(e, TERN_FAILED, "peer %s: out of memory", spec->name);
}
