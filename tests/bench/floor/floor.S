/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor program, its assembly: from Multiboot to 64-bit mode, ring 3 loops
 * that time one thing each, and the shortest ways through ring 0 and back that
 * still do what a hypervisor has to do.
 */

#define MULTIBOOT_MAGIC 0x1badb002

#define CODE0  0x08
#define DATA0  0x10
#define DATA3  0x1b
#define CODE3  0x23
#define TSS    0x28

#define CR0_PE_PG 0x80000011
#define CR4_PAE   0x20
#define EFER      0xc0000080
#define EFER_LME_SCE 0x101

/* Present, writable, for ring 3 too. */
#define PTE_TABLE 0x07
#define PTE_LARGE 0x87

/* Nothing is mapped from here on. */
    .set    hole, 0x40000000

#define LAST_CALL 63

/* cpu_block, by gs */
#define KERNEL_STACK 0
#define USER_STACK   8
#define PENDING      16

    .text
    .code32
    .balign 8
    .long   MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

    .globl  start
start:
    cli
    cld
    movl    $level3 + PTE_TABLE, level4
    movl    $level2 + PTE_TABLE, level3
    mov     $level2, %edi
    mov     $PTE_LARGE, %eax
    mov     $512, %ecx
1:  mov     %eax, (%edi)
    add     $0x200000, %eax
    add     $8, %edi
    loop    1b
    mov     $CR4_PAE, %eax
    mov     %eax, %cr4
    mov     $level4, %eax
    mov     %eax, %cr3
    mov     $EFER, %ecx
    mov     $EFER_LME_SCE, %eax
    xor     %edx, %edx
    wrmsr
    mov     $CR0_PE_PG, %eax
    mov     %eax, %cr0
    lgdt    gdt_pointer
    ljmp    $CODE0, $start64

    .code64
start64:
    mov     $DATA0, %eax
    mov     %eax, %ss
    mov     %eax, %ds
    mov     %eax, %es
    mov     $kernel_stack_end, %rsp
    mov     $task_state, %rax           /* into the descriptor */
    mov     %ax, gdt_tss + 2
    shr     $16, %rax
    mov     %al, gdt_tss + 4
    mov     %ah, gdt_tss + 7
    mov     $TSS, %eax
    ltr     %ax
    call    floor_main
1:  hlt
    jmp     1b

/* --- ring 3 ----------------------------------------------------------------
 *
 * rdi is where the next sample goes, rsi how many are left; operations may use
 * all others.
 */
    .globl  enter_user
enter_user:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     %rsp, leave_stack
    mov     %rdi, %rax
    mov     %rdx, %rdi
    pushq   $DATA3
    pushq   $user_stack_end
    pushq   $2
    pushq   $CODE3
    push    %rax
    iretq

    .globl  trap_leave
trap_leave:
    mov     leave_stack, %rsp
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret

    .macro  LOOP name, operation
    .globl  \name
    .p2align 4
\name:
    rdtsc
    mov     %eax, %r15d
    \operation
    rdtsc
    sub     %r15d, %eax
    mov     %eax, (%rdi)
    add     $4, %rdi
    dec     %rsi
    jnz     \name
    int     $0x81
    .endm

    LOOP    user_nothing, ""
    LOOP    user_thousand, ".rept 1000; nop; .endr"
    LOOP    user_syscall, "xor %eax, %eax; syscall"
    LOOP    user_invalid, "ud2"
    LOOP    user_fault, "mov hole, %al"

    .globl  user_copy_page
    .p2align 4
user_copy_page:
    mov     %rdi, %r12
    mov     %rsi, %r13
1:  rdtsc
    mov     %eax, %r15d
    mov     $512, %ecx
    mov     $page_from, %esi
    mov     $page_to, %edi
    rep movsq
    rdtsc
    sub     %r15d, %eax
    mov     %eax, (%r12)
    add     $4, %r12
    dec     %r13
    jnz     1b
    int     $0x81

/* What a guest's kernel does with a bounced fault: go on behind the load. */
user_handler:
    pop     %rcx
    pop     %r11
    addq    $7, (%rsp)
    iretq

/* --- SYSCALL --------------------------------------------------------------- */

    .globl  call_bare, call_saved, call_checked
call_bare:
    sysretq

    .macro  SAVE
    swapgs
    mov     %rsp, %gs:USER_STACK
    mov     %gs:KERNEL_STACK, %rsp
    push    %rax
    push    %rcx
    push    %rdx
    push    %rbx
    push    %rbp
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    .endm

    .macro  RESTORE
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rbp
    pop     %rbx
    pop     %rdx
    pop     %rcx
    pop     %rax
    mov     %gs:USER_STACK, %rsp
    swapgs
    sysretq
    .endm

call_saved:
    SAVE
    call    *call_table(, %rax, 8)
    mov     %rax, 14 * 8(%rsp)
    RESTORE

call_checked:
    SAVE
    cmp     $LAST_CALL, %rax
    ja      refused
    mov     %r10, %rcx
    sti
    call    *call_table(, %rax, 8)
    mov     %rax, 14 * 8(%rsp)
    cli
    cmpl    $0, %gs:PENDING
    jne     refused
    mov     13 * 8(%rsp), %rcx          /* rip must be canonical */
    mov     %rcx, %rax
    sar     $47, %rax
    jnz     refused
    andl    $0x3c7fd7, 4 * 8(%rsp)
    RESTORE

refused:
    hlt

null_call:
    xor     %eax, %eax
    ret

/* --- exceptions ------------------------------------------------------------ */

    .globl  trap_invalid, trap_bounce
trap_invalid:
    addq    $2, (%rsp)
    iretq

/* A frame on the ring 3 stack, as a guest's kernel expects it; then there. */
trap_bounce:
    lea     8(%rsp), %rsp               /* error code */
    push    %rax
    push    %rbx
    mov     5 * 8(%rsp), %rbx
    and     $~15, %rbx
    mov     6 * 8(%rsp), %rax
    mov     %rax, -8(%rbx)
    mov     5 * 8(%rsp), %rax
    mov     %rax, -16(%rbx)
    mov     4 * 8(%rsp), %rax
    mov     %rax, -24(%rbx)
    mov     3 * 8(%rsp), %rax
    mov     %rax, -32(%rbx)
    mov     2 * 8(%rsp), %rax
    mov     %rax, -40(%rbx)
    mov     %r11, -48(%rbx)
    mov     %rcx, -56(%rbx)
    lea     -56(%rbx), %rbx
    mov     %rbx, 5 * 8(%rsp)
    movq    $user_handler, 2 * 8(%rsp)
    pop     %rbx
    pop     %rax
    iretq

    .data
    .balign 8
gdt:
    .quad   0
    .quad   0x00af9a000000ffff          /* CODE0 */
    .quad   0x00cf92000000ffff          /* DATA0 */
    .quad   0x00cff2000000ffff          /* DATA3 */
    .quad   0x00affa000000ffff          /* CODE3 */
gdt_tss:
    .quad   0x0000890000000067, 0
gdt_end:
gdt_pointer:
    .word   gdt_end - gdt - 1
    .long   gdt

    .balign 8
call_table:
    .rept   LAST_CALL + 1
    .quad   null_call
    .endr

    .bss
    .globl  kernel_stack_end, task_state, cpu_block
    .balign 4096
level4:    .skip 4096
level3:    .skip 4096
level2:    .skip 4096
page_from: .skip 4096
page_to:   .skip 4096
           .skip 16384
kernel_stack_end:
           .skip 8192
user_stack_end:
leave_stack: .skip 8
cpu_block:   .skip 24
task_state:  .skip 104

    .section .note.GNU-stack, "", @progbits
