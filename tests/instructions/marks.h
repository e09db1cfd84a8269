/* Marks between which the qemu plugin counts: hints that every ARMv8 core
 * executes as nothing and that no compiler emits. */
#ifndef TERN_TESTS_MARKS_H
#define TERN_TESTS_MARKS_H

enum { MARK_OPEN = 112, MARK_CLOSE = 113 };

/* Encoding of `hint #n`. */
#define MARK_CODE(n) (0xd503201fu | (uint32_t)(n) << 5)

#ifdef __aarch64__
#define MARK(n) __asm__ volatile("hint %0" : : "i"(n) : "memory")
#endif

#endif
