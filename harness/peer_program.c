/* Finds a command's program. Only looked through, never run, so this need not
 * split as a shell does: it takes the words apart at blanks and separators
 * outside of quotes and leaves unquoting to wordexp(3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wordexp.h>

#include "harness/peer_command.h"

typedef struct word {
  const char *at; /* in the command, quotes and all */
  size_t size;
  bool first; /* of a simple command */
} word;

/* Run what follows them in the same simple command. */
static const char *const wrappers[] = {"env",     "exec",    "command", "nice", "ionice", "taskset", "numactl",
                                       "timeout", "stdbuf",  "setarch", "time", "chrt",   "setsid",  "nohup",
                                       "sudo",    "prlimit", "sh",      "bash", "dash",   "python3", "python"};
static const char *const shells[] = {"sh", "bash", "dash"};
/* Run nothing of their own; the next simple command is looked at. */
static const char *const builtins[] = {"ulimit", "export", "set",  "unset", "umask", "cd",   ".",
                                       "source", ":",      "true", "trap",  "echo",  "test", "["};
/* Followed by a command. */
static const char *const openers[] = {"{", "!", "if", "then", "else", "while", "do"};

#define AMONG(text, list) among(text, list, sizeof(list) / sizeof *(list))

static bool among(const char *text, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(text, list[i]) == 0) return true;
  return false;
}

static size_t word_size(const char *p) {
  char quote = 0;
  size_t n = 0;
  for (; p[n]; n++) {
    if (p[n] == '\\' && quote != '\'' && p[n + 1])
      n++;
    else if (quote ? p[n] == quote : p[n] == '\'' || p[n] == '"')
      quote = quote ? 0 : p[n];
    else if (!quote && strchr(" \t\n;&|()", p[n]))
      break;
  }
  return n;
}

static bool next_word(const char **at, word *out) {
  size_t gap = strspn(*at, " \t\n;&|()");
  out->first = out->first || strcspn(*at, "\n;&|()") < gap;
  out->at = *at + gap;
  out->size = word_size(out->at);
  *at = out->at + out->size;
  return out->size > 0;
}

/* The word as the shell would have it, one word; NULL: it is more than text (free()). */
static char *unquote(const char *at, size_t size) {
  char *raw = strndup(at, size), *text = NULL;
  wordexp_t x = {0};
  int bad = raw ? wordexp(raw, &x, WRDE_NOCMD) : WRDE_NOSPACE;
  if (bad == 0 && x.we_wordc == 1) text = strdup(x.we_wordv[0]);
  if (bad == 0 || bad == WRDE_NOSPACE) wordfree(&x);
  free(raw);
  return text;
}

static bool assigns(const char *at, size_t size) {
  size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  return name > 0 && name < size && at[name] == '=';
}

static bool runnable(const char *path, int mode) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISREG(s.st_mode) && access(path, mode) == 0;
}

/* `mode`: X_OK, or R_OK for the script of a shell. */
static bool resolve(const char *name, int mode, char *path, size_t size) {
  if (strchr(name, '/')) {
    int n = snprintf(path, size, "%s", name);
    return n > 0 && (size_t)n < size && runnable(path, mode);
  }
  const char *folders = getenv("PATH");
  for (const char *p = folders; p && *name;) {
    size_t n = strcspn(p, ":");
    int put = snprintf(path, size, "%.*s/%s", n ? (int)n : 1, n ? p : ".", name);
    if (put > 0 && (size_t)put < size && runnable(path, X_OK)) return true;
    p = p[n] ? p + n + 1 : NULL;
  }
  return false;
}

/* 0: found; 1: none; -1: `missing` (its name) is no program. */
static int look(const char *command, const char *whole, tern_peer_program *out, char *missing, size_t size) {
  bool wrapped = false, shell = false, script_next = false;
  word w = {.first = true};
  for (const char *at = command; next_word(&at, &w);) {
    bool expected = w.first;
    w.first = false;
    if (assigns(w.at, w.size)) {
      w.first = expected;
      continue;
    }
    if (expected) wrapped = shell = script_next = false;
    char *text = unquote(w.at, w.size);
    int done = 1;
    if (text && AMONG(text, openers)) {
      w.first = expected;
    } else if (text && (expected || wrapped) && AMONG(text, wrappers)) {
      wrapped = true;
      shell = AMONG(text, shells);
    } else if (script_next && text) {
      done = look(text, NULL, out, missing, size);
    } else if (shell && text && strcmp(text, "-c") == 0) {
      script_next = true;
    } else if (wrapped && text && text[0] != '-' && resolve(text, X_OK, out->path, sizeof out->path)) {
      done = 0;
    } else if (wrapped && text && strchr(text, '/') && resolve(text, R_OK, out->path, sizeof out->path)) {
      done = 0;
    } else if (expected && !(text && AMONG(text, builtins))) {
      done = text && resolve(text, X_OK, out->path, sizeof out->path) ? 0 : -1;
      snprintf(missing, size, "%.*s", (int)(w.size < size ? w.size : size - 1), w.at);
    }
    free(text);
    if (done == 0 && !script_next) out->place = whole ? w.at - whole : -1;
    if (done <= 0) return done;
  }
  return 1;
}

int tern_peer_find_program(const tern_peer_spec *spec, tern_peer_program *out, tern_error *e) {
  char missing[200] = "";
  memset(out, 0, sizeof *out);
  out->place = -1;
  int bad = look(spec->command, spec->command, out, missing, sizeof missing);
  if (bad == 0) return 0;
  if (bad < 0)
    return tern_fail(e, TERN_FAILED, "peer %s: no program %s: give its path, or one that PATH leads to", spec->name,
                     missing);
  return tern_fail(e, TERN_FAILED, "peer %s: no program found in its command", spec->name);
}
