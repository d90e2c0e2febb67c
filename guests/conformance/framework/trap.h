/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and upcalls in a test guest.
 *
 * An exception inside fault_probe() ends the probe; `trap_seen` then says what
 * came.  A hook may take it instead.  Anything else ends the guest with a
 * report, which is the result "crash".
 */

#ifndef FRAMEWORK_TRAP_H
#define FRAMEWORK_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event_channel.h>
#include <abi/trap.h>

/* Vectors of the processor's own. */
#define EXCEPTION_COUNT 32U

#define TRAP_UPCALL   256
#define TRAP_FAILSAFE 257

#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_BP 3
#define TRAP_OF 4
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_DF 8
#define TRAP_TS 10
#define TRAP_NP 11
#define TRAP_SS 12
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_MF 16
#define TRAP_AC 17
#define TRAP_XM 19

/* Error code of #PF. */
#define PF_PRESENT 0x01U
#define PF_WRITE   0x02U
#define PF_USER    0x04U
#define PF_FETCH   0x10U

#define RFLAGS_TF 0x000100UL
#define RFLAGS_IF 0x000200UL
#define RFLAGS_DF 0x000400UL
#define RFLAGS_NT 0x004000UL
#define RFLAGS_AC 0x040000UL

/* What trap.S builds; cs has the saved upcall mask in bits 32-39. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "trap.S pushes these");

/* The last exception a probe of any vCPU ended with, and the cr2 then. */
extern struct trap_frame trap_seen;
extern uint64_t trap_seen_cr2;
/* Where the hypervisor put the frame, and the mask it left. */
extern uint64_t trap_seen_at;
extern uint8_t trap_seen_mask;

/* Run @fn(@arg); true: it ended by an exception, see trap_seen. */
bool fault_probe(void (*fn)(void *arg), void *arg);

/*
 * Called first for each exception and upcall; true: go back to the frame,
 * which it may have changed.  NULL: none.
 */
extern bool (*trap_hook)(struct trap_frame *frame);

/* How often each port's event arrived by upcall, and upcalls in all. */
extern volatile unsigned int upcall_count;
extern volatile unsigned int port_events[EVTCHN_2L_PORTS];

/* Register all 32 exceptions (flags 0; #BP and #OF for everybody), callbacks.
 */
void traps_init(void);

/* The address of the stub for @vector, for set_trap_table. */
uint64_t trap_stub(unsigned int vector);

/* The entry for an exception as traps_init() registers it. */
struct trap_info trap_entry(unsigned int vector);

/* Go back to @frame by the iret hypercall. */
_Noreturn void trap_return(void);

extern const char trap_stubs[], upcall_stub[], failsafe_stub[];

#endif /* FRAMEWORK_TRAP_H */
