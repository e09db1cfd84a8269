/* SIGINT, SIGTERM and SIGHUP set a flag that long work asks for; a second one
 * removes temporaries and ends the process. SIGXFSZ is ignored so that a file
 * size limit is an error of write(), with its message, instead of a kill. */
#include "engine/base/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "engine/base/file.h"

static atomic_int signals_seen; /* the number of one; lock-free, so a handler may set what other threads read */

static void on_signal(int number) {
  if (atomic_exchange(&signals_seen, number)) {
    tern_outputs_abandon();
    _exit(TERN_INTERRUPTED);
  }
}

void tern_interrupt_install(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {.sa_handler = on_signal}, old;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    /* nohup and background jobs of a shell have theirs ignored: leave it so */
    if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    sigaction(numbers[i], &action, NULL);
  }
  signal(SIGXFSZ, SIG_IGN);
}

bool tern_interrupted(void) {
  return atomic_load(&signals_seen) != 0;
}

int tern_interrupt_take(void) {
  return atomic_exchange(&signals_seen, 0);
}

int tern_interrupt_check(tern_error *e) {
  return tern_interrupted() ? tern_fail(e, TERN_INTERRUPTED, "interrupted") : 0;
}
