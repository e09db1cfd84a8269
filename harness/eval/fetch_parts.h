/* One file of an entry, and what a repository says that it has. */
#ifndef TERN_EVAL_FETCH_PARTS_H
#define TERN_EVAL_FETCH_PARTS_H

#include "harness/eval/fetch.h"

/* `source`: the file to take it from, NULL: searched in o->from, or the address. */
int tern_fetch_file(tern_fetched *out, const tern_catalog_entry *t, const tern_catalog_file *f, const char *source,
                    const tern_fetch_options *o, const char *token, tern_error *e);
/* Removes the downloads that several files of an entry are made of. */
void tern_fetch_tidy(const tern_catalog_entry *t, const tern_fetch_options *o);

/* The files of a repository that the entry takes, all texts in *root. */
typedef struct tern_listing {
  tern_catalog_file *files;
  size_t count;
  json_t *root, *texts;
} tern_listing;
int tern_listing_read(tern_listing *out, const tern_catalog_entry *t, const tern_fetch_options *o, const char *token,
                      tern_error *e);
void tern_listing_close(tern_listing *l);

/* The user's Hugging Face token as huggingface_hub finds it: HF_TOKEN, the file
 * HF_TOKEN_PATH, HF_HOME/token, ~/.cache/huggingface/token. "" none. */
enum { TERN_TOKEN_ROOM = 8192 };
int tern_fetch_token(char *token, size_t size, tern_error *e);

/* Gets the file's address into ROOT/.fetch/STEM.part, going on with what lies
 * there; `whole` takes the name that it has when it is complete. *resumed: not all
 * of it came just now. */
int tern_fetch_download(char *whole, size_t room, const char *stem, const tern_catalog_entry *t,
                        const tern_catalog_file *f, const tern_fetch_options *o, const char *token, bool *resumed,
                        tern_error *e);
/* A name for what comes from an address: 16 hex digits and its last part. */
void tern_fetch_stem(char *stem, size_t size, const char *address);

#endif
