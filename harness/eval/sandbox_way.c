/* Finds how a sandbox can be made on this machine. Each way is tried with a
 * program that prints what it sees of itself; only one that shows what is
 * promised is taken. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/eval/sandbox_parts.h"

#define SET_UP "install bubblewrap (apt-get install bubblewrap) or allow user namespaces; no program is run without it"

enum { TEXT = 4096 };

/* bwrap in PATH, else where distributions put it. */
static const char *find_program(char *path, size_t size) {
  const char *list = getenv("PATH");
  for (const char *at = list && *list ? list : "/usr/local/bin:/usr/bin:/bin"; *at; at += *at == ':') {
    size_t length = strcspn(at, ":");
    struct stat st;
    snprintf(path, size, "%.*s/bwrap", (int)length, at);
    if (path[0] == '/' && access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode)) return path;
    at += length;
  }
  return NULL;
}

/* Runs a script of ours; its output in text. */
static int ask(const tern_sandbox_way *way, const tern_sandbox_group *group, const char *script, char *text,
               tern_sandbox_result *r, tern_error *e) {
  static const tern_sandbox_limits limits = {.wall_s = 20,
                                             .cpu_s = 10,
                                             .memory = (size_t)1 << 30,
                                             .file = 1 << 20,
                                             .output = TEXT - 1,
                                             .processes = 64,
                                             .files = 64};
  static const atomic_bool go_on = false;
  const char *const argv[] = {"sh", "-c", script, NULL};
  const tern_sandbox_order o = {.way = way, .group = group, .argv = argv, .limits = limits, .stop = &go_on};
  text[0] = '\0';
  if (tern_sandbox_execute(&o, r, e) != 0) return (int)e->status;
  memcpy(text, r->output, r->size + 1);
  free(r->output);
  r->output = NULL;
  return 0;
}

/* The hexadecimal or decimal number behind a line's name; -1: not there. */
static long long field(const char *text, const char *name, int base) {
  const char *at = strstr(text, name);
  return at ? strtoll(at + strlen(name), NULL, base) : -1;
}

/* Interfaces listed in /proc/net/dev, the loopback left out. */
static bool sees_network(const char *text) {
  for (const char *at = strchr(text, '|'); at && (at = strchr(at, '\n')) != NULL;) {
    at += 1 + strspn(at + 1, " ");
    size_t length = strcspn(at, ":\n");
    if (at[length] == ':' && strncmp(at, "lo:", 3) != 0) return true;
  }
  return false;
}

/* NULL, or what is wrong with what a program inside sees. */
static const char *doubt(const tern_sandbox_way *way, const char *text) {
  enum { FEW = 50 };
  long long pid = field(text, "sandbox-pid ", 10);
  if (field(text, "sandbox-uid ", 10) <= 0) return "its programs would run as root";
  if (!strstr(text, "sandbox-sealed")) return "its root could be written";
  if (!strstr(text, "sandbox-host sandbox\n") || pid < 1 || pid > FEW) return "its programs would see other processes";
  if (!way->proc) return NULL;
  if (field(text, "\nUid:", 10) <= 0) return "its programs would run as root";
  if (field(text, "\nCapEff:", 16) != 0 || field(text, "\nCapPrm:", 16) != 0)
    return "its programs would have capabilities";
  if (field(text, "\nNoNewPrivs:", 10) != 1) return "its programs could gain privileges";
  if (field(text, "\nSeccomp:", 10) != 2) return "its system calls are not filtered";
  if (sees_network(text)) return "its programs would see the network";
  return NULL;
}

static int try_way(const tern_sandbox_way *way, const tern_sandbox_group *group, tern_error *e) {
#define ASK                                                                                                            \
  "echo sandbox-uid $(id -u); echo sandbox-host $(uname -n); echo sandbox-pid $$; (echo >/escaped) 2>/dev/null || "    \
  "echo sandbox-sealed"
  static const char *const scripts[] = {ASK, ASK "; cat /proc/self/status /proc/net/dev"};
#undef ASK
  char text[TEXT];
  tern_sandbox_result r;
  if (ask(way, group, scripts[way->proc], text, &r, e) != 0) return (int)e->status;
  if (r.end != TERN_SANDBOX_EXIT || r.code != 0) {
    text[strcspn(text, "\n")] = '\0';
    return tern_fail(e, TERN_FAILED, "sandbox: bubblewrap cannot make one here (%.150s%s %d): " SET_UP, text,
                     *text ? "" : tern_sandbox_end_name(r.end), r.code);
  }
  const char *why = doubt(way, text);
  return why ? tern_fail(e, TERN_FAILED, "sandbox: bubblewrap's is not closed here, %s: " SET_UP, why) : 0;
}

/* "bubblewrap 0.8.0" */
static void find_version(const char *program, char *version, size_t size) {
  char command[600];
  snprintf(version, size, "bubblewrap");
  if (strchr(program, '\'') || snprintf(command, sizeof command, "'%s' --version 2>/dev/null", program) < 0) return;
  FILE *f = popen(command, "re");
  char line[64];
  if (f && fgets(line, sizeof line, f) && isprint((unsigned char)line[0])) {
    line[strcspn(line, "\n")] = '\0';
    snprintf(version, size, "%s", line);
  }
  if (f) pclose(f);
}

int tern_sandbox_find_way(tern_sandbox_way *way, const tern_sandbox_group *group, char *about, size_t size,
                          tern_error *e) {
  static const struct {
    bool root;
    tern_sandbox_drop drop;
    bool proc;
    const char *name;
  } ways[] = {{true, TERN_DROP_INSIDE, true, "uid changed inside"},
              {true, TERN_DROP_BEFORE, true, "user namespace of an unprivileged uid"},
              {true, TERN_DROP_BEFORE, false, "user namespace of an unprivileged uid, no /proc"},
              {false, TERN_DROP_NONE, true, "user namespace"},
              {false, TERN_DROP_NONE, false, "user namespace, no /proc"}};
  char path[512], version[64];
  tern_error first = {0}, next;
  if (!find_program(path, sizeof path)) return tern_fail(e, TERN_FAILED, "sandbox: bwrap is not in PATH: " SET_UP);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    if (ways[i].root != (geteuid() == 0)) continue;
    way->program = path;
    way->drop = ways[i].drop;
    way->proc = ways[i].proc;
    if (try_way(way, group, first.status ? &next : &first) != 0) continue;
    find_version(path, version, sizeof version);
    snprintf(about, size, "%s, %s, system call filter%s", version, ways[i].name, group->path[0] ? ", cgroup" : "");
    way->program = strdup(path);
    return way->program ? 0 : tern_fail(e, TERN_FAILED, "sandbox: out of memory");
  }
  way->program = NULL;
  *e = first;
  return (int)e->status;
}
