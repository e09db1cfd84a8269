/* The page as a document: well formed, self-contained, harmless whatever names
 * the files hold, and readable without plots. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reports/escape.h"
#include "reports/report.h"
#include "tests/scratch.h"

enum { DEPTH = 64, IDS = 4096 };

/* Just enough of a parser: tags nest, attributes are quoted and ids unique. */
typedef struct page {
  const char *text;
  char stack[DEPTH][32];
  int depth;
  char *ids[IDS];
  int id_count;
} page;

static const char *read_name(const char *at, char *name, size_t size) {
  size_t n = strcspn(at, " \t\r\n>/=");
  snprintf(name, size, "%.*s", (int)n, at);
  return at + n;
}

/* Attributes up to '>'; returns what follows it. */
static const char *read_attributes(page *p, const char *at, bool *closed) {
  for (;;) {
    char name[64];
    at += strspn(at, " \t\r\n");
    *closed = *at == '/';
    if (*at == '/') at++;
    if (*at == '>') return at + 1;
    if (!*at || *closed) fail_msg("broken tag near: %.60s", at);
    at = read_name(at, name, sizeof name);
    at += strspn(at, " ");
    if (*at == '=') at += strspn(at + 1, " "); /* now on the last of "=  " */
    if ((*at != '=' && *at != ' ') || (at[1] != '"' && at[1] != '\''))
      fail_msg("attribute without quotes near: %s %.40s", name, at);
    const char *end = strchr(at + 2, at[1]);
    assert_non_null(end);
    size_t n = (size_t)(end - at - 2);
    if (memchr(at + 2, '<', n)) fail_msg("< within an attribute: %.60s", at);
    if (strcmp(name, "id") == 0 && p->id_count < IDS) p->ids[p->id_count++] = strndup(at + 2, n);
    if (strcmp(name, "src") == 0 || strncmp(name, "on", 2) == 0) fail_msg("attribute %s", name);
    if (strstr(name, "href") && at[2] != '#') fail_msg("link to the outside: %.60s", at);
    at = end + 1;
  }
}

static const char *read_tag(page *p, const char *at) {
  char name[32];
  bool closed = false, closing = at[1] == '/';
  if (strncmp(at, "<!DOCTYPE html>", 15) == 0) return at + 15;
  const char *rest = read_name(at + 1 + closing, name, sizeof name);
  if (!isalpha((unsigned char)name[0])) fail_msg("stray < near: %.60s", at);
  if (strcmp(name, "script") == 0 || strcmp(name, "img") == 0 || strcmp(name, "link") == 0) fail_msg("<%s>", name);
  rest = read_attributes(p, rest, &closed);
  if (closing) {
    if (p->depth == 0 || strcmp(p->stack[p->depth - 1], name) != 0)
      fail_msg("</%s> closes <%s> near: %.60s", name, p->depth ? p->stack[p->depth - 1] : "", at);
    p->depth--;
  } else if (!closed && strcmp(name, "meta") != 0) {
    assert_true(p->depth < DEPTH);
    snprintf(p->stack[p->depth++], sizeof p->stack[0], "%s", name);
  }
  return rest;
}

static void read_entity(const char *at) {
  static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strncmp(at, known[i], strlen(known[i])) == 0) return;
  fail_msg("stray & near: %.40s", at);
}

static void check_page(const char *text) {
  page *p = calloc(1, sizeof *p);
  assert_non_null(p);
  for (const char *at = text; *at;) {
    if (p->depth && strcmp(p->stack[p->depth - 1], "style") == 0 && strncmp(at, "</style", 7) != 0) {
      at++;
      continue;
    }
    if (*at == '&') read_entity(at);
    at = *at == '<' ? read_tag(p, at) : at + 1;
  }
  assert_int_equal(p->depth, 0);
  for (int i = 0; i < p->id_count; i++)
    for (int k = 0; k < i; k++)
      if (strcmp(p->ids[i], p->ids[k]) == 0) fail_msg("id %s twice", p->ids[i]);
  for (int i = 0; i < p->id_count; i++) free(p->ids[i]);
  free(p);
}

static char *page_of(const char *fixture, char *dir, int size) {
  char from[512];
  static const char *const inputs[] = {"manifest.json", "summary.csv", "samples.csv"};
  tern_error e = {0};
  snprintf(from, sizeof from, "%s/%s", FIXTURES, fixture);
  scratch_make(dir, size);
  for (size_t i = 0; i < 3; i++) {
    char *text = scratch_read(from, inputs[i]);
    scratch_file(dir, inputs[i], text);
    free(text);
  }
  if (tern_report_write(dir, &e)) fail_msg("%s", e.text);
  return scratch_read(dir, "report.html");
}

static bool have_gnuplot(void) {
  char path[4096];
  snprintf(path, sizeof path, "%s", getenv("PATH") ? getenv("PATH") : "");
  for (char *next, *at = path; at; at = next) {
    char file[4200];
    if ((next = strchr(at, ':'))) *next++ = '\0';
    snprintf(file, sizeof file, "%s/gnuplot", at);
    if (access(file, X_OK) == 0) return true;
  }
  return false;
}

static int count(const char *text, const char *needle) {
  int n = 0;
  while ((text = strstr(text, needle))) text += strlen(needle), n++;
  return n;
}

static void page_is_well_formed_and_stands_alone(void **state) {
  (void)state;
  static const char *const fixtures[] = {"results-default", "results-few", "results-peers", "results-side"};
  for (size_t f = 0; f < sizeof fixtures / sizeof *fixtures; f++) {
    char dir[512];
    char *text = page_of(fixtures[f], dir, sizeof dir);
    check_page(text);
    assert_int_equal(count(text, "url("), count(text, "url(#"));
    if (have_gnuplot()) {
      assert_int_equal(count(text, "<svg"), 5);
      assert_int_equal(count(text, "role=\"img\" aria-labelledby="), 5);
    }
    /* Each table says what it shows, and each of its columns. */
    assert_int_equal(count(text, "<table"), count(text, "<caption>"));
    assert_true(count(text, "<th scope=\"col\"") > 40);
    free(text);
    scratch_remove(dir);
  }
}

static void page_says_so_when_there_is_no_gnuplot(void **state) {
  (void)state;
  char dir[512], *path = strdup(getenv("PATH") ? getenv("PATH") : "");
  setenv("PATH", "/nonexistent", 1);
  char *text = page_of("results-default", dir, sizeof dir);
  setenv("PATH", path, 1);
  assert_int_equal(count(text, "<svg"), 0);
  assert_int_equal(count(text, "plot left out: gnuplot is not installed"), 5);
  check_page(text);
  free(text);
  free(path);
  scratch_remove(dir);
}

#define HOSTILE "<script>alert(1)</script>|`x` 'a' \\\"\\\" $(y) {z} @w & \\\\ __q__"

/* Names from files may hold anything. */
static void hostile_names_stay_text(void **state) {
  (void)state;
  char dir[512];
  tern_error e = {0};
  scratch_make(dir, sizeof dir);
  scratch_file(dir, "manifest.json",
               "{\"schema\": 1, \"finished\": true, \"machine\": {\"cpu\": \"" HOSTILE
               "\", \"architecture\": \"x86_64\","
               " \"virtualisation\": \"" HOSTILE "\"}, \"warnings\": [\"" HOSTILE
               "\"], \"skipped\": [{\"engine\": \"" HOSTILE "\", \"model\": \"" HOSTILE "\", \"reason\": \"" HOSTILE
               "\"}], \"meters\": [{\"what\": \"" HOSTILE "\"}], \"provisional\": {\"f16\": \"" HOSTILE "\"}}");
#define NAME "\"<b onclick='x'>|`id` '; system('id') \"\"$(id)\"\" \xff\x1b[2J \xe2\x80\xae @{a} & \\ __q__\""
  scratch_file(dir, "summary.csv",
               "metric,engine,model,workload,threads,n,median,low,high,coverage,unit,how,note\n"
               "speed," NAME "," NAME ",decode-" NAME ",1,5,3,2,4,0.9,tokens/s,measured," NAME "\n"
               "speedup,ternary/f16," NAME ",decode-1,1,5,3,2,4,0.9,x," NAME "," NAME "\n"
               "body_memory," NAME "," NAME ",,,1,1e9,,,,bytes,computed,\n");
  scratch_file(dir, "samples.csv",
               "sample,block,start_s,engine,model,workload,phase,threads,kernel,tokens,seconds,joules_why\n"
               "0,0,1," NAME "," NAME "," NAME ",decode,1," NAME ",10,1," NAME "\n");
  /* A quote in the middle of a bare cell is refused; decode-"..." is such a cell. */
  assert_int_equal(tern_report_write(dir, &e), TERN_FAILED);
  char *summary = scratch_read(dir, "summary.csv"), *at;
  while ((at = strstr(summary, "decode-\""))) memmove(at, at + 7, strlen(at + 7) + 1);
  scratch_file(dir, "summary.csv", summary);
  free(summary);
  if (tern_report_write(dir, &e)) fail_msg("%s", e.text);
  char *text = scratch_read(dir, "report.html");
  check_page(text);
  assert_null(strstr(text, "<script"));
  assert_null(strstr(text, "<b "));
  assert_null(strchr(text, '\x1b'));
  assert_null(strstr(text, "\xe2\x80\xae"));
  assert_null(strchr(text, '\xff'));
  if (have_gnuplot()) assert_true(count(text, "<svg") >= 3);
  free(text);
  /* Markdown: every row of a table has the cells of its header. */
  text = scratch_read(dir, "report.md");
  int columns = 0;
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    int n = 0;
    for (const char *s = line; *s; s++) {
      if (*s == '\\' && s[1])
        s++;
      else
        n += *s == '|';
      assert_true(*s != '<' || s[-1] == '\\');
    }
    if (line[0] != '|')
      columns = 0;
    else if (columns == 0)
      columns = n;
    else if (n != columns)
      fail_msg("%d cells instead of %d: %s", n, columns, line);
  }
  free(text);
  scratch_remove(dir);
}

static void labels_of_plots_are_harmless(void **state) {
  (void)state;
  char label[64];
  tern_escape_label(label, sizeof label, "decode-128@512, 2 threads (x) a'b\"c`d\\e$f{g}\n\xc3\xa9");
  assert_string_equal(label, "decode-128@512, 2 threads (x) a_b_c_d_e_f_g___");
  tern_escape_label(label, 8, "0123456789");
  assert_string_equal(label, "0123456");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(page_is_well_formed_and_stands_alone),
      cmocka_unit_test(page_says_so_when_there_is_no_gnuplot),
      cmocka_unit_test(hostile_names_stay_text),
      cmocka_unit_test(labels_of_plots_are_harmless),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
