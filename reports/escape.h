/* Text from files made harmless. Broken UTF-8 and control characters become
 * '?', line ends blanks, in every form. */
#ifndef TERN_REPORTS_ESCAPE_H
#define TERN_REPORTS_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* For HTML text and quoted attributes. NULL writes nothing. */
void tern_escape_html(FILE *out, const char *text);
/* For Markdown text and table cells: every character that GFM may read as
 * markup gets a backslash. */
void tern_escape_markdown(FILE *out, const char *text);
/* For the terminal: ASCII only, others '?' (a dash for dashes). */
void tern_escape_ascii(FILE *out, const char *text);
/* For a label in a plot: printable ASCII without quotes, backslash, backquote,
 * dollar, braces, ampersand and the like; `out` of `size` is NUL-ended. */
void tern_escape_label(char *out, size_t size, const char *text);

#endif
