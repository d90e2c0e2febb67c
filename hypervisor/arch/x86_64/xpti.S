/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in and out under xpti; regs.h says why.
 *
 * In: the processor, on the guest's tables, uses only what they map.  The CPU's
 * entry page is the stack that exceptions come in on; here the hypervisor's
 * tables are loaded, the frame is moved to where entry.S wants it, and entry.S
 * goes on as if nothing had been.
 *
 * Out: the frame is copied to the entry page, and IRETQ leaves from there.
 *
 * An NMI, #DB or #MC may strike between any two instructions.  It finds by
 * CR3 itself which tables are loaded, and leaves our own loaded when it returns
 * into this file: on the way in they are about to be loaded anyhow, on the way
 * out it returns to xpti_leave_again.
 */

#include "asm_offsets.h"

#include "arch/x86_64/address_map.h"

    .section .entry_text, "ax"
    .globl xpti_syscall_stubs, xpti_exception, xpti_ist
    .globl xpti_leave_saved, xpti_leave, xpti_leave_again
    .globl xpti_leave_switched, xpti_iret

/* An offset from rsp as it is on the way out, at the frame's error_code. */
#define FROM_FRAME(offset) \
    (offset) - CPU_AREA_STACK_TOP + REGS_SIZE - REGS_ERROR_CODE

    .balign 64
xpti_syscall_stubs:
area = 0
.rept CPU_MAX
    .balign 64 /* SYSCALL_STUB_SIZE */
    mov %rsp, (cpu_areas + area + CPU_AREA_ENTRY + ENTRY_SCRATCH)(%rip)
    mov (cpu_areas + area + CPU_AREA_ENTRY + ENTRY_OWN_CR3)(%rip), %rsp
    mov %rsp, %cr3
    mov (cpu_areas + area + CPU_AREA_ENTRY + ENTRY_SCRATCH)(%rip), %rsp
    jmp syscall_stubs + area / CPU_AREA_SIZE * 64
area = area + CPU_AREA_SIZE
.endr

/*
 * An exception without an IST stack.  On the entry page it comes from a guest,
 * or from IRETQ below; elsewhere from the hypervisor.
 */
xpti_exception:
    push %rax
    mov %esp, %eax
    and $CPU_AREA_SIZE - 1, %eax
    sub $CPU_AREA_ENTRY, %eax
    cmp $CPU_AREA_ENTRY_TOP - CPU_AREA_ENTRY, %eax
    jae 2f
    mov %rsp, %rax
    and $-0x1000, %rax
    mov ENTRY_OWN_CR3(%rax), %rax
    mov %rax, %cr3

    mov %rsp, %rax
    and $-CPU_AREA_SIZE, %rsp
    add $CPU_AREA_STACK_TOP, %rsp
    testb $3, 24(%rax) /* cs */
    jnz 1f
    /* IRETQ failed: what it was to return to is still at the top. */
    sub $REGS_SIZE, %rsp
1:  .irp offset, 48, 40, 32, 24, 16, 8 /* from ss to the error code */
    push \offset(%rax)
    .endr
    mov (%rax), %rax
    jmp exception_common

2:  pop %rax
    jmp exception_common

xpti_ist:
    push %rax
    push %rcx
    mov %rsp, %rcx
    and $-CPU_AREA_SIZE, %rcx
    mov %cr3, %rax
    cmp %rax, (CPU_AREA_ENTRY + ENTRY_GUEST_CR3)(%rcx)
    jne 3f
    mov (CPU_AREA_ENTRY + ENTRY_OWN_CR3)(%rcx), %rax
    mov %rax, %cr3
3:  pop %rcx
    pop %rax
    jmp ist_common

xpti_leave_saved:
    lea REGS_ERROR_CODE(%rsp), %rsp
xpti_leave:
    mov %rax, FROM_FRAME(CPU_AREA_ENTRY + ENTRY_SCRATCH)(%rsp)
    mov %rsp, %rax
    lea FROM_FRAME(CPU_AREA_ENTRY_TOP)(%rsp), %rsp
    .irp offset, 40, 32, 24, 16, 8 /* from ss to rip */
    push \offset(%rax)
    .endr
xpti_leave_again:
    mov (CPU_AREA_ENTRY + ENTRY_GUEST_CR3 - CPU_AREA_ENTRY_TOP + 40)(%rsp), %rax
    mov %rax, %cr3
xpti_leave_switched:
    mov (CPU_AREA_ENTRY + ENTRY_SCRATCH - CPU_AREA_ENTRY_TOP + 40)(%rsp), %rax
xpti_iret:
    iretq

    .section .note.GNU-stack, "", @progbits
