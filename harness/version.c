/* What this binary was made from; the build passes the values in. */
#include "harness/version.h"

#include <stddef.h>

#include <tern_revision.h> /* generated: TERN_REVISION, "" outside a checkout */

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

const char *tern_version(void) {
  return TERN_VERSION;
}

const char *tern_revision(void) {
  static const char revision[] = TERN_REVISION;
  return revision[0] ? revision : NULL;
}

const char *tern_compiler(void) {
  return COMPILER;
}

const char *tern_compile_flags(void) {
  return TERN_C_FLAGS;
}
