/* SPDX-License-Identifier: MIT */
/*
 * vcpu_op: -ENOENT for a vCPU that does not exist, whatever the command;
 * -ENOSYS for an unknown one.
 */

#ifndef ABI_VCPU_H
#define ABI_VCPU_H

#include <stddef.h>
#include <stdint.h>

#include <abi/trap.h>

#define VCPUOP_initialise                     0
#define VCPUOP_up                             1
#define VCPUOP_down                           2
#define VCPUOP_is_up                          3
#define VCPUOP_get_runstate_info              4
#define VCPUOP_register_runstate_memory_area  5
#define VCPUOP_set_periodic_timer             6
#define VCPUOP_stop_periodic_timer            7
#define VCPUOP_set_singleshot_timer           8
#define VCPUOP_stop_singleshot_timer          9
#define VCPUOP_register_vcpu_info             10
#define VCPUOP_send_nmi                       11
#define VCPUOP_get_physid                     12
#define VCPUOP_register_vcpu_time_memory_area 13

struct cpu_user_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    uint32_t error_code, entry_vector; /* not used */
    uint64_t rip;
    uint16_t cs, _pad0[1];
    uint8_t saved_upcall_mask, _pad1[3]; /* not used: see vcpu_info */
    uint64_t rflags, rsp;
    uint16_t ss, _pad2[3];
    uint16_t es, _pad3[3];
    uint16_t ds, _pad4[3];
    uint16_t fs, _pad5[3];
    uint16_t gs, _pad6[3];
};

/* vcpu_guest_context.flags */
#define VGCF_i387_valid              0x01U
#define VGCF_in_kernel               0x04U /* class light: always */
#define VGCF_syscall_disables_events 0x10U
#define VGCF_online                  0x20U /* up at once */

/*
 * VCPUOP_initialise.  Class light ignores what is about descriptors, stacks
 * and page tables of the guest's own (marked "pv"), but checks some of it all
 * the same.
 */
struct vcpu_guest_context {
    struct {
        uint8_t x[512];
    } fpu_ctxt __attribute__((aligned(16))); /* FXSAVE, with i387_valid */
    uint64_t flags;                          /* VGCF_* */
    struct cpu_user_regs user_regs;
    struct trap_info trap_ctxt[TRAP_COUNT]; /* by vector */
    uint64_t ldt_base, ldt_ents;            /* pv */
    uint64_t gdt_frames[16], gdt_ents;      /* pv */
    uint64_t kernel_ss, kernel_sp;          /* pv */
    uint64_t ctrlreg[8];                    /* pv */
    uint64_t debugreg[8];                   /* pv */
    uint64_t event_callback_eip;
    uint64_t failsafe_callback_eip; /* pv */
    uint64_t syscall_callback_eip;  /* pv */
    uint64_t vm_assist;             /* pv */
    uint64_t fs_base, gs_base_kernel;
    uint64_t gs_base_user; /* pv */
};

#define RUNSTATE_running  0
#define RUNSTATE_runnable 1
#define RUNSTATE_blocked  2
#define RUNSTATE_offline  3
#define RUNSTATE_COUNT    4
#define RUNSTATE_UPDATE   (1ULL << 63)

struct vcpu_runstate_info {
    int32_t state;                 /* OUT: RUNSTATE_* */
    uint64_t state_entry_time;     /* OUT: nanoseconds of system time; vm_assist
                                      may give it RUNSTATE_UPDATE */
    uint64_t time[RUNSTATE_COUNT]; /* OUT: nanoseconds in each state */
};

/* Nanoseconds from 1 ms on: VIRQ_TIMER that often, while the vCPU runs. */
struct vcpu_set_periodic_timer {
    uint64_t period_ns; /* IN */
};

struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns; /* IN: system time */
    uint32_t flags;          /* IN: VCPU_SSHOTTMR_*, ignored */
};

#define VCPU_SSHOTTMR_future 0x1U /* once: -ETIME for a time in the past */

struct vcpu_register_vcpu_info {
    uint64_t mfn;    /* IN: class light: a gfn */
    uint32_t offset; /* IN: bytes, a multiple of 8 */
    uint32_t rsvd;
};

struct vcpu_register_time_memory_area {
    union {
        uint64_t p; /* IN: address of a vcpu_time_info */
    } addr;
};

_Static_assert(sizeof(struct cpu_user_regs) == 200, "ABI");
_Static_assert(offsetof(struct cpu_user_regs, rip) == 128, "ABI");
_Static_assert(offsetof(struct cpu_user_regs, rsp) == 152, "ABI");
_Static_assert(sizeof(struct vcpu_guest_context) == 5168, "ABI");
_Static_assert(offsetof(struct vcpu_guest_context, user_regs) == 520, "ABI");
_Static_assert(offsetof(struct vcpu_guest_context, trap_ctxt) == 720, "ABI");
_Static_assert(offsetof(struct vcpu_guest_context, ctrlreg) == 4984, "ABI");
_Static_assert(offsetof(struct vcpu_guest_context, fs_base) == 5144, "ABI");
_Static_assert(sizeof(struct vcpu_runstate_info) == 48, "ABI");
_Static_assert(sizeof(struct vcpu_set_singleshot_timer) == 16, "ABI");
_Static_assert(sizeof(struct vcpu_register_vcpu_info) == 16, "ABI");

#endif /* ABI_VCPU_H */
