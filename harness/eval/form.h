/* How the content of a dataset file is made of what its publisher's address
 * gives: unpacked from an archive, rows taken out of other rows, shots taken out
 * of an lm-eval file. A form is data in the manifest; the result's SHA-256 says
 * whether it was right. */
#ifndef TERN_EVAL_FORM_H
#define TERN_EVAL_FORM_H

#include <jansson.h>

#include "engine/base/error.h"

/* Whether a manifest's form is one of ours; `where` begins the message. */
int tern_form_check(const json_t *form, const char *where, tern_error *e);

/* Makes `target` of the file `download` (NULL form: its bytes); packs what goes
 * into a name that ends in .gz, unless the download is gzip already and taken as
 * it is. At most `most` bytes of content. In place whole or not at all. */
int tern_form_apply(const json_t *form, const char *download, const char *target, long long most, tern_error *e);

#endif
