/* ISO 8601 (2026-05-01T12:00:00.25+02:00, blank for T, comma for the point, zone
 * Z or +hh, +hhmm, +hh:mm or none) and plain numbers, whose size tells their
 * unit: nobody logs before 1973 or after 5138. */
#include "harness/meter_time.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool parse_number(const char *text, double *seconds, tern_time_kind *kind) {
  char *end;
  double value = strtod(text, &end);
  while (isspace((unsigned char)*end)) end++;
  if (end == text || *end || !isfinite(value) || value < 0) return false;
  *kind = value < 1e8 ? TERN_TIME_RELATIVE : TERN_TIME_ABSOLUTE;
  *seconds = value < 1e11 ? value : value < 1e14 ? value * 1e-3 : value < 1e17 ? value * 1e-6 : value * 1e-9;
  return true;
}

/* "", "Z", "+02", "+0200", "+02:00"; false: none of them. */
static bool parse_zone(const char *text, double *offset, bool *given) {
  while (*text == ' ') text++;
  *given = *text != '\0';
  *offset = 0;
  if (!*given || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0 || strcmp(text, "UTC") == 0) return true;
  int hours = 0, minutes = 0, used = 0;
  if (*text != '+' && *text != '-') return false;
  if (sscanf(text + 1, "%2d%n", &hours, &used) != 1 || used != 2) return false;
  const char *rest = text + 3 + (text[3] == ':');
  if (*rest && (sscanf(rest, "%2d%n", &minutes, &used) != 1 || used != 2 || rest[2])) return false;
  if (hours > 15 || minutes > 59) return false;
  *offset = (*text == '-' ? -1 : 1) * (hours * 3600.0 + minutes * 60.0);
  return true;
}

static bool parse_iso(const char *text, double *seconds, tern_time_kind *kind) {
  struct tm t = {.tm_isdst = -1};
  int used = 0;
  if (sscanf(text, "%4d-%2d-%2d%*1[T t]%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
             &t.tm_sec, &used) != 6)
    return false;
  if (t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 || t.tm_mday > 31 || t.tm_hour > 24 || t.tm_min > 59 ||
      t.tm_sec > 60 || t.tm_hour < 0 || t.tm_min < 0 || t.tm_sec < 0)
    return false;
  t.tm_year -= 1900;
  t.tm_mon -= 1;
  text += used;
  double fraction = 0, place = 0.1, offset;
  if (*text == '.' || *text == ',')
    for (text++; isdigit((unsigned char)*text); text++, place *= 0.1) fraction += (*text - '0') * place;
  bool zone;
  if (!parse_zone(text, &offset, &zone)) return false;
  *kind = zone ? TERN_TIME_ABSOLUTE : TERN_TIME_LOCAL;
  *seconds = (double)(zone ? timegm(&t) : mktime(&t)) + fraction - offset;
  return true;
}

bool tern_time_parse(const char *text, double *seconds, tern_time_kind *kind) {
  while (isspace((unsigned char)*text)) text++;
  return parse_iso(text, seconds, kind) || parse_number(text, seconds, kind);
}

void tern_time_zone(double seconds, char *out, int size) {
  int minutes = (int)lround(fabs(seconds) / 60);
  snprintf(out, (size_t)size, "%c%02d:%02d", seconds < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
}
