/* Power logs: separator and columns come from the first line. Without names the
 * first column is the time and the second the watts. */
#include "harness/meter_csv_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FIELDS = 64, CHUNK = 1 << 16, MOST_LINE = 4096 };

/* Cuts a line into fields in place: quotes taken off, blanks trimmed. */
static int split(char *line, char separator, char **fields) {
  int n = 0;
  for (char *at = line; n < MOST_FIELDS;) {
    while (*at == ' ' || (*at == '\t' && separator != '\t')) at++;
    bool quoted = *at == '"';
    char *begin = at += quoted;
    if (quoted) at += strcspn(at, "\"");
    char *end = at + (quoted ? 0 : strcspn(at, (char[]){separator, '\0'}));
    at = end + strcspn(end, (char[]){separator, '\0'});
    bool more = *at != '\0';
    while (!quoted && end > begin && isspace((unsigned char)end[-1])) end--;
    if (more) at++;
    *end = '\0';
    fields[n++] = begin;
    if (!more) break;
  }
  return n;
}

static char separator_of(const char *line) {
  static const char candidates[] = {';', '\t', ',', ' '};
  for (size_t i = 0; i < sizeof candidates; i++)
    if (strchr(line, candidates[i])) return candidates[i];
  return ',';
}

static bool holds(const char *name, const char *const *words) {
  for (; *words; words++)
    if (strcasestr(name, *words)) return true;
  return false;
}

/* A number, with an ending unit allowed; a comma is a point where it does not separate. */
static bool parse_watts(const tern_csv *c, char *field, double *watts) {
  char *end, *comma = c->separator == ',' ? NULL : strchr(field, ',');
  if (comma) *comma = '.';
  *watts = strtod(field, &end) * c->scale;
  if (end == field || !isfinite(*watts)) return false;
  while (isspace((unsigned char)*end)) end++;
  return !*end || strcasecmp(end, "W") == 0 || strcasecmp(end, "watt") == 0 || strcasecmp(end, "watts") == 0;
}

static bool parse_time(const tern_csv *c, char **fields, double *t, tern_time_kind *kind) {
  char whole[128];
  if (c->date_column < 0) return tern_time_parse(fields[c->time_column], t, kind);
  snprintf(whole, sizeof whole, "%.60s %.60s", fields[c->date_column], fields[c->time_column]);
  return tern_time_parse(whole, t, kind);
}

/* Columns by their names; false with the reason. */
static bool read_header(tern_csv *c, char **fields, int n, char *why, size_t size) {
  static const char *const times[] = {"time", "date", "stamp", NULL},
                           *const units[] = {"watt", "power", "(w", "[w", NULL},
                           *const milli[] = {"mw", "milliw", NULL}, *const kilo[] = {"kw", "kilow", NULL},
                           *const others[] = {"factor", "reactive", "apparent", "wh", "hour", "limit", NULL};
  int date = -1;
  c->time_column = c->watts_column = -1;
  for (int i = 0; i < n; i++) {
    if (strcasecmp(fields[i], "date") == 0) date = i;
    bool time = strcasecmp(fields[i], "t") == 0 || strcasecmp(fields[i], "ts") == 0 || holds(fields[i], times);
    if (time && (c->time_column < 0 || c->time_column == date)) c->time_column = i;
    bool watts =
        strcasecmp(fields[i], "w") == 0 || holds(fields[i], units) || holds(fields[i], milli) || holds(fields[i], kilo);
    if (!time && watts && !holds(fields[i], others) && c->watts_column < 0) {
      c->watts_column = i;
      c->scale = holds(fields[i], milli) ? 1e-3 : holds(fields[i], kilo) ? 1e3 : 1;
    }
  }
  c->date_column = date == c->time_column ? -1 : date;
  if (c->time_column >= 0 && c->watts_column >= 0) return true;
  snprintf(why, size, "%s: the first line names no column of %s", c->path, c->time_column < 0 ? "time" : "watts");
  return false;
}

/* Learns the form from the first line; header: it holds names, no values. */
static bool learn(tern_csv *c, const char *line, bool *header, char *why, size_t size) {
  char copy[MOST_LINE], *fields[MOST_FIELDS];
  double t, watts;
  tern_time_kind kind;
  c->separator = separator_of(line);
  c->scale = 1;
  c->date_column = -1;
  c->time_column = 0;
  c->watts_column = 1;
  snprintf(copy, sizeof copy, "%s", line);
  int n = split(copy, c->separator, fields);
  *header = false;
  c->known = true;
  if (n >= 2 && parse_time(c, fields, &t, &kind) && parse_watts(c, fields[1], &watts)) return true;
  *header = true;
  c->known = read_header(c, fields, n, why, size);
  return c->known;
}

static void note_disorder(tern_csv *c, double t) {
  c->falls++;
  if (!c->disorder_row) {
    c->disorder_row = c->line;
    c->disorder_from = t;
    c->disorder_to = c->newest;
  }
  c->disorder_from = fmin(c->disorder_from, t);
  c->disorder_to = fmax(c->disorder_to, c->newest);
}

static bool take_line(tern_csv *c, char *line, char *why, size_t size) {
  char *fields[MOST_FIELDS];
  double t, watts;
  tern_time_kind kind;
  bool header;
  c->line++;
  line[strcspn(line, "\r\n")] = '\0';
  if (strncmp(line, "\xef\xbb\xbf", 3) == 0) line += 3;
  if (line[strspn(line, " \t")] == '\0' || *line == '#') return true;
  if (!c->known) {
    if (!learn(c, line, &header, why, size)) return false;
    if (header) return true;
  }
  int n = split(line, c->separator, fields);
  bool whole = n > c->time_column && n > c->watts_column && n > c->date_column;
  if (!whole || !parse_time(c, fields, &t, &kind) || !parse_watts(c, fields[c->watts_column], &watts)) {
    c->bad++;
    return true;
  }
  c->kind = kind;
  if (c->rows > 0 && t > c->newest) c->rises++;
  if (c->rows > 0 && t < c->newest) note_disorder(c, t);
  c->newest = t;
  c->rows++;
  if (tern_series_add(&c->series, t, watts)) return true;
  snprintf(why, size, "%s: too many rows for the memory", c->path);
  return false;
}

static int by_time(const void *a, const void *b) {
  double x = ((const tern_point *)a)->t, y = ((const tern_point *)b)->t;
  return (x > y) - (x < y);
}

static void put_in_order(tern_csv *c) {
  c->reversed = c->falls > 0 && c->rises == 0;
  if (c->reversed) c->disorder_row = 0;
  if (c->falls) qsort(c->series.points, c->series.count, sizeof *c->series.points, by_time);
}

static void forget(tern_csv *c) {
  char path[sizeof c->path];
  tern_series kept = c->series;
  memcpy(path, c->path, sizeof path);
  *c = (tern_csv){.series = kept};
  c->series.count = 0;
  memcpy(c->path, path, sizeof path);
}

/* Takes the whole lines of text[0, length); bytes of them, -1 on an error. */
static int64_t take_lines(tern_csv *c, char *text, size_t length, char *why, size_t size) {
  size_t begin = 0;
  for (char *end; begin < length && (end = memchr(text + begin, '\n', length - begin));) {
    *end = '\0';
    if (!take_line(c, text + begin, why, size)) return -1;
    begin = (size_t)(end - text) + 1;
  }
  if (begin > 0 || length < MOST_LINE) return (int64_t)begin;
  snprintf(why, size, "%s: line %zu is longer than %d bytes", c->path, c->line + 1, (int)MOST_LINE);
  return -1;
}

bool tern_csv_load(tern_csv *c, char *why, size_t size) {
  bool good = false;
  char *text = NULL;
  int file = open(c->path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (file < 0 || fstat(file, &st) != 0) {
    snprintf(why, size, "%s: %s", c->path, strerror(errno));
    goto out;
  }
  if (st.st_size < c->offset || (c->inode && st.st_ino != c->inode) || c->reversed) forget(c);
  c->inode = st.st_ino;
  text = malloc(CHUNK);
  if (!text) {
    snprintf(why, size, "%s: out of memory", c->path);
    goto out;
  }
  for (int64_t used = 1; used > 0; c->offset += used) {
    ssize_t got = pread(file, text, CHUNK, c->offset);
    if (got < 0) snprintf(why, size, "%s: %s", c->path, strerror(errno));
    used = got < 0 ? -1 : take_lines(c, text, (size_t)got, why, size);
    if (used < 0) goto out;
  }
  put_in_order(c);
  good = true;
out:
  free(text);
  if (file >= 0) close(file);
  return good;
}

void tern_csv_free(tern_csv *c) {
  tern_series_free(&c->series);
}
