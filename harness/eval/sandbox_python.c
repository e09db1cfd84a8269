/* Where the user's Python lies, and graders in it. */
#include "harness/eval/sandbox_python.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GRADERS TERN_SOURCE_DIR "/datasets/graders"

enum { EXECUTABLE, PREFIX, BASE, LINES };

/* Its own program and the roots of its library and packages, as it says. */
static int locate(char lines[LINES][PATH_MAX], tern_error *e) {
  FILE *f = popen("\"${TERN_PYTHON:-python3}\" -I -c 'import sys, os\n"
                  "assert sys.version_info >= (3, 8)\n"
                  "print(sys.executable, os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix), sep=\"\\n\")"
                  "' 2>/dev/null",
                  "re");
  bool whole = f != NULL;
  for (int i = 0; whole && i < LINES; i++) {
    whole = fgets(lines[i], PATH_MAX, f) && lines[i][0] == '/' && strchr(lines[i], '\n');
    if (whole) lines[i][strcspn(lines[i], "\n")] = '\0';
  }
  if (f && pclose(f) != 0) whole = false;
  if (whole) return 0;
  return tern_fail(e, TERN_FAILED,
                   "graders: no Python 3.8 or newer (%s): install python3, or name one by TERN_PYTHON=/path/python3",
                   getenv("TERN_PYTHON") ? "TERN_PYTHON" : "python3 in PATH");
}

/* Whether a folder holds more than one program's files. */
static bool too_wide(const char *folder) {
  static const char *const wide[] = {"/", "/home", "/root", "/opt", "/etc", "/var", "/tmp"};
  const char *home = getenv("HOME");
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
    if (strcmp(folder, wide[i]) == 0) return true;
  return home && strcmp(folder, home) == 0;
}

static int try_python(tern_sandbox *s, tern_error *e) {
  char version[64];
  return tern_sandbox_python_version(s, "", version, sizeof version, e);
}

int tern_sandbox_open_python(tern_sandbox **out, int parallel, tern_error *e) {
  char at[LINES][PATH_MAX];
  const char *readable[LINES + 1] = {GRADERS};
  int count = 1;
  *out = NULL;
  if (locate(at, e) != 0) return (int)e->status;
  for (int i = PREFIX; i < LINES; i++) {
    if (strcmp(at[i], "/usr") == 0 || strncmp(at[i], "/usr/", 5) == 0) continue;
    if (i == BASE && strcmp(at[BASE], at[PREFIX]) == 0) continue;
    if (too_wide(at[i]))
      return tern_fail(e, TERN_FAILED,
                       "graders: Python's folder is %s, too much to show programs under test: name another "
                       "by TERN_PYTHON=/path/python3",
                       at[i]);
    readable[count++] = at[i];
  }
  tern_sandbox_options o = {.parallel = parallel, .readable = readable, .python = at[EXECUTABLE]};
  if (tern_sandbox_open(out, &o, e) != 0) return (int)e->status;
  if (try_python(*out, e) == 0) return 0;
  tern_sandbox_close(*out);
  *out = NULL;
  return (int)e->status;
}

int tern_sandbox_start_grader(tern_sandbox *s, const char *name, const char *input, size_t size,
                              const tern_sandbox_limits *limits, int *ticket, tern_error *e) {
  char script[PATH_MAX];
  snprintf(script, sizeof script, GRADERS "/%s.py", name);
  const char *const argv[] = {tern_sandbox_python(s), "-I", "-B", script, NULL};
  if (!argv[0]) return tern_fail(e, TERN_FAILED, "grader %s: its sandbox has no Python", name);
  if (access(script, R_OK) != 0) return tern_fail_errno(e, "%s", script);
  return tern_sandbox_start(s, argv, input, size, limits, ticket, e);
}

int tern_sandbox_python_version(tern_sandbox *s, const char *package, char *version, size_t size, tern_error *e) {
  static const char script[] = "import sys, importlib.metadata as m\n"
                               "p = sys.argv[1]\n"
                               "print(m.version(p) if p else sys.version.split()[0])";
  static const tern_sandbox_limits limits = {.wall_s = 60,
                                             .cpu_s = 30,
                                             .memory = (size_t)1 << 30,
                                             .file = 1 << 20,
                                             .output = 64 << 10,
                                             .processes = 8,
                                             .files = 64};
  const char *const argv[] = {tern_sandbox_python(s), "-I", "-B", "-c", script, package, NULL};
  tern_sandbox_result r;
  if (tern_sandbox_run(s, argv, NULL, 0, &limits, &r, e) != 0) return (int)e->status;
  int bad = r.end != TERN_SANDBOX_EXIT || r.code != 0;
  r.output[strcspn(r.output, "\n")] = '\0';
  snprintf(version, size, "%s", r.output);
  if (bad && strstr(r.output, "Traceback"))
    tern_fail(e, TERN_FAILED,
              "graders: Python's package %s is not there: '%s -m pip install %s', or name another Python "
              "by TERN_PYTHON",
              package, argv[0], package);
  else if (bad)
    tern_fail(e, TERN_FAILED, "graders: %s cannot be run inside the sandbox (%s %d: %.100s)", argv[0],
              tern_sandbox_end_name(r.end), r.code, r.output);
  free(r.output);
  return bad ? (int)e->status : 0;
}
