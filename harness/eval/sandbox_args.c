/* The command line of bwrap: what the program sees is listed here, and nothing
 * else is there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/eval/sandbox_parts.h"

/* Takes over word; NULL: out of memory. */
static void own(tern_sandbox_args *a, char *word) {
  if (a->count + 1 >= a->room) {
    size_t room = 2 * a->room + 64;
    char **list = realloc(a->list, room * sizeof *list);
    a->room = list ? room : a->room;
    a->list = list ? list : a->list;
    a->broken |= !list;
  }
  a->broken |= !word;
  if (a->broken) {
    free(word);
    return;
  }
  a->list[a->count++] = word;
  a->list[a->count] = NULL;
}

static void add(tern_sandbox_args *a, const char *word) {
  own(a, strdup(word));
}

/* NULL-ended. */
static void add_all(tern_sandbox_args *a, const char *const *words) {
  for (; *words; words++) add(a, *words);
}

__attribute__((format(printf, 2, 3))) static void add_text(tern_sandbox_args *a, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = NULL;
  if (vasprintf(&text, format, args) < 0) text = NULL;
  va_end(args);
  own(a, text);
}

/* Merged or not, /bin and the libraries look as they do outside. */
static void add_system(tern_sandbox_args *a) {
  static const char *const places[][2] = {
      {"/bin", "usr/bin"},         {"/sbin", "usr/sbin"},     {"/lib", "usr/lib"},        {"/lib32", "usr/lib32"},
      {"/lib64", "usr/lib64"},     {"/libx32", "usr/libx32"}, {"/etc/ld.so.cache", NULL}, {"/etc/ld.so.conf", NULL},
      {"/etc/alternatives", NULL}, {"/etc/localtime", NULL},  {"/nix/store", NULL}};
  add_all(a, (const char *const[]){"--ro-bind", "/usr", "/usr", NULL});
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    struct stat at;
    const char *place = places[i][0], *target = places[i][1];
    if (lstat(place, &at) != 0) continue;
    bool link = target && S_ISLNK(at.st_mode);
    add_all(a, (const char *const[]){link ? "--symlink" : "--ro-bind", link ? target : place, place, NULL});
  }
}

static void add_namespaces(tern_sandbox_args *a, const tern_sandbox_way *way) {
  static const char *const always[] = {"--unshare-ipc",
                                       "--unshare-pid",
                                       "--unshare-net",
                                       "--unshare-uts",
                                       "--unshare-cgroup-try",
                                       "--hostname",
                                       "sandbox",
                                       "--die-with-parent",
                                       "--new-session",
                                       "--clearenv",
                                       "--cap-drop",
                                       "ALL",
                                       NULL};
  static const char *const user[] = {"--unshare-user", "--uid", "65534", "--gid", "65534", NULL};
  static const char *const root[] = {"--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", NULL};
  add_all(a, always);
  add_all(a, way->drop == TERN_DROP_INSIDE ? root : user);
}

/* The folders above it are ours, and bwrap would make them for their owner alone. */
static void add_readable(tern_sandbox_args *a, const char *path) {
  for (const char *at = path; (at = strchr(at + 1, '/')) != NULL;) {
    add_all(a, (const char *const[]){"--perms", "0755", "--dir", NULL});
    add_text(a, "%.*s", (int)(at - path), path);
  }
  add_all(a, (const char *const[]){"--ro-bind", path, path, NULL});
}

static void add_files(tern_sandbox_args *a, const tern_sandbox_way *way, const tern_sandbox_limits *limits) {
  static const char *const environment[][2] = {
      {"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}, {"TMPDIR", "/tmp"}, {"LC_ALL", "C.UTF-8"}};
  add_system(a);
  if (way->proc) add_all(a, (const char *const[]){"--proc", "/proc", NULL});
  add_all(a, (const char *const[]){"--dev", "/dev", "--remount-ro", "/dev", "--perms", "1777", "--size", NULL});
  add_text(a, "%zu", limits->file);
  add_all(a, (const char *const[]){"--tmpfs", "/tmp", NULL});
  for (const char *const *path = way->readable; path && *path; path++) add_readable(a, *path);
  add_all(a, (const char *const[]){"--remount-ro", "/", "--chdir", "/tmp", NULL});
  for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
    add_all(a, (const char *const[]){"--setenv", environment[i][0], environment[i][1], NULL});
}

/* The limit of processes counts only what is inside when it is set inside, and
 * root has none: set first, uid changed next. */
static void add_inside(tern_sandbox_args *a, const tern_sandbox_way *way, const tern_sandbox_limits *limits,
                       uid_t uid) {
  add(a, "--");
  add(a, "prlimit");
  add_text(a, "--nproc=%d", limits->processes);
  add(a, "--");
  if (way->drop != TERN_DROP_INSIDE) return;
  add(a, "setpriv");
  add_text(a, "--reuid=%u", (unsigned)uid);
  add_text(a, "--regid=%u", (unsigned)uid);
  add_all(a, (const char *const[]){"--clear-groups", "--inh-caps=-all", "--", NULL});
}

int tern_sandbox_args_make(tern_sandbox_args *a, const tern_sandbox_way *way, const char *const *argv,
                           const tern_sandbox_limits *limits, uid_t uid, int seccomp, int info, tern_error *e) {
  memset(a, 0, sizeof *a);
  add(a, way->program);
  add_namespaces(a, way);
  add_files(a, way, limits);
  add(a, "--seccomp");
  add_text(a, "%d", seccomp);
  add(a, "--info-fd");
  add_text(a, "%d", info);
  add_inside(a, way, limits, uid);
  add_all(a, argv);
  if (!a->broken) return 0;
  tern_sandbox_args_free(a);
  return tern_fail(e, TERN_FAILED, "sandbox: out of memory for its command line");
}

void tern_sandbox_args_free(tern_sandbox_args *a) {
  for (size_t i = 0; i < a->count; i++) free(a->list[i]);
  free(a->list);
  memset(a, 0, sizeof *a);
}
