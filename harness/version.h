/* What this binary was made from. */
#ifndef TERN_HARNESS_VERSION_H
#define TERN_HARNESS_VERSION_H

/* "0.1.0" */
const char *tern_version(void);
/* Commit built from, "-dirty" appended; NULL outside a checkout. */
const char *tern_revision(void);
/* "gcc 12.2.0" or "clang 14.0.6" */
const char *tern_compiler(void);
/* Common compile flags; kernels add their instruction set's. */
const char *tern_compile_flags(void);

#endif
