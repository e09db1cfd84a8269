/* The trained story models of ../shared as GGUF files with their vocabulary. */
#ifndef TERN_TESTS_STORIES_H
#define TERN_TESTS_STORIES_H

/* A file of ../shared/data (TERN_SHARED), NULL when it is not there. The string
 * stands for the next three calls. */
const char *stories_shared(const char *name);
/* Converts "models/stories260K.bin" or "models/bitllama2c_3M.bin" to the path
 * given; 0, or nonzero with a message on stderr. */
int stories_convert(const char *checkpoint, const char *path);

#endif
