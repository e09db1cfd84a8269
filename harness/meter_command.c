/* A command that prints watts, a line at a time, and a serial device that does
 * the same. The command is run by /bin/sh -c, as users write it, as the leader
 * of a process group of its own: Ctrl-C does not reach it, and it is ended as a
 * whole, by number, when the meter is closed or this process dies. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "harness/meter_live.h"

static _Noreturn void become(const char *command, int out, pid_t parent) {
  static const int reset[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
  for (size_t i = 0; i < sizeof reset / sizeof *reset; i++) signal(reset[i], SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  int nothing = open("/dev/null", O_RDONLY);
  if (getppid() != parent || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0) _exit(127);
  execl("/bin/sh", "sh", "-c", command, (char *)NULL);
  _exit(127);
}

static void *command_open(tern_source *s) {
  int ends[2];
  if (!s->argument[0]) return tern_source_refuse(s, "no command is given");
  if (pipe2(ends, O_CLOEXEC) != 0) return tern_source_refuse(s, "no pipe: %s", strerror(errno));
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) become(s->argument, ends[1], parent);
  int bad = errno;
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return tern_source_refuse(s, "no process can be started: %s", strerror(bad));
  }
  setpgid(pid, pid); /* whoever comes first; the other fails */
  snprintf(s->fact.source, sizeof s->fact.source, "lines of: %.400s", s->argument);
  return tern_live_open(s, ends[0], pid);
}

static const struct {
  int baud;
  speed_t speed;
} speeds[] = {{1200, B1200},     {2400, B2400},     {4800, B4800},    {9600, B9600},
              {19200, B19200},   {38400, B38400},   {57600, B57600},  {115200, B115200},
              {230400, B230400}, {460800, B460800}, {921600, B921600}};
static const int USUAL_BAUD = 115200;

/* DEVICE[@BAUD]; false when the baud rate is none. */
static bool parse_device(const char *argument, char *path, size_t size, speed_t *speed) {
  const char *at = strrchr(argument, '@');
  int baud = at ? atoi(at + 1) : USUAL_BAUD;
  snprintf(path, size, "%.*s", at ? (int)(at - argument) : (int)strlen(argument), argument);
  for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
    if (speeds[i].baud != baud) continue;
    *speed = speeds[i].speed;
    return true;
  }
  return false;
}

static void *serial_open(tern_source *s) {
  char path[256];
  speed_t speed = B0;
  struct termios t;
  if (!parse_device(s->argument, path, sizeof path, &speed))
    return tern_source_refuse(s, "%s: no usual baud rate", s->argument);
  int file = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return tern_source_refuse_file(s, errno, path);
  if (tcgetattr(file, &t) != 0) {
    close(file);
    return tern_source_refuse(s, "%s: not a serial device", path);
  }
  cfmakeraw(&t);
  t.c_cflag |= CLOCAL | CREAD;
  cfsetispeed(&t, speed);
  cfsetospeed(&t, speed);
  if (tcsetattr(file, TCSANOW, &t) != 0) {
    close(file);
    return tern_source_refuse(s, "%s: can't be set to this rate", path);
  }
  snprintf(s->fact.source, sizeof s->fact.source, "lines of %.250s", path);
  return tern_live_open(s, file, 0);
}

const tern_meter_kind tern_meter_command = {.name = "command",
                                            .asked = true,
                                            .open = command_open,
                                            .begin = tern_live_begin,
                                            .finish = tern_live_finish,
                                            .ended = tern_live_ended,
                                            .close = tern_live_close};

const tern_meter_kind tern_meter_serial = {.name = "serial",
                                           .asked = true,
                                           .open = serial_open,
                                           .begin = tern_live_begin,
                                           .finish = tern_live_finish,
                                           .ended = tern_live_ended,
                                           .close = tern_live_close};
