/* libmicrohttpd with a thread a connection: a handler may wait for the engine
 * as long as it takes. The socket is opened here, so that "address in use" is
 * said as it is and port 0 can be told. */
#include "service/http.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 128, CLOSING_MS = 5000, CLOSING_STEP_MS = 5, FIRST_ROOM = 4096 };
enum { LARGEST_AT_ONCE = 4 }; /* bodies underway hold as much as so many of the largest size */

struct tern_http {
  tern_http_params params;
  struct MHD_Daemon *daemon;
  int port;
  atomic_int underway;
  atomic_size_t held; /* bytes of bodies underway */
};

/* A request being read. */
typedef struct upload {
  char *data;
  size_t size, room, held;
  int refused; /* HTTP status; 0: not */
} upload;

static bool hung_up(void *peer) {
  struct pollfd p = {.fd = *(const int *)peer, .events = POLLRDHUP};
  return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static enum MHD_Result send_reply(struct MHD_Connection *c, tern_http_reply reply, bool close_after) {
  static const char nothing[] = "{}";
  if (!reply.body) reply.code = MHD_HTTP_INTERNAL_SERVER_ERROR;
  struct MHD_Response *r =
      reply.body ? MHD_create_response_from_buffer(strlen(reply.body), reply.body, MHD_RESPMEM_MUST_FREE)
                 : MHD_create_response_from_buffer(sizeof nothing - 1, (void *)(size_t)nothing, MHD_RESPMEM_PERSISTENT);
  if (!r) {
    free(reply.body);
    return MHD_NO;
  }
  MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
  if (reply.allow) MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, reply.allow);
  if (close_after) MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
  enum MHD_Result result = MHD_queue_response(c, (unsigned)reply.code, r);
  MHD_destroy_response(r);
  return result;
}

static enum MHD_Result refuse(const tern_http *h, struct MHD_Connection *c, int code) {
  const char *why = code == MHD_HTTP_CONTENT_TOO_LARGE     ? "the request's body is larger than allowed here"
                    : code == MHD_HTTP_SERVICE_UNAVAILABLE ? "too many large requests at once: try again later"
                                                           : "not enough memory for the request";
  return send_reply(c, h->params.refuse(code, why), true);
}

/* The first call: nothing of the body has been read, so that one announced as
 * too large need not be. */
static enum MHD_Result begin(tern_http *h, struct MHD_Connection *c, void **state) {
  const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  if (length && strtoull(length, NULL, 10) > h->params.most_body) return refuse(h, c, MHD_HTTP_CONTENT_TOO_LARGE);
  *state = calloc(1, sizeof(upload));
  if (*state) atomic_fetch_add(&h->underway, 1);
  return *state ? MHD_YES : MHD_NO;
}

/* Whether n more bytes of a body are to be kept: 0, or the status of the refusal. */
static int check_size(tern_http *h, upload *u, size_t n) {
  size_t most = h->params.most_body;
  if (u->size > most) return MHD_HTTP_CONTENT_TOO_LARGE;
  u->held += n;
  if (atomic_fetch_add(&h->held, n) + n > LARGEST_AT_ONCE * most) return MHD_HTTP_SERVICE_UNAVAILABLE;
  if (u->size < u->room) return 0;
  size_t room = 2 * u->size + FIRST_ROOM;
  char *more = realloc(u->data, room);
  if (!more) return MHD_HTTP_INTERNAL_SERVER_ERROR;
  u->data = more;
  u->room = room;
  return 0;
}

/* What is refused is read to its end, but not kept, and not for ever. */
static enum MHD_Result take(tern_http *h, upload *u, const char *data, size_t *size) {
  size_t n = *size;
  *size = 0;
  u->size += n;
  if (!u->refused) u->refused = check_size(h, u, n);
  if (u->refused) return u->size > 2 * h->params.most_body + FIRST_ROOM ? MHD_NO : MHD_YES;
  memcpy(u->data + u->size - n, data, n);
  return MHD_YES;
}

static enum MHD_Result answer(tern_http *h, struct MHD_Connection *c, const char *path, const char *method, upload *u) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
  int fd = info ? info->connect_fd : -1;
  if (u->refused) return refuse(h, c, u->refused);
  if (u->data) u->data[u->size] = 0;
  tern_http_request q = {.method = strcmp(method, "HEAD") == 0 ? "GET" : method,
                         .path = path,
                         .body = u->data ? u->data : "",
                         .size = u->size,
                         .gone = hung_up,
                         .peer = &fd};
  /* the silence of a client that waits is no idleness */
  MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
  tern_http_reply reply = h->params.handle(h->params.arg, &q);
  MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)h->params.idle_s);
  return send_reply(c, reply, false);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *data, size_t *size, void **state) {
  tern_http *h = arg;
  (void)version;
  if (!*state) return begin(h, c, state);
  if (*size > 0) return take(h, *state, data, size);
  return answer(h, c, path, method, *state);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code) {
  tern_http *h = arg;
  upload *u = *state;
  (void)c;
  (void)code;
  if (!u) return;
  atomic_fetch_sub(&h->held, u->held);
  free(u->data);
  free(u);
  *state = NULL;
  atomic_fetch_sub(&h->underway, 1);
}

static int listen_on(const struct addrinfo *a) {
  int yes = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
  close(fd);
  return -1;
}

static int port_of(int fd) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } at = {0};
  socklen_t size = sizeof at;
  if (getsockname(fd, &at.any, &size) != 0) return -1;
  return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

static int open_socket(const tern_http_params *p, int *fd, bool *v6, tern_error *e) {
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  struct addrinfo *list;
  char port[16];
  snprintf(port, sizeof port, "%d", p->port);
  int code = getaddrinfo(p->host, port, &hints, &list);
  if (code != 0) return tern_fail(e, TERN_FAILED, "--host %s: %s", p->host, gai_strerror(code));
  for (const struct addrinfo *a = list; a && *fd < 0; a = a->ai_next) {
    *fd = listen_on(a);
    *v6 = a->ai_family == AF_INET6;
  }
  if (*fd < 0) tern_fail_errno(e, "cannot listen on %s, port %d", p->host, p->port);
  freeaddrinfo(list);
  return *fd < 0 ? TERN_FAILED : TERN_OK;
}

int tern_http_open(tern_http **out, const tern_http_params *p, tern_error *e) {
  int fd = -1;
  bool v6 = false;
  *out = NULL;
  if (open_socket(p, &fd, &v6, e) != TERN_OK) return TERN_FAILED;
  tern_http *h = calloc(1, sizeof *h);
  unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_USE_POLL;
  if (h) {
    h->params = *p;
    h->port = port_of(fd);
    h->daemon =
        MHD_start_daemon(flags | (v6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)p->connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)p->idle_s, MHD_OPTION_END);
  }
  if (!h || !h->daemon) {
    close(fd);
    free(h);
    return tern_fail(e, TERN_FAILED, "the HTTP server does not start");
  }
  *out = h;
  return TERN_OK;
}

int tern_http_port(const tern_http *h) {
  return h->port;
}

void tern_http_quiesce(tern_http *h) {
  int fd = MHD_quiesce_daemon(h->daemon);
  if (fd != MHD_INVALID_SOCKET) close(fd);
}

void tern_http_close(tern_http *h) {
  if (!h) return;
  for (int ms = 0; atomic_load(&h->underway) > 0 && ms < CLOSING_MS; ms += CLOSING_STEP_MS)
    nanosleep(&(struct timespec){.tv_nsec = CLOSING_STEP_MS * 1000000}, NULL);
  MHD_stop_daemon(h->daemon);
  free(h);
}
