/* Names that a mistyped one may have meant. */
#ifndef TERN_BASE_NEAREST_H
#define TERN_BASE_NEAREST_H

/* Edits (insert, delete, change of a character; case counts not) from a to b. */
int tern_name_distance(const char *a, const char *b);

#endif
