/* The system call filter: what no program under test needs and kernels have
 * had holes in. Sockets other than UNIX ones are refused too, because a network
 * namespace does not hold AF_VSOCK, which reaches a virtual machine's host.
 * Classic BPF as in seccomp(2): one comparison and one answer a line. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/eval/sandbox_parts.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#define FILTER_FOREIGN 0x40000000u /* x32 calls have this bit */
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#define FILTER_FOREIGN 0x80000000u
#endif

/* Numbers of younger calls are the same everywhere. */
enum {
  CALL_IO_URING_SETUP = 425,
  CALL_IO_URING_ENTER,
  CALL_IO_URING_REGISTER,
  CALL_OPEN_TREE,
  CALL_MOVE_MOUNT,
  CALL_FSOPEN,
  CALL_FSCONFIG,
  CALL_FSMOUNT,
  CALL_FSPICK,
  CALL_PIDFD_GETFD = 438,
  CALL_MOUNT_SETATTR = 442
};

static const uint32_t refused[] = {
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_kcmp,
    __NR_mount,
    __NR_umount2,
    __NR_pivot_root,
    __NR_chroot,
    __NR_unshare,
    __NR_setns,
    __NR_bpf,
    __NR_perf_event_open,
    __NR_userfaultfd,
    __NR_keyctl,
    __NR_add_key,
    __NR_request_key,
    __NR_kexec_load,
    __NR_init_module,
    __NR_finit_module,
    __NR_delete_module,
    __NR_reboot,
    __NR_swapon,
    __NR_swapoff,
    __NR_acct,
    __NR_quotactl,
    __NR_syslog,
    __NR_open_by_handle_at,
    __NR_name_to_handle_at,
    __NR_settimeofday,
    __NR_clock_settime,
    __NR_adjtimex,
    __NR_vhangup,
    CALL_IO_URING_SETUP,
    CALL_IO_URING_ENTER,
    CALL_IO_URING_REGISTER,
    CALL_OPEN_TREE,
    CALL_MOVE_MOUNT,
    CALL_FSOPEN,
    CALL_FSCONFIG,
    CALL_FSMOUNT,
    CALL_FSPICK,
    CALL_PIDFD_GETFD,
    CALL_MOUNT_SETATTR,
};

enum {
  REFUSED = sizeof refused / sizeof *refused,
  NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
};

static struct sock_filter load(size_t offset) {
  return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static struct sock_filter answer(uint32_t action) {
  return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
}

/* Passes over the next instruction unless what was loaded compares with k. */
static struct sock_filter only_if(uint16_t compare, uint32_t k) {
  return (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | compare), k, 0, 1);
}

static size_t make(struct sock_filter *f) {
  const size_t number = offsetof(struct seccomp_data, nr), first = offsetof(struct seccomp_data, args[0]);
  size_t n = 0;
  f[n++] = load(offsetof(struct seccomp_data, arch));
  f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, FILTER_ARCH, 1, 0);
  f[n++] = answer(SECCOMP_RET_KILL_PROCESS);
  f[n++] = load(number);
  f[n++] = only_if(BPF_JGE, FILTER_FOREIGN);
  f[n++] = answer(SECCOMP_RET_ERRNO | ENOSYS);
  for (size_t i = 0; i < REFUSED; i++) {
    f[n++] = only_if(BPF_JEQ, refused[i]);
    f[n++] = answer(SECCOMP_RET_ERRNO | EPERM);
  }
  /* clone3 hides its flags behind a pointer; libraries then take clone. */
  f[n++] = only_if(BPF_JEQ, 435);
  f[n++] = answer(SECCOMP_RET_ERRNO | ENOSYS);
  f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, __NR_clone, 0, 3);
  f[n++] = load(first);
  f[n++] = only_if(BPF_JSET, NAMESPACES);
  f[n++] = answer(SECCOMP_RET_ERRNO | EPERM);
  f[n++] = load(number);
  f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, __NR_socket, 0, 3);
  f[n++] = load(first);
  f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, AF_UNIX, 1, 0);
  f[n++] = answer(SECCOMP_RET_ERRNO | EACCES);
  f[n++] = answer(SECCOMP_RET_ALLOW);
  return n;
}

int tern_sandbox_filter(int *fd, tern_error *e) {
  struct sock_filter f[2 * REFUSED + 32];
  size_t size = make(f) * sizeof *f;
  *fd = memfd_create("seccomp", MFD_CLOEXEC);
  if (*fd >= 0 && write(*fd, f, size) == (ssize_t)size && lseek(*fd, 0, SEEK_SET) == 0) return 0;
  tern_fail_errno(e, "sandbox: cannot write the system call filter");
  if (*fd >= 0) close(*fd);
  return (int)e->status;
}
