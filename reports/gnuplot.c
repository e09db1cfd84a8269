/* Runs gnuplot with the script in an anonymous file as its input and reads the
 * drawing from a pipe; then makes the drawing fit into a page: own title, ids
 * that no other plot has. */
#include "reports/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/escape.h"

enum { DRAWING_LIMIT = 16 << 20 };

extern char **environ;

/* File descriptor that holds the script, at its beginning; -1 on failure. */
static int script_fd(const char *script, size_t size) {
  int fd = memfd_create("gnuplot", MFD_CLOEXEC);
  for (size_t done = 0; fd >= 0 && done < size;) {
    ssize_t n = write(fd, script + done, size - done);
    if (n > 0)
      done += (size_t)n;
    else if (errno != EINTR) {
      close(fd);
      return -1;
    }
  }
  if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static int spawn(int in, int out, pid_t *pid) {
  static char *arguments[] = {"gnuplot", "--default-settings", "-", NULL};
  posix_spawn_file_actions_t actions;
  int status = posix_spawn_file_actions_init(&actions);
  if (status) return status;
  status = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  if (!status) status = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (!status) status = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  if (!status) status = posix_spawnp(pid, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

/* All that comes out of fd, NUL-ended (free()); NULL on failure. */
static char *drain(int fd) {
  size_t used = 0, room = 1 << 16;
  char *text = malloc(room);
  while (text) {
    ssize_t n = read(fd, text + used, room - used - 1);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || used > DRAWING_LIMIT) break;
    if (n == 0) {
      text[used] = '\0';
      return text;
    }
    used += (size_t)n;
    if (room - used < 2) {
      char *more = realloc(text, room *= 2);
      if (!more) break;
      text = more;
    }
  }
  free(text);
  return NULL;
}

static char *draw(const char *script, size_t size, char *why, size_t why_size) {
  int ends[2] = {-1, -1}, status = 0;
  pid_t pid;
  char *text = NULL;
  int in = script_fd(script, size);
  if (in < 0 || pipe2(ends, O_CLOEXEC) != 0) {
    snprintf(why, why_size, "plot left out: %s", strerror(errno));
    goto out;
  }
  int problem = spawn(in, ends[1], &pid);
  close(ends[1]);
  ends[1] = -1;
  if (problem) {
    snprintf(why, why_size, "plot left out: gnuplot %s", problem == ENOENT ? "is not installed" : strerror(problem));
    goto out;
  }
  text = drain(ends[0]);
  close(ends[0]); /* one that writes on must not be waited for */
  ends[0] = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (!text || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    snprintf(why, why_size, "plot left out: gnuplot failed (%s %d)", WIFSIGNALED(status) ? "signal" : "exit code",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    free(text);
    text = NULL;
  }
out:
  if (in >= 0) close(in);
  if (ends[0] >= 0) close(ends[0]);
  if (ends[1] >= 0) close(ends[1]);
  return text;
}

/* Whether an id or a reference to one begins right after `at` characters. */
static size_t id_ahead(const char *at) {
  static const char *const before[] = {" id='", " id=\"", "href='#", "href=\"#", "url(#"};
  for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
    size_t n = strlen(before[i]);
    if (strncmp(at, before[i], n) == 0) return n;
  }
  return 0;
}

static void adopt(FILE *out, const char *body, int number, const char *title, const char *description) {
  fprintf(out, "<svg role=\"img\" aria-labelledby=\"plot%d-title plot%d-text\" xmlns=\"http://www.w3.org/2000/svg\" ",
          number, number);
  const char *box = strstr(body, "viewBox="), *end = strchr(body, '>'), *rest = strstr(body, "</desc>");
  if (box && end && box < end) fprintf(out, "%.*s", (int)(strcspn(box + 9, "\"'") + 10), box);
  fprintf(out, " xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n<title id=\"plot%d-title\">", number);
  tern_escape_html(out, title);
  fprintf(out, "</title>\n<desc id=\"plot%d-text\">", number);
  tern_escape_html(out, description);
  fputs("</desc>\n", out);
  for (const char *at = rest ? rest + strlen("</desc>") : body; *at;) {
    size_t n = id_ahead(at);
    if (n)
      fprintf(out, "%.*splot%d-", (int)n, at, number);
    else
      fputc(*at, out);
    at += n ? n : 1;
  }
}

char *tern_gnuplot(const char *script, size_t size, int number, const char *title, const char *description, char *why,
                   size_t why_size) {
  char *text = draw(script, size, why, why_size), *svg = NULL;
  if (!text) return NULL;
  const char *body = strstr(text, "<svg");
  char *close = strstr(text, "</svg>");
  size_t svg_size;
  FILE *out = body && close ? open_memstream(&svg, &svg_size) : NULL;
  if (!out) {
    snprintf(why, why_size, "plot left out: gnuplot drew nothing");
    free(text);
    return NULL;
  }
  close[strlen("</svg>")] = '\0';
  adopt(out, body, number, title, description);
  if (fclose(out) != 0) {
    free(svg);
    svg = NULL;
    snprintf(why, why_size, "plot left out: out of memory");
  }
  free(text);
  return svg;
}
