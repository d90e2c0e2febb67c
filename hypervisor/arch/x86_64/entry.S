/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into the hypervisor and out of it.
 *
 * The frame that every way in builds, struct cpu_regs:
 *
 *   +160 ss        SYSCALL's stub or the CPU, at the top of the CPU's stack
 *   +152 rsp
 *   +144 rflags
 *   +136 cs
 *   +128 rip
 *   +120 error_code, entry_vector (the upper half)
 *   +112 rdi rsi rdx rcx rax r8 r9 r10 r11 rbx rbp r12 r13 r14
 *   +0   r15
 *
 * A guest's registers are saved and then cleared, so that no value a guest
 * chose can steer speculation before we have checked it; but on the short ways
 * below, which branch by none.
 *
 * SYSCALL comes in on the guest's stack pointer.  There is one stub a CPU,
 * LSTAR says which, so each knows the address of its own stack: it needs no
 * SWAPGS, no scratch register, and no memory but the frame.  What can strike
 * before rsp is ours (NMI, #DB after MOV SS, #MC, #DF) has a stack of its own.
 */

#include "asm_offsets.h"

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/guest_access.h"
#include "arch/x86_64/segment.h"

/* Where xpti.S takes over on the way to a guest; guest_access.h. */
.macro CR3_LEAVE kind=PATCH_LEAVE
    PATCH_SITE \kind, "0x0f, 0x1f, 0x44, 0x00, 0x00"
.endm

/* A per-CPU variable, while rsp points to guest_regs(). */
#define PERCPU(name) (percpu_##name + REGS_SIZE)(%rsp)

/*
 * The same, and a register of the frame, while nothing was saved in it yet and
 * @words were pushed.
 */
#define PERCPU_AT(name, words) \
    (percpu_##name + REGS_SIZE - REGS_ERROR_CODE + 8 * (words))(%rsp)
#define FRAME_AT(name, words) \
    (REGS_##name - REGS_ERROR_CODE + 8 * (words))(%rsp)

.macro SAVE_REGISTERS
    .irp reg, di, si, dx, cx, ax, 8, 9, 10, 11, bx, bp, 12, 13, 14, 15
    push %r\reg
    .endr
.endm

/* ebp ends the backtrace, too. */
.macro CLEAR registers:vararg
    .irp reg, \registers
    xor %\reg, %\reg
    .endr
.endm

.macro LOAD_REGISTERS
    .irp reg, 15, 14, 13, 12, bp, bx, 11, 10, 9, 8, ax, cx, dx, si, di
    pop %r\reg
    .endr
.endm

/*
 * Bits 47 to 63 of the guest's rip must be the same: its upper half, signed,
 * lies between -2^15 and 2^15 - 1.  Uses r11.
 */
.macro JUMP_UNLESS_CANONICAL to
    mov (REGS_RIP + 4)(%rsp), %r11d
    add $0x8000, %r11d
    shr $16, %r11d
    jnz \to
.endm

/*
 * Jump if an upcall is due: pending 1 .. 255 and mask 0 make a word that is
 * below 255 once it is less by one; or if slow_return is set.  Uses rcx.
 */
.macro JUMP_IF_UPCALL_DUE to
    mov PERCPU(upcall_bytes), %rcx
    movzwl (%rcx), %ecx
    dec %ecx
    cmp $0xff, %ecx
    jb \to
.endm

/*
 * To where guest_regs() says, with rax as it is.  rip must be canonical: else
 * SYSRET faults in ring 0 on the guest's stack.
 */
.macro RETURN_BY_SYSRET
at = REGS_R15
    .irp reg, 15, 14, 13, 12, bp, bx, 11, 10, 9, 8, ax, cx, dx, si, di
    .if at != REGS_R11 && at != REGS_RAX && at != REGS_RCX
    mov at(%rsp), %r\reg
    .endif
at = at + 8
    .endr
    mov REGS_RIP(%rsp), %rcx
    mov REGS_RFLAGS(%rsp), %r11
    CR3_LEAVE PATCH_LEAVE_SAVED
    mov REGS_RSP(%rsp), %rsp
    sysretq
.endm

    .text
    .globl syscall_stubs, syscall32_stubs, vector_stubs, xpti_vector_stubs, iret_to_guest
    .globl enter_guest, hypercall_iret, exception_from_guest_only, exception_done
    .globl exception_common, ist_common

/* --- SYSCALL ----------------------------------------------------------- */

/* rcx: the guest's rip.  r11: its flags. */
.macro SYSCALL_STUBS cs
cpu = 0
.rept CPU_COUNT
    .balign 64 /* SYSCALL_STUB_SIZE */
    mov %rsp, (cpu_areas + cpu * AREA_SIZE + AREA_STACK_TOP - 16)(%rip)
    lea (cpu_areas + cpu * AREA_SIZE + AREA_STACK_TOP - 16)(%rip), %rsp
    movq $SELECTOR_DS, 8(%rsp)
    push %r11
    push $\cs
    push %rcx
    jmp syscall_common
cpu = cpu + 1
.endr
.endm

    .balign 64
syscall_stubs:
    SYSCALL_STUBS SELECTOR_CS64
syscall32_stubs: /* from 32-bit code, on AMD's */
    SYSCALL_STUBS SELECTOR_CS32

/* Arguments stay where C takes them; the rest is cleared. */
.macro HYPERCALL function
    SAVE_REGISTERS
    mov %r10, %rcx
    mov %rax, %r9
    CLEAR eax, r10d, r11d, ebx, ebp, r12d, r13d, r14d, r15d
    call \function

    /*
     * The short way back: nothing to do, no upcall due, so the frame is the
     * one made above but for what the handler did to arguments.
     */
    JUMP_IF_UPCALL_DUE deliver_after_call
    JUMP_UNLESS_CANONICAL return_slowly
    RETURN_BY_SYSRET
.endm

    .balign 64
syscall_common:
    push syscall_word(%rip)
    cmp $HYPERCALL_IRET, %rax
    je iret_or_program
syscall_in_full:
    cmpb $MODE_KERNEL, PERCPU_AT(guest_mode, 0)
    jae syscall_of_pv
    HYPERCALL upcall_hypercall

return_slowly:
    mov %rax, %rdi
    call upcall_hypercall_done

/* rsp: guest_regs(). */
return_to_guest:
    call upcall_return_to_guest

    /* SYSRET where the frame is what SYSRET makes, IRET elsewhere. */
    cmpl $ENTRY_SYSCALL_VALUE, REGS_VECTOR(%rsp)
    jne return_by_iret
    cmpw $SELECTOR_CS64, REGS_CS(%rsp)
    jne return_by_iret
    cmpw $SELECTOR_DS, REGS_SS(%rsp)
    jne return_by_iret
    JUMP_UNLESS_CANONICAL return_by_iret
    mov REGS_RAX(%rsp), %rax
    RETURN_BY_SYSRET

/*
 * If an upcall is all that is to be done, do it.  Its handler's address is
 * canonical; if it could not be entered there is more to do.
 */
deliver_after_call:
    cmpb $0, PERCPU(slow_return)
    jne return_slowly
    mov %rax, REGS_RAX(%rsp)
deliver:
    cmpb $0, PERCPU(slow_return)
    jne return_to_guest
    mov %rsp, %rdi
    mov PERCPU(current_vcpu), %rsi
    call upcall_deliver_events
    cmpb $0, PERCPU(slow_return)
    jne return_to_guest
    mov REGS_RAX(%rsp), %rax
    RETURN_BY_SYSRET

return_by_iret:
    LOAD_REGISTERS
    CR3_LEAVE
    add $8, %rsp
iret_to_guest:
    iretq

/* rsp: a frame of ring 0. */
return_to_hypervisor:
    LOAD_REGISTERS
    add $8, %rsp
    iretq

.macro FORGET_STACK
    and $-AREA_SIZE, %rsp
    add $AREA_STACK_TOP - REGS_SIZE, %rsp
.endm

/* void enter_guest(void) */
enter_guest:
    FORGET_STACK
    xor %ebp, %ebp
    jmp return_to_guest

/* --- The iret hypercall ------------------------------------------------- */

/* Where the short way below was not taken. */
hypercall_iret:
    FORGET_STACK
    xor %ebp, %ebp
    mov %rsp, %rdi
    mov PERCPU(current_vcpu), %rsi
    call upcall_iret
    cmpb $0, PERCPU(slow_return)
    je return_from_exception
    mov REGS_RAX(%rsp), %rax
    jmp return_slowly

/* --- Short ways between a kernel and its programs, and within it --------- */

/*
 * The iret hypercall, and in class pv a program's SYSCALL to its kernel: what a
 * kernel's life consists of.  The guest's registers stay where they are, for
 * nothing here branches by them and no C sees them, but for the few that are
 * used.  What is not usual is left to the ways in full, which begin anew: until
 * then only what they write again has changed.
 *
 * On every way in slow_return is false, and nothing here sets it but what finds
 * memory for the frame that is read.  Class pv is never run under xpti.
 */

/* Load the tables whose L4's mfn is in @l4, of the other mode. */
.macro CHANGE_MODE mode, l4, words
    movb $\mode, PERCPU_AT(guest_mode, \words)
    swapgs
    mov %\l4, PERCPU_AT(loaded_root, \words)
    shl $12, %\l4
    incq COUNTS_CR3_LOADS + PERCPU_AT(cpu_counts, \words)
    mov %\l4, %cr3
.endm

/*
 * @to = @from if that is a guest's address; in speculation, too, it is one.
 * Kernels of class pv are in the upper half: that is looked at first.
 */
.macro GUEST_ADDRESS from, to, otherwise
    mov $HV_VIRT_END, %\to
    or %\from, %\to
    cmp %\from, %\to
    je 9f
    mov %\from, %\to
    shl $17, %\to
    shr $17, %\to
    cmp %\from, %\to
    jne \otherwise
9:
.endm

/* Read a word of the iret's frame. */
.macro GET move:vararg
771:
    \move
    EX_TABLE 771b, iret_unreadable
.endm

/* A word of the bounce frame. */
.macro PUT at, move:vararg
771:
    \move, \at(%rdx)
    EX_TABLE 771b, program_has_no_stack
.endm

/* The flags are of the comparison with MODE_KERNEL. */
syscall_of_pv:
    ja syscall_of_program
    HYPERCALL upcall_hypercall_pv

/* From here on rax, rcx and r11 are not the guest's. */
iret_or_program:
    cmpb $MODE_KERNEL, PERCPU_AT(guest_mode, 0)
    ja syscall_of_program
    mov FRAME_AT(RSP, 0), %rcx
    GUEST_ADDRESS rcx, r11, iret_in_full
    xor %ecx, %ecx /* class light */
    cmpb $MODE_KERNEL, PERCPU_AT(guest_mode, 0)
    jne 1f
    mov PERCPU_AT(pv_entry, 0), %rcx
    cmpw $0, PV_IRET_RARE(%rcx)
    jne iret_in_full
1:
    PATCH_SITE PATCH_STAC /* r11: the guest's frame, struct iret_context. */
    GET testl $IRET_IN_SYSCALL, 24(%r11)
    jnz iret_in_syscall
.irp at, 8, 16, 0, 56, 32, 48 /* r11, rcx, rax, rsp, rip, rflags */
    GET push \at(%r11)
.endr
    GET movzwl 64(%r11), %eax /* ss */
    GET movzwl 40(%r11), %r11d /* cs */
    PATCH_SITE PATCH_CLAC
    /* Before the mask is stored: upcall_due is read-only. */
    cmpb $0, PERCPU_AT(slow_return, 6)
    jne iret_unreadable

    or $3, %eax
    test %rcx, %rcx
    jz iret_of_light
    mov %rax, FRAME_AT(SS, 6)
    mov %r11d, %eax
    or $3, %r11d
    mov %r11, FRAME_AT(CS, 6)
    cmp %eax, %r11d
    jne iret_commit
    mov PV_USER_L4(%rcx), %rax
    cmp $-1, %rax /* MFN_NONE */
    je iret_unreadable
    CHANGE_MODE MODE_USER, rax, 6
iret_commit:
    pop %rax
    mov PERCPU_AT(upcall_bytes, 5), %rcx
    bt $9, %eax /* IF */
    setnc 1(%rcx)
    and $RFLAGS_OF_GUEST, %eax
    or $RFLAGS_OF_ALL, %rax
    mov %rax, FRAME_AT(RFLAGS, 5)
    pop FRAME_AT(RIP, 4)
    pop FRAME_AT(RSP, 3)

    movzwl (%rcx), %ecx /* as JUMP_IF_UPCALL_DUE */
    dec %ecx
    cmp $0xff, %ecx
    pop %rax
    pop %rcx
    pop %r11
    jb 1f
    CR3_LEAVE
    add $8, %rsp
    jmp iret_to_guest
1:
    movl $VECTOR_GP, FRAME_AT(VECTOR, 0) /* Any but SYSCALL: back by IRET. */
    SAVE_REGISTERS
    CLEAR eax, edx, esi, edi, r8d, r9d, r10d, r11d
    CLEAR ebx, ebp, r12d, r13d, r14d, r15d
    jmp return_to_guest

/*
 * To a program as it made its SYSCALL, with rip and flags in rcx and r11: if all
 * is what SYSRET makes, by that.  Of class pv.
 */
iret_in_syscall:
    test %rcx, %rcx
    jz iret_unreadable
.irp at, 0, 56, 48, 32 /* rax, rsp, rflags, rip */
    GET push \at(%r11)
.endr
    GET movzwl 64(%r11), %eax /* ss */
    GET movzwl 40(%r11), %r11d /* cs */
    PATCH_SITE PATCH_CLAC
    cmpb $0, PERCPU_AT(slow_return, 4)
    jne iret_unreadable
    cmp $SELECTOR_DS, %eax
    jne iret_unreadable
    cmp $SELECTOR_CS64, %r11d
    jne iret_unreadable
    mov 4(%rsp), %r11d /* as JUMP_UNLESS_CANONICAL */
    add $0x8000, %r11d
    shr $16, %r11d
    jnz iret_unreadable
    mov PV_USER_L4(%rcx), %rax
    cmp $-1, %rax /* MFN_NONE */
    je iret_unreadable
    mov PERCPU_AT(upcall_bytes, 4), %rcx
    mov 8(%rsp), %r11
    bt $9, %r11d /* IF */
    setnc 1(%rcx)
    movzwl (%rcx), %ecx /* as JUMP_IF_UPCALL_DUE */
    dec %ecx
    cmp $0xff, %ecx
    jb iret_unreadable
    CHANGE_MODE MODE_USER, rax, 4
    and $RFLAGS_OF_GUEST, %r11d
    or $RFLAGS_OF_ALL, %r11
    pop %rcx
    mov 16(%rsp), %rax
    mov 8(%rsp), %rsp
    sysretq

/* The kernel's own selectors, and an address in the lower half. */
iret_of_light:
    or $3, %r11d
    cmp $SELECTOR_CS64, %r11d
    jne iret_unreadable
    cmp $SELECTOR_DS, %eax
    jne iret_unreadable
    mov 8(%rsp), %rax
    shr $47, %rax
    jz iret_commit
iret_unreadable:
    PATCH_SITE PATCH_CLAC
    FORGET_STACK
    add $REGS_ERROR_CODE, %rsp
iret_in_full:
    mov $HYPERCALL_IRET, %eax
    mov FRAME_AT(RIP, 0), %rcx
    mov FRAME_AT(RFLAGS, 0), %r11
    jmp syscall_in_full

/* rax, rcx, rdx, rdi and r11 are not the guest's any more. */
syscall_of_program:
    push %rax
    push %rdx
    push %rdi
    mov PERCPU_AT(pv_entry, 3), %rcx
    cmpq $0, PV_SYSCALL(%rcx)
    je program_in_full
    cmpw $SELECTOR_CS64, FRAME_AT(CS, 3)
    jne program_in_full
    mov PERCPU_AT(upcall_bytes, 3), %r11
    movzwl (%r11), %eax
    lea -1(%rax), %edx
    cmp $0xff, %edx
    jb program_in_full
    mov PV_KERNEL_SP(%rcx), %rdi
    and $-16, %rdi
    sub $BOUNCE_FRAME, %rdi
    GUEST_ADDRESS rdi, rdx, program_in_full
    mov PV_KERNEL_L4(%rcx), %rdi
    CHANGE_MODE MODE_KERNEL, rdi, 3

    cmp $0x100, %eax
    sbb %eax, %eax
    inc %eax /* 1: events are masked */
    mov FRAME_AT(RIP, 3), %rdi
    PATCH_SITE PATCH_STAC /* rdx: the bounce frame; pv/bounce.c. */
    PUT 0, movq %rdi /* rcx */
    PUT 16, movq %rdi
    mov FRAME_AT(RFLAGS, 3), %rdi
    PUT 8, movq %rdi /* r11 */
    PUT 24, movl $SELECTOR_CS64
    PUT 28, movl %eax
    shl $9, %eax
    xor %rax, %rdi /* IF: they are not */
    or PV_SHOWN_IOPL(%rcx), %rdi
    PUT 32, movq %rdi
    mov FRAME_AT(RSP, 3), %rdi
    PUT 40, movq %rdi
    PUT 48, movq $SELECTOR_DS
    PATCH_SITE PATCH_CLAC

    cmpb $0, PV_SYSCALL_MASKS(%rcx)
    je 1f
    movb $1, 1(%r11)
1:
    mov %rdx, FRAME_AT(RSP, 3)
    mov PV_SYSCALL(%rcx), %rcx
    mov FRAME_AT(RFLAGS, 3), %r11
    and $~RFLAGS_NOT_OF_HANDLER, %r11
    pop %rdi
    pop %rdx
    pop %rax
    mov FRAME_AT(RSP, 0), %rsp
    sysretq

program_has_no_stack:
    PATCH_SITE PATCH_CLAC
    movb $MODE_USER, PERCPU_AT(guest_mode, 3)
    swapgs
program_in_full:
    pop %rdi
    pop %rdx
    pop %rax
    mov FRAME_AT(RIP, 0), %rcx
    mov FRAME_AT(RFLAGS, 0), %r11
    SAVE_REGISTERS
    mov %rsp, %rdi
    mov PERCPU(current_vcpu), %rsi
    CLEAR eax, ecx, edx, r8d, r9d, r10d, r11d
    CLEAR ebx, ebp, r12d, r13d, r14d, r15d
    call upcall_guest_syscall
    jmp return_from_exception

/* --- Exceptions and interrupts ----------------------------------------- */

/*
 * The short way back: to the guest's own handler, whose frame is what SYSRET
 * makes, or to where it came from.
 */
.macro RETURN_FROM_EXCEPTION always_to_handler=0
    JUMP_IF_UPCALL_DUE deliver
    .if !\always_to_handler
    cmpl $ENTRY_SYSCALL_VALUE, REGS_VECTOR(%rsp)
    jne return_by_iret
    .endif
    mov REGS_RAX(%rsp), %rax
    RETURN_BY_SYSRET
.endm

.macro VECTOR_STUBS page_fault, undefined, protection, exception, interrupt, ist
vector = 0
.rept 256
    .balign 16 /* VECTOR_STUB_SIZE */
    .if !(vector == VECTOR_DF || \
          (vector >= VECTOR_TS && vector <= VECTOR_PF) || \
          vector == VECTOR_AC || vector == 21 || vector == 29 || vector == 30)
    push $0 /* The processor pushes no error code. */
    .endif
    movl $vector, 4(%rsp)
    .if vector == VECTOR_DB || vector == VECTOR_NMI || \
        vector == VECTOR_MC || vector == VECTOR_DF
    jmp \ist
    .elseif vector == VECTOR_PF
    jmp \page_fault
    .elseif vector == VECTOR_UD
    jmp \undefined
    .elseif vector == VECTOR_GP
    jmp \protection
    .elseif vector < VECTOR_EXCEPTIONS || vector == VECTOR_INT80
    jmp \exception
    .else
    jmp \interrupt
    .endif
vector = vector + 1
.endr
.endm

    .balign 16
vector_stubs:
    VECTOR_STUBS page_fault, invalid_opcode, general_protection, exception, \
        exception_common, ist_common
    .pushsection .entry_text, "ax"
    .balign 16
xpti_vector_stubs:
    VECTOR_STUBS xpti_exception, xpti_exception, xpti_exception, \
        xpti_exception, xpti_exception, xpti_ist
    .popsection

.macro SAVE_AND_CLEAR
    cld
    PATCH_SITE PATCH_CLAC
    SAVE_REGISTERS
    CLEAR esi, edx, ecx, eax, r8d, r9d, r10d, r11d
    CLEAR ebx, ebp, r12d, r13d, r14d, r15d
    mov %rsp, %rdi
    testb $3, REGS_CS(%rsp)
    jz from_hypervisor
.endm

    .balign 16
page_fault:
    SAVE_AND_CLEAR
    mov PERCPU(current_vcpu), %rsi
    mov %cr2, %rdx
    call upcall_guest_page_fault_first
    RETURN_FROM_EXCEPTION always_to_handler=1

.irp what, invalid_opcode, general_protection
    .balign 16
\what:
    SAVE_AND_CLEAR
    mov PERCPU(current_vcpu), %rsi
    call upcall_guest_\what
    RETURN_FROM_EXCEPTION
.endr

    .balign 16
exception:
    SAVE_AND_CLEAR
    call exception_from_guest
return_from_exception:
    RETURN_FROM_EXCEPTION

/* void exception_from_guest_only(struct cpu_regs *regs) */
exception_from_guest_only:
    FORGET_STACK
    xor %ebp, %ebp
    call exception_from_guest
    jmp return_from_exception

/* void exception_done(void) */
exception_done:
    FORGET_STACK
    xor %ebp, %ebp
    jmp return_from_exception

/* Whatever came, by the long way back: it may be the kick of another CPU. */
    .balign 16
exception_common:
    SAVE_AND_CLEAR
    call exception_from_guest
    jmp return_to_guest

from_hypervisor:
    call exception_from_hypervisor
    mov %rax, %rsp
    testb $3, REGS_CS(%rsp)
    jz return_to_hypervisor
    jmp return_to_guest

/* On an IST stack; what interrupted a guest goes on on the ordinary one. */
ist_common:
    SAVE_AND_CLEAR
    call exception_leave_ist
    mov %rax, %rsp
    mov %rsp, %rdi
    call exception_from_guest
    jmp return_to_guest

    .section .rodata.syscall_word, "a"
    .balign 8
/* error_code 0, entry_vector ENTRY_SYSCALL: one push for both. */
syscall_word:
    .quad ENTRY_SYSCALL_VALUE << 32

    .section .note.GNU-stack, "", @progbits
