/* ternmark tokenize: text to token ids and back, with the tokenizer of a GGUF
 * file, a tokenizer.json, a SentencePiece model, a tiktoken rank file or a
 * llama2.c vocabulary. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/base/file.h"
#include "engine/text/tokenizer.h"
#include "harness/command.h"

enum { TEXT_LIMIT = 1 << 30 };

typedef struct options {
  const char *model, *text, *file;
  bool json, decode, no_special, bos, ends;
} options;

enum { JSON = 0x100, DECODE, NO_SPECIAL, BOS, ENDS };

static const struct argp_option table[] = {
    {"prompt", 'p', "TEXT", 0, "the text (without -p or -f: standard input)", 0},
    {"file", 'f', "PATH", 0, "text from a file", 0},
    {"decode", DECODE, 0, 0, "the input is ids; print their text", 0},
    {"json", JSON, 0, 0, "print {\"ids\": [...], \"tokens\": N, \"bytes\": N}", 0},
    {"no-special", NO_SPECIAL, 0, 0, "take special tokens written in the text as plain text", 0},
    {"bos", BOS, 0, 0, "put the beginning-of-text token first", 0},
    {"add-special", ENDS, 0, 0, "put the tokens before and behind the text that the file's rules ask for", 0},
    {0},
};

static const char doc[] = "Turn text into token ids, or back."
                          "\vExamples:\n"
                          "  ternmark tokenize model.gguf -p \"Hello world\"\n"
                          "  ternmark tokenize tokenizer.model -f text.txt --json\n"
                          "  echo 9906 1917 | ternmark tokenize model.gguf --decode";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 'p':
    o->text = text;
    break;
  case 'f':
    o->file = text;
    break;
  case JSON:
    o->json = true;
    break;
  case DECODE:
    o->decode = true;
    break;
  case NO_SPECIAL:
    o->no_special = true;
    break;
  case BOS:
    o->bos = true;
    break;
  case ENDS:
    o->ends = true;
    break;
  case ARGP_KEY_ARG:
    if (state->arg_num > 0)
      argp_error(state, "one tokenizer at a time: \"%.80s\" is too much (text goes with -p)", text);
    o->model = text;
    break;
  case ARGP_KEY_END:
    if (o->model == NULL)
      argp_error(state, "which tokenizer? Give a GGUF, tokenizer.json, tokenizer.model, rank or tokenizer.bin file");
    if (o->text != NULL && o->file != NULL) argp_error(state, "--prompt and --file exclude each other");
    if (o->decode && (o->json || o->bos || o->ends))
      argp_error(state, "--decode prints text: --json, --bos and --add-special are for ids");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

static char *read_all(FILE *f, size_t *size, tern_error *e) {
  size_t capacity = 1 << 16, n = 0;
  char *text = malloc(capacity);
  while (text != NULL) {
    n += fread(text + n, 1, capacity - n - 1, f);
    if (n < capacity - 1) break;
    capacity *= 2;
    char *more = capacity > TEXT_LIMIT ? NULL : realloc(text, capacity);
    if (more == NULL) free(text);
    text = more;
  }
  if (text == NULL) {
    tern_fail(e, TERN_FAILED, "standard input: more than %d MB", TEXT_LIMIT >> 20);
  } else if (ferror(f)) {
    tern_fail_errno(e, "standard input: cannot read");
    free(text);
    text = NULL;
  }
  if (text != NULL) text[n] = 0;
  *size = n;
  return text;
}

static int put_ids(const tern_tokenizer *t, const options *o, const char *text, size_t size, tern_error *e) {
  int32_t *ids;
  size_t n;
  if (tern_tokenizer_encode(t, text, size, !o->no_special, &ids, &n, e) != TERN_OK) return TERN_FAILED;
  int32_t bos = o->bos || (o->ends && tern_tokenizer_adds_bos(t)) ? tern_tokenizer_bos(t) : -1;
  int32_t eos = o->ends && tern_tokenizer_adds_eos(t) ? tern_tokenizer_eos(t) : -1;
  json_t *list = json_array();
  if (bos >= 0) json_array_append_new(list, json_integer(bos));
  for (size_t i = 0; i < n; i++) json_array_append_new(list, json_integer(ids[i]));
  if (eos >= 0) json_array_append_new(list, json_integer(eos));
  n = json_array_size(list);
  if (o->json) {
    json_t *root = json_pack("{s:O, s:I, s:I}", "ids", list, "tokens", (json_int_t)n, "bytes", (json_int_t)size);
    json_dumpf(root, stdout, JSON_PRESERVE_ORDER);
    json_decref(root);
  } else {
    for (size_t i = 0; i < n; i++)
      printf(i > 0 ? " %lld" : "%lld", (long long)json_integer_value(json_array_get(list, i)));
  }
  putchar('\n');
  json_decref(list);
  free(ids);
  return TERN_OK;
}

static int put_text(const tern_tokenizer *t, const char *text, tern_error *e) {
  int32_t previous = -1;
  for (char *end;; text = end) {
    text += strspn(text, " \t\r\n,[]");
    if (*text == 0) return TERN_OK;
    errno = 0;
    long id = strtol(text, &end, 10);
    if (end == text) return tern_fail(e, TERN_FAILED, "\"%.20s\" is not a token id", text);
    if (errno != 0 || id < 0 || id >= tern_tokenizer_size(t))
      return tern_fail(e, TERN_FAILED, "token id %ld is outside the vocabulary of %d", id, tern_tokenizer_size(t));
    tern_gguf_string bytes = tern_tokenizer_bytes(t, previous, (int32_t)id);
    fwrite(bytes.data, 1, bytes.size, stdout);
    previous = (int32_t)id;
  }
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "TOKENIZER", .doc = doc};
  options o = {0};
  static char name[] = "ternmark tokenize"; /* how messages and usage call it */
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  tern_tokenizer *t;
  if (tern_tokenizer_open(&t, o.model, e) != TERN_OK) return TERN_FAILED;
  size_t size = o.text != NULL ? strlen(o.text) : 0;
  char *text = o.text != NULL   ? strdup(o.text)
               : o.file != NULL ? tern_file_read(o.file, TEXT_LIMIT, &size, e)
                                : read_all(stdin, &size, e);
  int status = text == NULL ? TERN_FAILED : TERN_OK;
  if (status == TERN_OK) status = o.decode ? put_text(t, text, e) : put_ids(t, &o, text, size, e);
  if (status == TERN_OK && (fflush(stdout) != 0 || ferror(stdout)))
    status = tern_fail_errno(e, "standard output: cannot write");
  free(text);
  tern_tokenizer_close(t);
  return status;
}

const tern_command tern_command_tokenize = {"tokenize", "text to token ids and back", run};
