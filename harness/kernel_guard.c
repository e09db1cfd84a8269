/* Guarded buffers and the crash trap of the kernel checker. */
#include "harness/kernel_guard.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
  const char *name;
  uint8_t *map, *data;
  size_t map_bytes, bytes;
} buffers[TERN_GUARDED];
static int count;

sigjmp_buf tern_trap_point;
static const uint8_t *volatile fault_address;

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
enum { SIGNALS = sizeof signals / sizeof *signals };
static struct sigaction saved[SIGNALS];

void *tern_guarded(const char *name, size_t bytes, size_t align, tern_side side) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t inner = (bytes + page - 1) / page * page;
  if (count == TERN_GUARDED) return NULL;
  uint8_t *map = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return NULL;
  if (inner && mprotect(map + page, inner, PROT_READ | PROT_WRITE) != 0) {
    munmap(map, inner + 2 * page);
    return NULL;
  }
  const size_t offset = side == TERN_GUARD_START ? 0 : (inner - bytes) / align * align;
  buffers[count].name = name;
  buffers[count].map = map;
  buffers[count].map_bytes = inner + 2 * page;
  buffers[count].data = map + page + offset;
  buffers[count].bytes = bytes;
  return buffers[count++].data;
}

void tern_guarded_release(void) {
  while (count > 0) {
    count--;
    munmap(buffers[count].map, buffers[count].map_bytes);
  }
}

static void on_signal(int signo, siginfo_t *info, void *context) {
  (void)context;
  fault_address = info->si_addr;
  siglongjmp(tern_trap_point, signo);
}

void tern_trap_install(void) {
  /* A stack of its own: the code under test may have used up the other. */
  static uint8_t stack[1 << 16];
  const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&own, NULL);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &action, &saved[i]);
}

void tern_trap_remove(void) {
  const stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &saved[i], NULL);
}

const char *tern_trap_text(int signo) {
  static char text[160];
  const uint8_t *at = fault_address;
  for (int i = 0; i < count && (signo == SIGSEGV || signo == SIGBUS); i++) {
    if (at < buffers[i].map || at >= buffers[i].map + buffers[i].map_bytes) continue;
    const bool before = at < buffers[i].data;
    const size_t away = before ? (size_t)(buffers[i].data - at) : (size_t)(at - buffers[i].data) - buffers[i].bytes;
    snprintf(text, sizeof text, "touches memory %zu bytes %s %s", away, before ? "before" : "after the end of",
             buffers[i].name);
    return text;
  }
  snprintf(text, sizeof text, "crashes: %s", strsignal(signo));
  return text;
}
