/* SPDX-License-Identifier: MIT */
/*
 * Exceptions, callbacks and the way back.
 *
 * A bounce pushes, below the interrupted rsp rounded down to 16 bytes, from
 * low to high: rcx, r11, [error code], rip, cs (bits 32-39: the upcall mask
 * before), rflags, rsp, ss.
 */

#ifndef ABI_TRAP_H
#define ABI_TRAP_H

#include <stddef.h>
#include <stdint.h>

/* Flat selectors every domain may use. */
#define FLAT_RING3_CS64 0xe033U
#define FLAT_RING3_DS   0xe02bU

#define TRAP_COUNT 256

/* trap_info.flags */
#define TRAP_DPL_MASK    0x03U
#define TRAP_MASK_EVENTS 0x04U

/* set_trap_table: an array, ended by an address of 0; NULL clears all. */
struct trap_info {
    uint8_t vector;
    uint8_t flags; /* TRAP_* */
    uint16_t cs;   /* not used in 64-bit mode */
    uint64_t address;
};

/* callback_op */
#define CALLBACKOP_register   0
#define CALLBACKOP_unregister 1

#define CALLBACKTYPE_event     0
#define CALLBACKTYPE_failsafe  1
#define CALLBACKTYPE_syscall   2
#define CALLBACKTYPE_nmi       4
#define CALLBACKTYPE_sysenter  5 /* these two: 32-bit programs of class pv */
#define CALLBACKTYPE_syscall32 7
#define CALLBACKTYPE_LAST      7

#define CALLBACKF_mask_events 0x1U

struct callback_register {
    uint16_t type;    /* IN */
    uint16_t flags;   /* IN: CALLBACKF_* */
    uint64_t address; /* IN */
};

struct callback_unregister {
    uint16_t type; /* IN */
    uint16_t _unused;
};

/* nmi_op */
#define NMIOP_register_callback   0
#define NMIOP_unregister_callback 1

struct nmi_callback {
    uint64_t address; /* IN */
    uint64_t unused;
};

/* set_segment_base */
#define SEGBASE_FS          0
#define SEGBASE_GS_USER     1
#define SEGBASE_GS_KERNEL   2
#define SEGBASE_GS_USER_SEL 3

/* The frame at rsp when the iret hypercall is made. */
#define VGCF_in_syscall 0x100U

struct iret_context {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

/*
 * Forced emulation of CPUID: these bytes in front of the instruction make it
 * answer with what the hypervisor wants the guest to see.
 */
#define FORCED_EMULATION_PREFIX ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n\t"

_Static_assert(sizeof(struct trap_info) == 16, "ABI");
_Static_assert(offsetof(struct trap_info, address) == 8, "ABI");
_Static_assert(sizeof(struct callback_register) == 16, "ABI");
_Static_assert(sizeof(struct iret_context) == 72, "ABI");

#endif /* ABI_TRAP_H */
