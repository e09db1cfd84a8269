/* Which program a peer is: the SHA-256 of its file and of the libraries that
 * it brings along (llama.cpp's kernels are in one), and what it calls itself. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/digest.h"
#include "harness/eval/item.h"
#include "harness/peer.h"
#include "harness/peer_command.h"
#include "harness/peer_process.h"

static const double question_s = 5;

/* hex[65]; "" when the file can't be read. */
static void hash_file(const char *path, char *hex) {
  tern_error unused = {0};
  tern_digest digest;
  hex[0] = '\0';
  if (tern_digest_file(&digest, path, false, LLONG_MAX, &unused) == 0) memcpy(hex, digest.sha256, sizeof digest.sha256);
}

/* The command up to its program, the file itself, and then `question`, which
 * is `before` and `after` it (free()); NULL: no such question can be put. */
static char *make_question(const tern_peer_spec *spec, const tern_peer_program *program, const char *before,
                           const char *after) {
  tern_error e;
  tern_peer_spec prefix = *spec;
  tern_peer_values values = {.model = "", .threads = 1};
  char *head = NULL, *path = tern_peer_quote(program->path), *question = NULL;
  prefix.command[program->place > 0 ? program->place : 0] = '\0';
  if (!path || tern_peer_expand(&prefix, &values, &head, &e) != 0) goto out;
  if (asprintf(&question, "%s%s%s%s", head, before, path, after) < 0) question = NULL;
out:
  free(head);
  free(path);
  return question;
}

static bool put_question(const char *question, tern_peer_process *p) {
  tern_error e = {0};
  return question && tern_peer_process_run(p, "", question, NULL, 0, question_s, &e) == 0;
}

/* The first line with a digit in it, as printable ASCII; "0 (unknown)" is what
 * builds outside of a repository call themselves. */
static bool take_version(char *text, char *out, size_t size) {
  for (char *save, *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
    while (isspace((unsigned char)*line)) line++;
    if (!strpbrk(line, "0123456789") || strstr(line, "(unknown)")) continue;
    snprintf(out, size, "%s", line);
    for (char *p = out; *p; p++)
      if (*p < ' ' || *p > '~') *p = '?';
    return true;
  }
  return false;
}

static void ask_version(const tern_peer_spec *spec, const tern_peer_program *program, tern_peer_facts *out) {
  tern_peer_process p = {0};
  char *question = make_question(spec, program, "", " --version");
  if (put_question(question, &p) && !take_version(p.out, out->version, sizeof out->version))
    take_version(p.err, out->version, sizeof out->version);
  tern_peer_process_free(&p);
  free(question);
}

static bool of_the_system(const char *path) {
  static const char *const roots[] = {"/lib", "/usr/lib", "/nix/store"};
  for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
    if (strncmp(path, roots[i], strlen(roots[i])) == 0) return true;
  return false;
}

/* As the loader tells it ("name => /path (0x...)"), of those outside the
 * system's folders: SHA-256 over the lines "hash name". */
static void hash_libraries(const tern_peer_spec *spec, const tern_peer_program *program, tern_peer_facts *out) {
  tern_peer_process p = {0};
  char *question = make_question(spec, program, "env LD_TRACE_LOADED_OBJECTS=1 ", ""), *all = NULL, hex[65];
  size_t size = 0;
  FILE *to = open_memstream(&all, &size);
  if (!to || !put_question(question, &p)) goto out;
  for (char *save, *line = strtok_r(p.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    char name[256], path[1024];
    if (sscanf(line, " %255s => %1023s (", name, path) != 2 || path[0] != '/' || of_the_system(path)) continue;
    hash_file(path, hex);
    if (*hex) fprintf(to, "%s %s\n", hex, name);
  }
  tern_error unused = {0};
  if (fflush(to) == 0 && size > 0 && tern_hash_text(all, hex, &unused) == 0)
    memcpy(out->libraries, hex, sizeof out->libraries);
out:
  if (to) fclose(to);
  free(all);
  free(question);
  tern_peer_process_free(&p);
}

/* The loader answers for a program; a script would run instead. */
static bool is_elf(const char *path) {
  char magic[4] = "";
  FILE *f = fopen(path, "rb");
  bool elf = f && fread(magic, 1, 4, f) == 4 && memcmp(magic, "\177ELF", 4) == 0;
  if (f) fclose(f);
  return elf;
}

int tern_peer_probe(const tern_peer_spec *spec, tern_peer_facts *out, tern_error *e) {
  memset(out, 0, sizeof *out);
  tern_peer_program program;
  int bad = tern_peer_find_program(spec, &program, e);
  if (bad) return bad;
  const char *slash = strrchr(program.path, '/');
  snprintf(out->program, sizeof out->program, "%.255s", slash ? slash + 1 : program.path);
  hash_file(program.path, out->sha256);
  ask_version(spec, &program, out);
  if (is_elf(program.path)) hash_libraries(spec, &program, out);
  return 0;
}
