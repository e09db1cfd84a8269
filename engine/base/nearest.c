/* Levenshtein distance of short names, one row of the table at a time. */
#include "engine/base/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 64 };

static int least(int a, int b) {
  return a < b ? a : b;
}

int tern_name_distance(const char *a, const char *b) {
  int row[LONGEST + 1], width = (int)strnlen(b, LONGEST);
  for (int j = 0; j <= width; j++) row[j] = j;
  for (int i = 0; i < LONGEST && a[i]; i++) {
    int diagonal = row[0];
    row[0] = i + 1;
    for (int j = 1; j <= width; j++) {
      int change = diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j - 1]));
      diagonal = row[j];
      row[j] = least(change, 1 + least(row[j], row[j - 1]));
    }
  }
  return row[width];
}
