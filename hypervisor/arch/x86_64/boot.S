/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader's 32-bit mode to C.
 *
 * The loader leaves us at start32 in protected mode without paging, eax = its
 * magic, ebx = machine address of its information (Multiboot 0.6.96 and
 * Multiboot2 2.0, section 3.2 and 3.3).  This code builds the first page tables, which serve until
 * boot/memory.c has made the final ones:
 *
 *   L4[0]    the first 4 GiB, identity: only until C runs, here and on the
 *            CPUs that come by the trampoline
 *   L4[260]  [0] the first GiB, so that the image is at IMAGE_BASE + its maddr
 *            [1] the area and the GDT area of CPU 0
 *   L4[262]  the first 4 GiB: a direct map to begin with
 *
 * All but the CPU's areas is executable and writable.
 */

#include "asm_offsets.h"

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/segment.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 3 /* modules on pages; tell us about memory */

#define MULTIBOOT2_MAGIC        0xe85250d6
#define MULTIBOOT2_I386         0
#define MULTIBOOT2_ALIGN        6 /* tag: modules on pages */
#define MULTIBOOT2_HEADER_BYTES (multiboot2_end - multiboot2)

#define CR0_FIRST  0x80050033 /* PG AM WP NE ET MP PE */
#define CR4_FIRST  0x00000620 /* PAE OSFXSR OSXMMEXCPT */
#define EFER       0xc0000080
#define EFER_FIRST 0x00000901 /* NXE LME SCE */

/* boot_gdt: 64-bit code is its selector 8. */
#define BOOT_GDT_LIMIT 15

/* The machine address of a symbol. */
#define MADDR(symbol) (symbol - IMAGE_BASE)

#define UART 0x3f8 /* COM1 */

#define PTE_TABLE   0x003 /* present, writable */
#define PTE_2M      0x083 /* present, writable, large */
#define PTE_PAGE    0x103 /* present, writable, global */
#define PTE_ZERO    0x101 /* present, global */
#define PTE_NX_HIGH 0x80000000 /* bit 63 in the upper half of an entry */

/*
 * From real or protected mode, with what loads the GDT's pointer.  Uses eax,
 * ecx and edx.
 */
.macro ENTER_LONG_MODE lgdt:vararg
    mov $CR4_FIRST, %eax
    mov %eax, %cr4
    mov $MADDR(boot_l4), %eax
    mov %eax, %cr3
    mov $EFER, %ecx
    mov $EFER_FIRST, %eax
    xor %edx, %edx
    wrmsr
    \lgdt
    mov $CR0_FIRST, %eax /* Both PE and PG: there is no stop between. */
    mov %eax, %cr0
.endm

/* rax is 0 afterwards. */
.macro CLEAR_SEGMENTS
    xor %eax, %eax
    .irp segment, ds, es, fs, gs, ss
    mov %eax, %\segment
    .endr
.endm

    .section .multiboot, "ax"
    .code32

    .balign 8
    .long MULTIBOOT_MAGIC
    .long MULTIBOOT_FLAGS
    .long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

    /* Without the tag that wants UEFI's boot services left running. */
    .balign 8
multiboot2:
    .long MULTIBOOT2_MAGIC
    .long MULTIBOOT2_I386
    .long MULTIBOOT2_HEADER_BYTES
    .long -(MULTIBOOT2_MAGIC + MULTIBOOT2_I386 + MULTIBOOT2_HEADER_BYTES)
    .word MULTIBOOT2_ALIGN, 0
    .long 8
    .word 0, 0 /* the end */
    .long 8
multiboot2_end:

    .globl start32, boot_cpu_pages, zero_page
    .globl trampoline, trampoline_end, trampoline_stack
start32:
    cli
    cld
    mov $MADDR(boot_cpu_pages) + 0x1000, %esp
    mov %eax, %ebp /* the loader's magic */
    mov %ebx, %esi /* its information */

    /* CPUID exists if bit 21 of the flags can be changed. */
    pushf
    pop %eax
    mov %eax, %ecx
    xor $(1 << 21), %eax
    push %eax
    popf
    pushf
    pop %eax
    mov $MADDR(text_no_cpuid), %edi
    cmp %eax, %ecx
    je complain

    mov $0x80000000, %eax
    cpuid
    mov $MADDR(text_no_long_mode), %edi
    cmp $0x80000001, %eax
    jb complain
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc complain
    mov $MADDR(text_no_nx), %edi
    bt $20, %edx
    jnc complain

    call make_tables

    ENTER_LONG_MODE lgdt MADDR(boot_gdt_pointer)
    ljmp $8, $MADDR(start64_low)

/*
 * Fill the tables.  Uses all registers but ebp and esi.
 */
make_tables:
    /* 2048 pages of 2 MiB. */
    mov $MADDR(boot_l2_low), %edi
    mov $PTE_2M, %eax
1:  mov %eax, (%edi)
    add $8, %edi
    add $0x200000, %eax
    jnc 1b

    mov $MADDR(boot_l2_low) + PTE_TABLE, %eax
    mov $MADDR(boot_l3_low), %edi
    mov $4, %ecx
2:  mov %eax, (%edi)
    add $8, %edi
    add $0x1000, %eax
    loop 2b

    movl $MADDR(boot_l3_low) + PTE_TABLE, MADDR(boot_l4)
    movl $MADDR(boot_l3_low) + PTE_TABLE, MADDR(boot_l4) + 262 * 8
    movl $MADDR(boot_l3_image) + PTE_TABLE, MADDR(boot_l4) + 260 * 8
    movl $MADDR(boot_l2_low) + PTE_TABLE, MADDR(boot_l3_image)
    movl $MADDR(boot_l2_cpu) + PTE_TABLE, MADDR(boot_l3_image) + 8
    movl $MADDR(boot_l1_cpu) + PTE_TABLE, MADDR(boot_l2_cpu)
    movl $MADDR(boot_l1_gdt) + PTE_TABLE, MADDR(boot_l2_cpu) + 2 * 8

    /* The area's pages, leaving out its guards. */
    mov $MADDR(boot_cpu_pages) + PTE_PAGE, %eax
    mov $MADDR(boot_l1_cpu), %edi
    mov $CPU_AREA_PAGES, %ecx
3:  shr $1, %ecx
    jnc 4f
    mov %eax, (%edi)
    movl $PTE_NX_HIGH, 4(%edi)
    add $0x1000, %eax
4:  add $8, %edi
    test %ecx, %ecx
    jnz 3b

    /* Fourteen times the page of zeros, then ours from 0xe000. */
    mov $MADDR(boot_l1_gdt), %edi
    mov $SELECTOR_RESERVED / 0x1000, %ecx
5:  movl $MADDR(zero_page) + PTE_ZERO, (%edi)
    movl $PTE_NX_HIGH, 4(%edi)
    add $8, %edi
    loop 5b
    movl $MADDR(boot_gdt_page) + PTE_PAGE, (%edi)
    movl $PTE_NX_HIGH, 4(%edi)
    ret

.macro UART_WRITE register, value
    mov $UART + \register, %dx
    mov \value, %al
    out %al, %dx
.endm

/* Print the text at edi on COM1, and stop. */
complain:
    UART_WRITE 1, $0    /* no interrupts */
    UART_WRITE 3, $0x83 /* 8 bits, and the divisor's registers */
    UART_WRITE 0, $1    /* 115200 baud */
    UART_WRITE 1, $0
    UART_WRITE 3, $3
6:  mov (%edi), %bl
    test %bl, %bl
    jz 8f
    mov $UART + 5, %dx
    mov $0x10000, %ecx /* A UART that is not there is never ready. */
7:  in %dx, %al
    test $0x20, %al
    loopz 7b
    UART_WRITE 0, %bl
    inc %edi
    jmp 6b
8:  cli
    hlt
    jmp 8b

text_no_cpuid:
    .asciz "Cairn: this processor has no CPUID: not a 64-bit machine\r\n"
text_no_long_mode:
    .asciz "Cairn: this processor has no 64-bit mode (CPUID: LM)\r\n"
text_no_nx:
    .asciz "Cairn: this processor has no no-execute pages (CPUID: NX)\r\n"

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff

boot_gdt_pointer:
    .word BOOT_GDT_LIMIT
    .long MADDR(boot_gdt)

    .code64
start64_low:
    movabs $start64, %rax
    jmp *%rax

    .text
start64:
    CLEAR_SEGMENTS

    /* The top of the stack is where guest_regs() will be. */
    movabs $CPU_AREAS_BASE + CPU_AREA_STACK_TOP - REGS_SIZE, %rsp
    mov %esi, %ebx

    lea percpu_image(%rip), %rsi
    mov $percpu_size, %ecx
    movabs $CPU_AREAS_BASE + CPU_AREA_VARS, %rdi
    rep movsb

    mov %ebp, %edi
    mov %ebx, %esi
    xor %ebp, %ebp /* the end of every backtrace */
    call start_hypervisor
    ud2

/*
 * From real mode, where an INIT and a SIPI leave another CPU, to C.  The tables
 * serve once again until the CPU runs at the image's addresses: they map the
 * trampoline identically.  Nothing in it depends on where it lies.
 */
    .section .rodata.trampoline, "a"
    .code16
trampoline:
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    ENTER_LONG_MODE lgdtl gdt_pointer - trampoline
    ljmpl $8, $MADDR(arrive_low)

gdt_pointer:
    .word BOOT_GDT_LIMIT
    .long MADDR(boot_gdt)
trampoline_end:

    .text
    .code64
arrive_low:
    movabs $arrive, %rax
    jmp *%rax

arrive:
    lea hv_l4(%rip), %rax
    movabs $IMAGE_BASE, %rcx
    sub %rcx, %rax
    mov %rax, %cr3 /* Nothing is mapped identically from here on. */

    CLEAR_SEGMENTS
    xchg %rax, trampoline_stack(%rip)
    test %rax, %rax
    jz 1f
    mov %rax, %rsp
    xor %ebp, %ebp /* the end of every backtrace */
    call upcall_start_cpu
1:  cli
    hlt
    jmp 1b

    .bss
    .balign 4096
.irp table, l4, l3_image, l3_low, l2_cpu, l1_cpu, l1_gdt
boot_\table:
    .skip 4096
.endr
boot_l2_low:
    .skip 4 * 4096
zero_page:
    .skip 4096
boot_cpu_pages: /* The GDT's follows: boot/memory.c counts on it. */
    .skip CPU_AREA_PAGES_MAPPED * 4096
boot_gdt_page:
    .skip 4096
trampoline_stack:
    .skip 8

    .section .note.GNU-stack, "", @progbits
