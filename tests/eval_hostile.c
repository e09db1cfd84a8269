/* Programs that a sandbox must hold, by name: eval_hostile DEED [ARGUMENT].
 * Each says in its output what it got away with; run only by check_eval_sandbox
 * and never outside of a sandbox. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 20 };

static void bomb(const char *argument) {
  (void)argument;
  for (;;) fork();
}

static void speak(const char *argument) {
  (void)argument;
  for (;;) puts("and on and on");
}

static void compute(const char *argument) {
  (void)argument;
  for (volatile unsigned i = 0;; i++)
    ;
}

static void last(const char *argument) {
  (void)argument;
  signal(SIGTERM, SIG_IGN);
  close(1);
  close(2);
  for (;;) pause();
}

/* Its bytes, touched; the number of MiB that it got. */
static void hold(const char *argument) {
  int most = atoi(argument), have = 0;
  for (char *p; have < most && (p = malloc(BLOCK)) != NULL; have++) memset(p, 1, BLOCK);
  printf("held %d\n", have);
  fflush(stdout);
}

/* Several that are each within the limit. */
static void hold_together(const char *argument) {
  for (int i = 0; i < 5; i++) {
    if (fork() == 0) {
      hold(argument);
      for (;;) pause();
    }
  }
  for (;;) pause();
}

static void leave_behind(const char *argument) {
  (void)argument;
  for (int i = 0; i < 3; i++)
    if (fork() == 0) {
      setsid();
      signal(SIGHUP, SIG_IGN);
      for (;;) pause();
    }
  puts("left");
}

static void try_write(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT, 0666);
  if (fd < 0) return;
  printf("escaped to %s\n", path);
  close(fd);
}

static void write_outside(const char *folder) {
  static const char *const places[] = {
      "/escaped",         "/usr/escaped",          "/usr/bin/sh",  "/etc/escaped", "/dev/escaped",
      "/proc/escaped",    "/home/escaped",         "/var/escaped", "/run/escaped", "/proc/sys/kernel/hostname",
      "/dev/shm/escaped", "/sys/fs/cgroup/escaped"};
  char path[4200];
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) try_write(places[i]);
  snprintf(path, sizeof path, "%s/escaped", folder);
  try_write(path);
  puts("done");
}

/* argument: a file outside that must stay as it is. */
static void link_in_tmp(const char *argument) {
  char text[8] = "";
  if (symlink(argument, "/tmp/link") != 0 || symlink("/etc/passwd", "/tmp/passwd") != 0) return;
  try_write("/tmp/link");
  int fd = open("/tmp/passwd", O_RDONLY);
  if (fd >= 0 && read(fd, text, sizeof text) > 0) puts("escaped to /etc/passwd");
  if (chmod("/tmp/link", 0777) == 0 || unlink(argument) == 0) puts("escaped: changed it");
  puts("done");
}

static void fill(const char *argument) {
  (void)argument;
  static char block[BLOCK];
  long long wrote = 0;
  signal(SIGXFSZ, SIG_IGN);
  for (int i = 0; i < 64; i++) {
    char path[32];
    snprintf(path, sizeof path, "/tmp/%d", i);
    int fd = open(path, O_WRONLY | O_CREAT, 0666);
    for (ssize_t put; fd >= 0 && (put = write(fd, block, sizeof block)) > 0;) wrote += put;
    if (fd >= 0) close(fd);
  }
  printf("wrote %lld\n", wrote);
}

/* argument: name of an abstract socket that someone outside listens on. */
static void reach_network(const char *argument) {
  static const int families[] = {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK, AF_BLUETOOTH, AF_ALG};
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    if (socket(families[i], families[i] == AF_PACKET || families[i] == AF_NETLINK ? SOCK_RAW : SOCK_STREAM, 0) >= 0)
      printf("escaped: a socket of family %d\n", families[i]);
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t length = strlen(argument);
  memcpy(to.sun_path + 1, argument, length);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) puts("no UNIX socket");
  if (connect(fd, (struct sockaddr *)&to, (socklen_t)(sizeof to.sun_family + 1 + length)) == 0)
    puts("escaped: connected outside");
  puts("done");
}

static void trace(const char *argument) {
  (void)argument;
  char byte;
  struct iovec to = {&byte, 1}, from = {(void *)trace, 1};
  const pid_t whom[] = {getppid(), 1};
  for (int i = 0; i < 2; i++) {
    if (ptrace(PTRACE_ATTACH, whom[i], NULL, NULL) == 0) puts("escaped: attached");
    if (ptrace(PTRACE_SEIZE, whom[i], NULL, NULL) == 0) puts("escaped: seized");
    if (process_vm_readv(whom[i], &to, 1, &from, 1, 0) >= 0) puts("escaped: read another's memory");
  }
  puts("done");
}

/* argument: the test's process outside. */
static void signal_outside(const char *argument) {
  if (kill(atoi(argument), SIGUSR1) == 0) puts("escaped: signalled");
  signal(SIGTERM, SIG_IGN);
  kill(-1, SIGTERM);
  kill(getppid(), SIGKILL);
  kill(1, SIGKILL);
  puts("done");
}

/* Those in the folder whose names consist of `of` (NULL: any that is not hidden). */
static int count_entries(const char *path, const char *of) {
  DIR *d = opendir(path);
  int count = 0;
  if (!d) return 0;
  for (const struct dirent *f; (f = readdir(d)) != NULL;)
    count += of ? strspn(f->d_name, of) == strlen(f->d_name) : f->d_name[0] != '.';
  closedir(d);
  return count;
}

static void look_around(const char *argument) {
  static const char *const hidden[] = {"/etc/passwd", "/etc/shadow", "/sys/kernel", "/proc/1/root/etc/passwd"};
  /* Folders above a readable one are there, with nothing else in them. */
  static const char *const bare[] = {"/root", "/home", "/var", "/run", "/boot", "/srv", "/mnt", "/tmp"};
  (void)argument;
  if (count_entries("/proc", "0123456789") > 6) puts("escaped: sees other processes");
  for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
    if (open(hidden[i], O_RDONLY) >= 0) printf("escaped: opens %s\n", hidden[i]);
  for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
    if (count_entries(bare[i], NULL) > 1) printf("escaped: sees what is in %s\n", bare[i]);
  char text[64];
  int init = open("/proc/1/environ", O_RDONLY);
  if (init >= 0 && read(init, text, sizeof text) > 0) puts("escaped: sees the environment of bwrap");
  if (getenv("TERN_TEST_SECRET")) puts("escaped: sees the environment");
  puts("done");
}

static void gain(const char *argument) {
  (void)argument;
  if (getuid() == 0 || setuid(0) == 0) puts("escaped: root");
  if (unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0) puts("escaped: a namespace");
  if (mount("none", "/tmp", "tmpfs", 0, NULL) == 0) puts("escaped: mounted");
  if (chroot("/tmp") == 0) puts("escaped: chroot");
  puts("done");
}

static void open_files(const char *argument) {
  int inherited = 0, count = 0;
  for (int fd = 3; fd < 1024; fd++) inherited += fcntl(fd, F_GETFD) >= 0;
  while (open("/dev/null", O_RDONLY) >= 0 && count < 100000) count++;
  printf("inherited %d, within %s: %s\n", inherited, argument, count <= atoi(argument) ? "yes" : "no");
}

static void copy_input(const char *argument) {
  (void)argument;
  char block[4096];
  for (ssize_t got; (got = read(0, block, sizeof block)) > 0;)
    if (write(1, block, (size_t)got) != got) exit(1);
}

static void say_when(const char *argument) {
  struct timespec t[2];
  clock_gettime(CLOCK_MONOTONIC, &t[0]);
  nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
  clock_gettime(CLOCK_MONOTONIC, &t[1]);
  printf("%s %ld.%09ld %ld.%09ld\n", argument, (long)t[0].tv_sec, t[0].tv_nsec, (long)t[1].tv_sec, t[1].tv_nsec);
}

static void leave_with(const char *argument) {
  exit(atoi(argument));
}

static void die_of(const char *argument) {
  raise(atoi(argument));
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*deed)(const char *argument);
  } deeds[] = {{"bomb", bomb},
               {"speak", speak},
               {"compute", compute},
               {"last", last},
               {"hold", hold},
               {"hold-together", hold_together},
               {"leave-behind", leave_behind},
               {"write-outside", write_outside},
               {"link-in-tmp", link_in_tmp},
               {"fill", fill},
               {"reach-network", reach_network},
               {"trace", trace},
               {"signal-outside", signal_outside},
               {"look-around", look_around},
               {"gain", gain},
               {"open-files", open_files},
               {"copy-input", copy_input},
               {"say-when", say_when},
               {"leave-with", leave_with},
               {"die-of", die_of}};
  struct stat host;
  /* Some of these would take a machine down. */
  char name[64] = "";
  if (gethostname(name, sizeof name - 1) != 0 || strcmp(name, "sandbox") != 0 || stat("/etc/passwd", &host) == 0) {
    fputs("eval_hostile runs only in the sandbox of check_eval_sandbox\n", stderr);
    return 2;
  }
  for (size_t i = 0; argc > 1 && i < sizeof deeds / sizeof *deeds; i++) {
    if (strcmp(argv[1], deeds[i].name) != 0) continue;
    deeds[i].deed(argc > 2 ? argv[2] : "");
    return 0;
  }
  return 2;
}
