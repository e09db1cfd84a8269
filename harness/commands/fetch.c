/* ternmark fetch: data that evals need and model files, from where their
 * publishers have them or out of a folder of the user's. */
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "harness/command.h"
#include "harness/eval/data_root.h"
#include "harness/eval/fetch.h"
#include "harness/eval/fetch_held.h"

typedef struct options {
  const char **names, *data, *manifest;
  int name_count;
  bool list, json;
  tern_fetch_options fetch;
} options;

enum { FROM = 0x100, DATA, LIST, JSON, MANIFEST, CHECK, TIMEOUT, TRIES };
enum { LONGEST_S = 3600, MOST_TRIES = 100 };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "What", 1},
    {"list", LIST, 0, 0, "print what there is and which of it is here, fetch nothing", 0},
    {"manifest", MANIFEST, "FILE", 0, "another list than datasets/manifest.json", 0},
    {0, 0, 0, 0, "Where", 2},
    {"data", DATA, "DIR", 0, "the folder to fill (default: $TERN_DATA, else ~/.cache/ternmark/data)", 0},
    {"from", FROM, "DIR", 0,
     "take files from this folder instead of the network: the same layout, downloads under their own names, an lm-eval "
     "installation, or a model's folder",
     0},
    {0, 0, 0, 0, "How", 3},
    {"check", CHECK, 0, 0, "hash again what is there, even when it looks untouched", 0},
    {"timeout", TIMEOUT, "SECONDS", 0, "without a byte before a connection is given up (60)", 0},
    {"tries", TRIES, "N", 0, "in a row that bring nothing (5)", 0},
    {"json", JSON, 0, 0, "print JSON", 0},
    {0},
};

static const char doc[] =
    "Fetch datasets and models. NAME is an entry of the list, 'all' stands for everything that is no model, 'models' "
    "for all models. What is there and right is left as it is.\v"
    "Interrupted, the same command goes on where it ended. Proxies are taken from http_proxy, https_proxy and "
    "no_proxy; "
    "a token for gated repositories from HF_TOKEN or ~/.cache/huggingface/token.\n\n"
    "Examples:\n"
    "  ternmark fetch --list\n"
    "  ternmark fetch gsm8k arc_challenge\n"
    "  ternmark fetch all --from ../shared/data\n"
    "  ternmark fetch bitnet-2b4t-gguf --data /big/disk\n\n"
    "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

static int number(const struct argp_state *state, const char *name, const char *text, long most) {
  char *end;
  long v = strtol(text, &end, 10);
  if (end == text || *end != '\0' || v < 1 || v > most)
    argp_error(state, "--%s: '%s' is not in 1..%ld", name, text, most);
  return (int)v;
}

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case FROM:
    o->fetch.from = text;
    break;
  case DATA:
    o->data = text;
    break;
  case MANIFEST:
    o->manifest = text;
    break;
  case LIST:
    o->list = true;
    break;
  case JSON:
    o->json = true;
    break;
  case CHECK:
    o->fetch.check = true;
    break;
  case TIMEOUT:
    o->fetch.stall_s = number(state, "timeout", text, LONGEST_S);
    break;
  case TRIES:
    o->fetch.tries = number(state, "tries", text, MOST_TRIES);
    break;
  case ARGP_KEY_ARG:
    o->names[o->name_count++] = text; /* as many as arguments at most */
    break;
  case ARGP_KEY_END:
    if (o->name_count == 0 && !o->list) argp_error(state, "what to fetch? names, or 'all'; --list prints them");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

static const char *const states[] = {[TERN_FETCH_THERE] = "there",
                                     [TERN_FETCH_FETCHED] = "fetched",
                                     [TERN_FETCH_TAKEN] = "taken",
                                     [TERN_FETCH_MISSING] = "missing"};

/* Files as they are done. */
typedef struct report {
  const options *o;
  json_t *rows; /* with --json */
  int done;     /* files that are where they belong */
} report;

static void told(void *state, const tern_fetched *f) {
  report *r = state;
  bool missing = f->state == TERN_FETCH_MISSING;
  r->done += !missing;
  if (r->rows != NULL) {
    json_t *row = json_pack("{s:s, s:s, s:s}", "name", f->entry->name, "file", f->file, "state", states[f->state]);
    json_object_set_new(row, "size", missing ? json_null() : json_integer(f->size));
    json_object_set_new(row, "sha256", missing ? json_null() : json_string(f->sha256));
    json_object_set_new(row, "rows", f->rows < 0 ? json_null() : json_integer(f->rows));
    json_object_set_new(row, "verified", json_boolean(f->verified));
    json_array_append_new(r->rows, row);
    return;
  }
  printf("%-8s %s", states[f->state], f->file);
  if (missing)
    printf(r->o->fetch.from != NULL ? "  (not in %s)" : "  (no address has it: take it from a folder with --from)",
           r->o->fetch.from);
  if (!missing) printf("  %lld bytes", f->size);
  if (!missing && f->rows >= 0) printf(", %lld rows", f->rows);
  if (!missing && !f->verified)
    printf(f->first_use ? ", no known SHA-256: %s is held from now on" : ", as at its first use (SHA-256 %.16s)",
           f->sha256);
  putchar('\n');
  fflush(stdout);
}

static bool is_meant(const tern_catalog_entry *t, const char *name) {
  bool model = strcmp(t->kind, "model") == 0;
  if (strcmp(name, "all") == 0) return !model;
  if (strcmp(name, "models") == 0) return model;
  return strcmp(t->name, name) == 0;
}

static int check_names(const options *o, const tern_catalog *m, tern_error *e) {
  for (int i = 0; i < o->name_count; i++) {
    const char *name = o->names[i], *nearest;
    if (strcmp(name, "all") == 0 || strcmp(name, "models") == 0) continue;
    if (tern_catalog_find(m, name, &nearest) != NULL) continue;
    if (nearest != NULL)
      return tern_fail(e, TERN_USAGE, "nothing is called '%.40s'; did you mean '%s'?", name, nearest);
    return tern_fail(e, TERN_USAGE, "nothing is called '%.40s'; --list prints what there is", name);
  }
  return TERN_OK;
}

/* A failed entry does not keep the others from coming: it is told at once, and
 * the exit code says so. */
static int fetch_all(const options *o, const tern_catalog *m, report *r, tern_error *e) {
  int status = TERN_OK;
  for (size_t i = 0; i < m->count && status != TERN_INTERRUPTED; i++) {
    bool meant = false, named = false;
    tern_error why = {0};
    for (int k = 0; k < o->name_count; k++) {
      meant = meant || is_meant(&m->entries[i], o->names[k]);
      named = named || strcmp(m->entries[i].name, o->names[k]) == 0;
    }
    if (!meant) continue;
    int before = r->done;
    int got = tern_fetch(&m->entries[i], &o->fetch, told, r, &why);
    if (got == TERN_OK && named && r->done == before)
      got = tern_fail(&why, TERN_FAILED, "%s has none of its files",
                      o->fetch.from != NULL ? o->fetch.from : "no address");
    if (got == TERN_OK) continue;
    if (status == TERN_OK || got == TERN_INTERRUPTED)
      tern_fail(e, why.status, "%s: %s", m->entries[i].name, why.text);
    else
      fprintf(stderr, "ternmark fetch: %s: %s\n", m->entries[i].name, why.text);
    status = got;
  }
  if (status == TERN_OK && r->done == 0)
    status = tern_fail(e, TERN_FAILED, "%s has nothing of it", o->fetch.from != NULL ? o->fetch.from : "no address");
  return status;
}

/* Whether files are in the data folder, without a look inside. */
static const char *presence(const options *o, const tern_catalog_entry *t) {
  tern_held now;
  size_t here = 0;
  if (t->repository != NULL) return tern_held_look(&now, o->fetch.root, t->folder) ? "here" : "-";
  for (size_t i = 0; i < t->file_count; i++) here += tern_held_look(&now, o->fetch.root, t->files[i].file);
  return here == t->file_count ? "here" : here > 0 ? "partly" : "-";
}

static const char *assurance(const tern_catalog_entry *t) {
  const char *least = t->repository != NULL ? "first use" : "SHA-256";
  for (size_t i = 0; i < t->file_count; i++) {
    if (t->files[i].hearsay) least = "published";
    if (t->files[i].sha256 == NULL) return t->files[i].git_id != NULL ? "git id" : "first use";
  }
  return least;
}

static json_t *file_row(const tern_catalog_file *f) {
  json_t *row = json_pack("{s:s, s:s?, s:s?, s:s?}", "file", f->file, "address", f->address, "sha256", f->sha256,
                          "note", f->note);
  json_object_set_new(row, "size", f->size < 0 ? json_null() : json_integer(f->size));
  json_object_set_new(row, "rows", f->rows < 0 ? json_null() : json_integer(f->rows));
  return row;
}

static void list_json(const options *o, const tern_catalog *m) {
  json_t *rows = json_array();
  for (size_t i = 0; i < m->count; i++) {
    const tern_catalog_entry *t = &m->entries[i];
    json_t *files = json_array();
    for (size_t k = 0; k < t->file_count; k++) json_array_append_new(files, file_row(&t->files[k]));
    json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:b, s:s, s:s?, s:o}", "name", t->name,
                                          "kind", t->kind, "what", t->what, "licence", t->licence, "citation",
                                          t->citation, "home", t->home, "gated", t->gated, "state", presence(o, t),
                                          "repository", t->repository, "files", files));
  }
  json_dumpf(rows, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(rows);
}

static void list_text(const options *o, const tern_catalog *m) {
  printf("%-22s %-9s %-6s %8s %-9s %s\n", "name", "kind", "state", "MB", "checked", "what (licence)");
  for (size_t i = 0; i < m->count; i++) {
    const tern_catalog_entry *t = &m->entries[i];
    char size[32] = "";
    long long bytes = 0;
    for (size_t k = 0; k < t->file_count; k++) bytes += t->files[k].size > 0 ? t->files[k].size : 0;
    if (bytes > 0) snprintf(size, sizeof size, "%.2f", (double)bytes * 1e-6);
    printf("%-22s %-9s %-6s %8s %-9s %s (%s)%s\n", t->name, t->kind, presence(o, t), size, assurance(t), t->what,
           t->licence, t->gated ? ", gated" : "");
  }
  printf("\nData folder: %s\nchecked: by a SHA-256 computed here; by one published, or git's id, without one of our "
         "own; by 'first use': the "
         "SHA-256 seen first is held.\n",
         o->fetch.root);
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "NAME|all|models...", .doc = doc};
  static char name[] = "ternmark fetch"; /* how messages and usage call it */
  char root[PATH_MAX];
  options o = {.names = calloc((size_t)argc + 1, sizeof(char *)), .fetch = TERN_FETCH_USUAL};
  tern_catalog m = {0};
  report r = {.o = &o};
  if (o.names == NULL) return tern_fail(e, TERN_FAILED, "out of memory");
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  int status = tern_data_root(root, sizeof root, o.data, e);
  o.fetch.root = root;
  if (status == TERN_OK) status = tern_catalog_read(&m, o.manifest, e);
  if (status == TERN_OK) status = check_names(&o, &m, e);
  if (status == TERN_OK && o.list) {
    (o.json ? list_json : list_text)(&o, &m);
  } else if (status == TERN_OK) {
    if (o.json) r.rows = json_array();
    status = fetch_all(&o, &m, &r, e);
    if (r.rows != NULL) {
      json_dumpf(r.rows, stdout, JSON_INDENT(2));
      putchar('\n');
    }
  }
  if ((fflush(stdout) != 0 || ferror(stdout)) && status == TERN_OK)
    status = tern_fail_errno(e, "standard output: cannot write");
  json_decref(r.rows);
  tern_catalog_close(&m);
  free(o.names);
  return status;
}

const tern_command tern_command_fetch = {"fetch", "datasets and models, from their publishers or a folder", run};
