#include "tests/service_client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <curl/curl.h>

#include "tests/program.h"

enum { MOST_ARGS = 24, STEP_MS = 10, PATIENCE_MS = 60000 };

static int port_told(void) {
  int port = 0;
  char *err = scratch_read(program_dir, "err");
  const char *at = err ? strstr(err, "at http://127.0.0.1:") : NULL;
  if (at && strchr(at, '\n')) port = atoi(at + strlen("at http://127.0.0.1:"));
  free(err);
  return port;
}

served serve_start(const char *model, const char *const *more) {
  const char *args[MOST_ARGS] = {"serve", model, "--port", "0"};
  for (int i = 0; more[i] && i < MOST_ARGS - 6; i++) args[i + 4] = more[i];
  served s = {.pid = program_start(args)};
  for (int ms = 0; s.port == 0 && ms < PATIENCE_MS; ms += STEP_MS) {
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000}, NULL);
    s.port = port_told();
    if (s.port == 0 && waitpid(s.pid, NULL, WNOHANG) == s.pid) break;
  }
  if (s.port == 0) fail_msg("the server does not come up: %s", scratch_read(program_dir, "err"));
  return s;
}

void serve_stop(const served *s) {
  kill(s->pid, SIGTERM);
  assert_int_equal(program_finish(s->pid), 0);
}

typedef struct pipe_end {
  const char *data;
  size_t left;
} pipe_end;

static size_t give(char *to, size_t size, size_t n, void *arg) {
  pipe_end *p = arg;
  size_t most = size * n < p->left ? size * n : p->left;
  memcpy(to, p->data, most);
  p->data += most;
  p->left -= most;
  return most;
}

got serve_ask(const served *s, const char *path, const char *body, size_t size, int chunked) {
  char url[256];
  got g = {0};
  size_t length;
  FILE *to = open_memstream(&g.text, &length);
  CURL *c = curl_easy_init();
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  if (chunked) headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
  headers = curl_slist_append(headers, "Expect:");
  pipe_end p = {body, size};
  snprintf(url, sizeof url, "http://127.0.0.1:%d%s", s->port, path);
  curl_easy_setopt(c, CURLOPT_URL, url);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(c, CURLOPT_TIMEOUT, 120L);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, to);
  if (body) curl_easy_setopt(c, CURLOPT_POST, 1L);
  if (body && chunked) {
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(c, CURLOPT_READDATA, &p);
  } else if (body) {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
  }
  curl_easy_perform(c);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &g.code);
  curl_easy_cleanup(c);
  curl_slist_free_all(headers);
  fclose(to);
  g.json = json_loads(g.text, JSON_ALLOW_NUL, NULL);
  return g;
}

got serve_post(const served *s, const char *body) {
  return serve_ask(s, "/v1/completions", body, strlen(body), 0);
}

void got_free(got *g) {
  json_decref(g->json);
  free(g->text);
  *g = (got){0};
}

const char *got_text(const got *g, size_t i) {
  return json_string_value(json_object_get(json_array_get(json_object_get(g->json, "choices"), i), "text"));
}

int serve_connect(const served *s, const char *bytes, size_t size) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
  assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
  return fd;
}
