/* SPDX-License-Identifier: BSD-2-Clause */
/* To user mode and back: user.S. */

#ifndef PV_CPU_USER_H
#define PV_CPU_USER_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/multicall.h>
#include <abi/trap.h>

/*
 * Register the way back, a kernel stack, and the same tables for the user, in
 * which the image is once more, in the upper half of the addresses and where
 * the hypervisor expects a kernel.
 */
bool user_begin(void);

/* And take it all back. */
void user_end(void);

/* So far above is the second image. */
#define USER_UPPER_SLOT 304U
#define USER_UPPER      (~0UL << 48 | (uint64_t)USER_UPPER_SLOT << 39)

/* Use the stack and iret's frame there, or not; with upcalls masked on entry.
 */
bool user_kernel(bool upper, bool masks);
extern uint64_t user_above; /* USER_UPPER or 0 */

/* Register it for programs' SYSCALL: an error. */
long user_callback(uint64_t address, uint16_t flags);

/*
 * iret with @context.  user_came: how often a program came back since by
 * syscall, from user_code or wherever it was; else it ends as a fault does.
 */
void user_go(const struct iret_context *context);
extern uint64_t user_came;

/* The same by a multicall of @count @calls, of which one is iret. */
void user_list(const struct iret_context *context,
               struct multicall_entry *calls, unsigned int count);

/* fault_probe() of user_go(); user_masked: whether upcalls were, after it. */
bool user_probe(const struct iret_context *context);
extern bool user_masked;

/* A program: SYSCALL. */
extern const char user_code[];

/*
 * What the last one came back with: all registers but rsp, by their numbers;
 * the kernel's rsp and flags; and its frame.  user_go() leaves there with
 * USER_REGISTER(n) in each that the context does not say.
 */
struct user_seen {
    uint64_t reg[16];
    uint64_t rsp, rflags;
    uint64_t frame[7];
    uint64_t gs; /* the word at the kernel's GS base, if that is not 0 */
};
extern struct user_seen user_seen;
#define USER_REGISTER(n)   (0x100UL + (n))
#define USER_SYSCALL_BYTES 2

/* One that reads the first word of the M2P before, or that at its GS base. */
extern const char user_reads_m2p[], user_reads_gs[];

/* One that makes an upcall due before, or executes CLI. */
extern const char user_raises[], user_cli[];

/* One that notes two registers before. */
extern const char user_shows[];
extern uint64_t user_rcx, user_r11;

/* Its context, ready to go. */
struct iret_context user_context(void);

/* The kernel's stack for what comes from there. */
extern uint8_t user_kernel_stack[];
#define USER_KERNEL_STACK 8192

#endif /* PV_CPU_USER_H */
