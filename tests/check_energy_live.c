/* Live meters: commands and serial devices that print watts. */
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "energy_fixture.h"
#include "harness/meter_list.h"
#include "harness/meter_live.h"

static void watts_are_the_last_number_of_a_line(void **state) {
  static const struct {
    const char *line;
    double watts;
  } cases[] = {{"12.5", 12.5},
               {" 12.5 W\r", 12.5},
               {"1777636800,12.5", 12.5},
               {"2026-05-01T12:00:00Z;230.1;0.05;11.5W", 11.5},
               {"power: 11500 mW", 11.5},
               {"0.0115 kW", 11.5},
               {"P=1.15e1", 11.5},
               {"-3", -3}};
  static const char *const none[] = {"", "W", "warming up", "12.5 V", "12.5 Wh", "nan", "1e999", "12.5 W (valid)"};
  (void)state;
  double watts;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (!tern_live_parse(cases[i].line, &watts)) fail_msg("%s", cases[i].line);
    assert_near(watts, cases[i].watts, 1e-12);
  }
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    if (tern_live_parse(none[i], &watts)) fail_msg("'%s' is %g W", none[i], watts);
}

/* A meter that prints what the test writes into a FIFO. */
typedef struct live {
  fixture f;
  char fifo[128], spec[512];
  const char *named[1];
  int say;
  tern_meters *m;
  tern_source *s;
} live;

static void live_start(live *l, const char *command) {
  memset(l, 0, sizeof *l);
  fixture_open(&l->f);
  snprintf(l->fifo, sizeof l->fifo, "%s/fifo", l->f.root);
  assert_int_equal(mkfifo(l->fifo, 0600), 0);
  l->say = open(l->fifo, O_RDWR | O_CLOEXEC); /* never at its end, and never waits */
  assert_true(l->say >= 0);
  assert_true(write(l->say, "starting\n50\n", 12) == 12);
  snprintf(l->spec, sizeof l->spec, command, l->fifo);
  l->named[0] = l->spec;
  tern_meter_options o = fixture_options(&l->f);
  o.named = l->named;
  o.named_count = 1;
  l->m = fixture_meters(&l->f, &o);
  l->s = l->m->sources[0];
}

static void live_end(live *l) {
  tern_meters_close(l->m);
  close(l->say);
  fixture_close(&l->f);
}

/* One line, taken by the reading thread at the fixture's present time. */
static void say(live *l, const char *line) {
  size_t before = tern_live_values(l->s);
  assert_int_equal(write(l->say, line, strlen(line)), strlen(line));
  while (tern_live_values(l->s) == before) poll(NULL, 0, 1);
}

static tern_reading window(live *l, int lines, const char *line) {
  tern_reading all[16];
  say(l, line);
  tern_meters_start(l->m);
  for (int i = 0; i < lines; i++) {
    fixture_pass(&l->f, 1);
    say(l, line);
  }
  tern_meters_stop(l->m, all);
  return all[0];
}

static const char CAT[] = "command:cat '%s'";

static void lines_are_integrated_at_the_times_they_come(void **state) {
  live l;
  (void)state;
  live_start(&l, CAT);
  if (!tern_meters_fact(l.m, 0)->usable) fail_msg("%s", tern_meters_fact(l.m, 0)->why);
  assert_int_equal(tern_meters_primary(l.m), 0);
  tern_reading r = window(&l, 10, "50\n");
  assert_reading(&r, 500, "wall");
  assert_near(r.interval, 1, 1e-9);
  r = window(&l, 10, "junk 60 W\n");
  assert_reading(&r, 600, "wall");
  /* From one window to the next nothing is carried over but the last value. */
  r = window(&l, 3, "70\n");
  assert_reading(&r, 210, "wall");
  r = window(&l, 10, "-7\n");
  assert_no_reading(&r, "command: -7 W at 0 s of the window is not plausible");
  live_end(&l);
}

static void a_meter_that_is_silent_for_a_while_gives_no_reading(void **state) {
  live l;
  (void)state;
  live_start(&l, CAT);
  tern_reading all[16];
  say(&l, "50\n");
  tern_meters_start(l.m);
  for (int i = 0; i < 10; i++) {
    fixture_pass(&l.f, i == 5 ? 9 : 1);
    say(&l, "50\n");
  }
  tern_meters_stop(l.m, all);
  assert_no_reading(&all[0], "no value for 9 s at 5 s of the window (usual: every 1 s)");
  tern_meters_start(l.m);
  for (int i = 0; i < 5; i++) {
    fixture_pass(&l.f, 1);
    say(&l, "50\n");
  }
  fixture_pass(&l.f, 10);
  tern_meters_stop(l.m, all);
  assert_no_reading(&all[0], "no value for the last 10 s");
  live_end(&l);
}

static void a_meter_that_dies_in_mid_run_says_how(void **state) {
  live l;
  (void)state;
  live_start(&l, "command:while read line; do [ \"$line\" = die ] && exit 3; echo \"$line\"; done < '%s'");
  tern_reading r = window(&l, 5, "50\n");
  assert_reading(&r, 250, "wall");
  tern_reading all[16];
  say(&l, "50\n");
  tern_meters_start(l.m);
  for (int i = 0; i < 5; i++) {
    fixture_pass(&l.f, 1);
    say(&l, "50\n");
  }
  assert_int_equal(write(l.say, "die\n", 4), 4);
  while (!tern_live_ended(l.s)) poll(NULL, 0, 1);
  fixture_pass(&l.f, 5);
  tern_meters_stop(l.m, all);
  assert_no_reading(&all[0], "command: the command ended with exit code 3");
  /* And so it stays; the other meters go on. */
  tern_meters_start(l.m);
  fixture_pass(&l.f, 5);
  tern_meters_stop(l.m, all);
  assert_no_reading(&all[0], "the command ended with exit code 3");
  live_end(&l);
}

static void commands_that_never_work_are_facts_with_a_reason(void **state) {
  live l;
  (void)state;
  live_start(&l, "command:exit 7 # %s");
  assert_non_null(strstr(tern_meters_fact(l.m, 0)->why, "the command ended with exit code 7"));
  live_end(&l);
  live_start(&l, "command:kill -9 $$ # %s");
  assert_non_null(strstr(tern_meters_fact(l.m, 0)->why, "the command ended with signal 9"));
  live_end(&l);
}

/* A dead one that nobody has collected does not run. */
static bool runs(int pid) {
  char stat[64], line[256] = "";
  snprintf(stat, sizeof stat, "/proc/%d/stat", pid);
  return tern_meter_io_kernel.read_file(NULL, stat, line, sizeof line) == 0 && !strstr(line, ") Z ");
}

static void closing_ends_the_whole_group_of_a_command(void **state) {
  live l;
  char path[160];
  (void)state;
  /* A child of the shell's, which ignores the polite signal and writes no more. */
  live_start(&l, "command:(trap '' TERM; sh -c 'echo $PPID' > '%s.pid'; echo 50; while :; do sleep 0.05; done); true");
  snprintf(path, sizeof path, "%s.pid", l.fifo);
  FILE *file = fopen(path, "r");
  int pid = 0;
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%d", &pid), 1);
  fclose(file);
  assert_true(pid > 1 && runs(pid));
  live_end(&l);
  for (int i = 0; i < 500 && runs(pid); i++) poll(NULL, 0, 10);
  assert_false(runs(pid));
}

static void serial_devices_are_read_like_commands(void **state) {
  fixture f;
  char spec[128], bad[160];
  const char *named[] = {spec, bad, "serial:/nonexistent/tty", "serial:/dev/null"};
  (void)state;
  fixture_open(&f);
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
    print_message("no pseudo terminals here (is /dev/pts mounted?)\n");
    skip();
  }
  int keep = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios raw;
  assert_int_equal(tcgetattr(keep, &raw), 0);
  cfmakeraw(&raw);
  assert_int_equal(tcsetattr(keep, TCSANOW, &raw), 0);
  assert_true(write(master, "50\r\n", 4) == 4);
  snprintf(spec, sizeof spec, "serial:%s@9600", ptsname(master));
  snprintf(bad, sizeof bad, "serial:%s@9601", ptsname(master));
  tern_meter_options o = fixture_options(&f);
  o.named = named;
  o.named_count = 4;
  tern_meters *m = fixture_meters(&f, &o);
  if (!tern_meters_fact(m, 0)->usable) fail_msg("%s", tern_meters_fact(m, 0)->why);
  assert_non_null(strstr(tern_meters_fact(m, 1)->why, "no usual baud rate"));
  assert_non_null(strstr(tern_meters_fact(m, 2)->why, "No such file"));
  assert_non_null(strstr(tern_meters_fact(m, 3)->why, "not a serial device"));
  tern_reading all[16];
  tern_meters_start(m);
  for (int i = 0; i < 4; i++) {
    size_t before = tern_live_values(m->sources[0]);
    fixture_pass(&f, 1);
    assert_true(write(master, "50\r\n", 4) == 4);
    while (tern_live_values(m->sources[0]) == before) poll(NULL, 0, 1);
  }
  tern_meters_stop(m, all);
  assert_reading(&all[0], 200, "wall");
  tern_meters_start(m);
  close(keep);
  close(master); /* unplugged */
  while (!tern_live_ended(m->sources[0])) poll(NULL, 0, 1);
  fixture_pass(&f, 5);
  tern_meters_stop(m, all);
  assert_no_reading(&all[0], "serial: the device hung up");
  tern_meters_close(m);
  fixture_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(watts_are_the_last_number_of_a_line),
      cmocka_unit_test(lines_are_integrated_at_the_times_they_come),
      cmocka_unit_test(a_meter_that_is_silent_for_a_while_gives_no_reading),
      cmocka_unit_test(a_meter_that_dies_in_mid_run_says_how),
      cmocka_unit_test(commands_that_never_work_are_facts_with_a_reason),
      cmocka_unit_test(closing_ends_the_whole_group_of_a_command),
      cmocka_unit_test(serial_devices_are_read_like_commands),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
