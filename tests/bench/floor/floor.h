/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the floor program's C and its assembly. */

#ifndef FLOOR_FLOOR_H
#define FLOOR_FLOOR_H

#include <stdint.h>

/* Run @loop in ring 3: it fills @samples with @count times. */
void enter_user(void (*loop)(void), uint64_t count, uint32_t *samples);

/* Loops of ring 3, one for each operation. */
void user_nothing(void);
void user_thousand(void);
void user_copy_page(void);
void user_syscall(void);
void user_invalid(void);
void user_fault(void);

/* Where SYSCALL arrives. */
extern const char call_bare[], call_saved[], call_checked[];

/* Where exceptions arrive. */
extern const char trap_invalid[], trap_bounce[], trap_leave[];

extern const char kernel_stack_end[];
extern uint64_t task_state[], cpu_block[];

#endif /* FLOOR_FLOOR_H */
