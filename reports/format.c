/* Numbers as text. */
#include "reports/format.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

tern_text tern_format_number(double v) {
  tern_text t = {""};
  if (isnan(v)) return t;
  double size = fabs(v);
  int decimals = 0;
  if (size != 0 && size < 99.95) {
    /* The digits that the rounded value shows decide: 9.996 is 10.0. */
    int exponent = (int)floor(log10(size));
    if (size >= 9.995 * pow(10, exponent)) exponent++;
    decimals = 2 - exponent;
  }
  if (decimals > 9) decimals = 9;
  snprintf(t.text, sizeof t.text, "%.*f", decimals, v);
  return t;
}

tern_text tern_format_bytes(double v) {
  static const struct {
    double size;
    const char *unit;
  } units[] = {{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}};
  tern_text t = {""};
  if (isnan(v)) return t;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (v >= units[i].size * 0.9995) {
      snprintf(t.text, sizeof t.text, "%.40s %s", tern_format_number(v / units[i].size).text, units[i].unit);
      return t;
    }
  snprintf(t.text, sizeof t.text, "%.0f B", v);
  return t;
}

tern_text tern_format_interval(double median, double low, double high) {
  tern_text t = tern_format_number(median);
  if (!isnan(median) && isfinite(low) && isfinite(high))
    snprintf(t.text, sizeof t.text, "%.40s [%.40s, %.40s]", tern_format_number(median).text,
             tern_format_number(low).text, tern_format_number(high).text);
  return t;
}

tern_text tern_format_figure(const tern_figure *f, const char *unit) {
  tern_text t = {""};
  if (!f->present) return t;
  const char *gap = *unit ? " " : "";
  size_t n;
  if (f->median_low == f->median_high)
    n = (size_t)snprintf(t.text, sizeof t.text, "%.40s%s%.40s", tern_format_number(f->median_low).text, gap, unit);
  else
    n = (size_t)snprintf(t.text, sizeof t.text, "%.40s to %.40s%s%.40s", tern_format_number(f->median_low).text,
                         tern_format_number(f->median_high).text, gap, unit);
  if (!f->exact && isfinite(f->low) && isfinite(f->high))
    n += (size_t)snprintf(t.text + n, sizeof t.text - n, " [%.40s, %.40s]", tern_format_number(f->low).text,
                          tern_format_number(f->high).text);
  if (!f->exact) snprintf(t.text + n, sizeof t.text - n, " n=%d", f->n);
  return t;
}

tern_text tern_format_printed(const char *low, const char *high, const char *unit, const char *dash) {
  tern_text t;
  const char *gap = *unit ? " " : "";
  if (!*low)
    snprintf(t.text, sizeof t.text, "up to %.40s%s%.40s", high, gap, unit);
  else if (strcmp(low, high) == 0 || !*high)
    snprintf(t.text, sizeof t.text, "%.40s%s%.40s", low, gap, unit);
  else
    snprintf(t.text, sizeof t.text, "%.40s%s%.40s%s%.40s", low, dash, high, gap, unit);
  return t;
}

void tern_report_without_folders(const char *command, char *text, size_t size) {
  size_t n = 0;
  for (const char *s = command; *s && n + 1 < size;) {
    bool begins = s == command || isspace((unsigned char)s[-1]) || strchr("='\":", s[-1]);
    if (begins && (*s == '/' || *s == '~')) {
      size_t word = strcspn(s, " \t\n'\";"), last = word;
      while (last > 0 && s[last - 1] != '/') last--;
      if (last == word && word > 1) last = 0; /* "/tmp/": nothing would be left */
      s += last;
      if (last == 0) text[n++] = *s++;
      continue;
    }
    text[n++] = *s++;
  }
  text[n] = '\0';
}
