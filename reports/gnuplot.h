/* Plots made by gnuplot: a script goes in, an <svg> element for a page comes
 * out. No shell, no files, no user settings. */
#ifndef TERN_REPORTS_GNUPLOT_H
#define TERN_REPORTS_GNUPLOT_H

#include <stddef.h>

/* `number` makes the element's ids unique on the page; title and description
 * (plain text) are what a screen reader says. Returns the element (free()), or
 * NULL with the reason in why. */
char *tern_gnuplot(const char *script, size_t size, int number, const char *title, const char *description, char *why,
                   size_t why_size);

#endif
