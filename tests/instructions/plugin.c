/* qemu plugin: counts the instructions that the guest executes between the two
 * marks of marks.h and prints the number at the closing mark. Debian packages
 * no header of the plugin interface, so the few functions needed are declared
 * here as version 1 of the interface documents them. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "marks.h"

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { PLAIN_CALLBACK = 0, ADD = 0 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*f)(uint64_t id, struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*f)(unsigned cpu, void *data),
                                            int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *counter, uint64_t add);

__attribute__((visibility("default"))) extern int qemu_plugin_version;
__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

int qemu_plugin_version = 1;

static uint64_t executed, opened_at;

static void opened(unsigned cpu, void *data) {
  (void)cpu, (void)data;
  opened_at = executed;
}

static void closed(unsigned cpu, void *data) {
  (void)cpu, (void)data;
  printf("%llu\n", (unsigned long long)(executed - opened_at));
  fflush(stdout);
}

static void translated(uint64_t id, struct qemu_plugin_tb *block) {
  (void)id;
  const size_t n = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < n; i++) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
    uint32_t code;
    memcpy(&code, qemu_plugin_insn_data(insn), sizeof code);
    if (code == MARK_CODE(MARK_OPEN))
      qemu_plugin_register_vcpu_insn_exec_cb(insn, opened, PLAIN_CALLBACK, NULL);
    else if (code == MARK_CODE(MARK_CLOSE))
      qemu_plugin_register_vcpu_insn_exec_cb(insn, closed, PLAIN_CALLBACK, NULL);
    else
      qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD, &executed, 1);
  }
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}
