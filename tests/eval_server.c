/* Sockets and threads; requests are read until their empty line. */
#include "tests/eval_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAGES = 32, REQUEST = 8192, PIECE = 4096 };

typedef struct place {
  server_page page;
  server_seen seen;
  size_t sent;
  int answered;
} place;

struct eval_server {
  int listening, port, connections;
  bool stopping;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  place places[PAGES];
  int count;
};

typedef struct connection {
  eval_server *server;
  int fd;
} connection;

static place *find(eval_server *s, const char *path) {
  for (int i = 0; i < s->count; i++)
    if (strcmp(s->places[i].page.path, path) == 0) return &s->places[i];
  return NULL;
}

static void header(const char *request, const char *name, char *value, size_t size) {
  size_t n = strlen(name);
  value[0] = '\0';
  for (const char *line = strstr(request, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, name, n) != 0 || line[n] != ':') continue;
    const char *v = line + n + 1 + strspn(line + n + 1, " ");
    size_t length = strcspn(v, "\r");
    snprintf(value, size, "%.*s", (int)length, v);
    return;
  }
}

static bool read_request(int fd, char *request) {
  size_t n = 0;
  while (n < REQUEST - 1) {
    ssize_t got = read(fd, request + n, REQUEST - 1 - n);
    if (got <= 0) return false;
    n += (size_t)got;
    request[n] = '\0';
    if (strstr(request, "\r\n\r\n") != NULL) return true;
  }
  return false;
}

static bool send_all(int fd, const void *bytes, size_t n) {
  for (const char *b = bytes; n > 0;) {
    ssize_t put = send(fd, b, n, MSG_NOSIGNAL);
    if (put <= 0) return false;
    b += put;
    n -= (size_t)put;
  }
  return true;
}

static bool wait_for_stop(eval_server *s) {
  pthread_mutex_lock(&s->lock);
  while (!s->stopping) pthread_cond_wait(&s->changed, &s->lock);
  pthread_mutex_unlock(&s->lock);
  return false;
}

/* The body from `from` on, with the page's cut and stall; `answer` counts from 0. */
static void send_body(eval_server *s, int fd, const server_page *p, size_t from, int answer) {
  size_t end = p->cut_at > 0 && answer == 0 && p->cut_at < p->size ? p->cut_at : p->size;
  bool stalls = p->stall_at > 0 && p->stall_at < end;
  if (stalls) end = p->stall_at;
  for (size_t at = from; at < end;) {
    size_t n = end - at < PIECE ? end - at : PIECE;
    if (!send_all(fd, (const char *)p->body + at, n)) return;
    at += n;
    pthread_mutex_lock(&s->lock);
    place *where = find(s, p->path);
    if (where != NULL) where->sent += n;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
  }
  if (stalls) wait_for_stop(s);
}

static void send_head(int fd, const server_page *p, int status, size_t from, size_t length) {
  char head[1024], range[96] = "", size[64] = "";
  if (status == 206) snprintf(range, sizeof range, "Content-Range: bytes %zu-%zu/%zu\r\n", from, p->size - 1, p->size);
  if (status == 416) snprintf(range, sizeof range, "Content-Range: bytes */%zu\r\n", p->size);
  if (!p->no_length) snprintf(size, sizeof size, "Content-Length: %zu\r\n", length);
  int n = snprintf(head, sizeof head,
                   "HTTP/1.1 %d x\r\nConnection: close\r\nContent-Type: %s\r\n%s%s%s%s%s%s%s%s%s\r\n", status,
                   p->type != NULL ? p->type : "application/octet-stream", size, range, p->etag != NULL ? "ETag: " : "",
                   p->etag != NULL ? p->etag : "", p->etag != NULL ? "\r\n" : "", status == 302 ? "Location: " : "",
                   status == 302 ? p->location : "", status == 302 ? "\r\n" : "", p->extra != NULL ? p->extra : "");
  send_all(fd, head, (size_t)n);
}

/* What the page says to this request. */
static int choose(const server_page *p, const server_seen *seen, int answer, size_t *from) {
  char bearer[128] = "";
  *from = 0;
  if (answer < p->fail_first) return p->fail_status;
  if (answer > 0 && p->later_status != 0) return p->later_status;
  if (p->token != NULL) snprintf(bearer, sizeof bearer, "Bearer %s", p->token);
  if (strcmp(bearer, seen->authorization) != 0 && p->token != NULL) return 401;
  if (p->location != NULL) return 302;
  if (p->status != 0) return p->status;
  bool changed = seen->if_range[0] != '\0' && (p->etag == NULL || strcmp(seen->if_range, p->etag) != 0);
  if (seen->range[0] == '\0' || p->no_ranges || changed) return 200;
  *from = strtoul(seen->range + strlen("bytes="), NULL, 10) + (p->wrong_range ? 10 : 0);
  return *from < p->size ? 206 : 416;
}

static void answer(eval_server *s, int fd, const char *request) {
  static const server_page nothing = {.path = "", .status = 404};
  char path[512];
  server_seen seen = {0};
  size_t from = 0;
  if (sscanf(request, "%*s %511s", path) != 1) return;
  header(request, "Range", seen.range, sizeof seen.range);
  header(request, "If-Range", seen.if_range, sizeof seen.if_range);
  header(request, "Authorization", seen.authorization, sizeof seen.authorization);
  header(request, "Host", seen.host, sizeof seen.host);
  pthread_mutex_lock(&s->lock);
  place *where = find(s, path);
  server_page page = where != NULL ? where->page : nothing;
  int turn = 0;
  if (where != NULL) {
    turn = where->answered++;
    seen.requests = where->seen.requests + 1;
    where->seen = seen;
  }
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
  int status = choose(&page, &seen, turn, &from);
  bool body = status == 200 || status == 206;
  send_head(fd, &page, status, from, body ? page.size - from : 0);
  if (body) send_body(s, fd, &page, from, turn);
}

static void *serve_one(void *state) {
  connection *c = state;
  eval_server *s = c->server;
  char request[REQUEST];
  if (read_request(c->fd, request)) answer(s, c->fd, request);
  close(c->fd);
  free(c);
  pthread_mutex_lock(&s->lock);
  s->connections--;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

static void *serve(void *state) {
  eval_server *s = state;
  for (int fd; (fd = accept(s->listening, NULL, NULL)) >= 0;) {
    pthread_t thread;
    connection *c = malloc(sizeof *c);
    *c = (connection){s, fd};
    pthread_mutex_lock(&s->lock);
    s->connections++;
    pthread_mutex_unlock(&s->lock);
    if (pthread_create(&thread, NULL, serve_one, c) != 0) exit(99);
    pthread_detach(thread);
  }
  return NULL;
}

eval_server *eval_server_start(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  eval_server *s = calloc(1, sizeof *s);
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->changed, NULL);
  s->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (s->listening < 0 || bind(s->listening, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(s->listening, 16) != 0 || getsockname(s->listening, (struct sockaddr *)&address, &size) != 0 ||
      pthread_create(&s->thread, NULL, serve, s) != 0) {
    perror("test server");
    exit(99);
  }
  s->port = ntohs(address.sin_port);
  return s;
}

int eval_server_port(const eval_server *s) {
  return s->port;
}

void eval_server_put(eval_server *s, const server_page *page) {
  pthread_mutex_lock(&s->lock);
  place *where = find(s, page->path);
  if (where == NULL) where = &s->places[s->count++];
  if (s->count > PAGES) exit(99);
  *where = (place){.page = *page};
  pthread_mutex_unlock(&s->lock);
}

server_seen eval_server_seen(eval_server *s, const char *path) {
  pthread_mutex_lock(&s->lock);
  place *where = find(s, path);
  server_seen seen = where != NULL ? where->seen : (server_seen){0};
  pthread_mutex_unlock(&s->lock);
  return seen;
}

void eval_server_wait(eval_server *s, const char *path, size_t bytes) {
  pthread_mutex_lock(&s->lock);
  while (find(s, path) == NULL || find(s, path)->sent < bytes) pthread_cond_wait(&s->changed, &s->lock);
  pthread_mutex_unlock(&s->lock);
}

void eval_server_stop(eval_server *s) {
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  pthread_cond_broadcast(&s->changed);
  while (s->connections > 0) pthread_cond_wait(&s->changed, &s->lock);
  pthread_mutex_unlock(&s->lock);
  shutdown(s->listening, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->listening);
  free(s);
}
