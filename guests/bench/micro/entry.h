/* SPDX-License-Identifier: BSD-2-Clause */
/* What the bench guest has in assembly, so that each instruction is known. */

#ifndef MICRO_ENTRY_H
#define MICRO_ENTRY_H

#include <stdint.h>

/* @fn, on our stack, but @offset higher. */
void micro_move_stack(void (*fn)(void), uint64_t offset);

/* Only returns. */
long micro_nothing(void);

/* A thousand NOPs: that the counter counts instructions. */
long micro_thousand(void);

/* Load from micro_hole, whose #PF handler goes on behind the load. */
long micro_fault(void);
extern uint64_t micro_hole;

/* Handlers of #PF that go back by IRETQ, and by the iret hypercall. */
extern const char micro_fault_iretq[], micro_fault_hypercall[];

/* Takes an event of ports 1 to 63, and goes back by the iret hypercall. */
extern const char micro_upcall[];

/*
 * To a program at the stack micro_program_rsp, by an iret with the flags
 * micro_program_context, and back by its system call, whose callback is
 * micro_program_back.
 */
long micro_program(void);
extern const char micro_program_back[];
extern uint64_t micro_program_rsp, micro_program_context;
extern volatile uint64_t micro_program_came;

/* How often the handlers above ran. */
extern volatile uint64_t micro_faults, micro_upcalls;

#endif /* MICRO_ENTRY_H */
