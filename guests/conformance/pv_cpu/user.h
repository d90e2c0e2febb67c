/* SPDX-License-Identifier: BSD-2-Clause */
/* To user mode and back: user.S. */

#ifndef PV_CPU_USER_H
#define PV_CPU_USER_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/multicall.h>
#include <abi/trap.h>

/* Register the way back, a kernel stack, and the same tables for the user. */
bool user_begin(void);

/* And take it all back. */
void user_end(void);

/*
 * iret with @context.  user_came: how often a program came back since by
 * syscall, from user_code or wherever it was; else it ends as a fault does.
 */
void user_go(const struct iret_context *context);
extern uint64_t user_came;

/* The same by a multicall of @count @calls, of which one is iret. */
void user_list(const struct iret_context *context,
               struct multicall_entry *calls, unsigned int count);

/* fault_probe() of user_go(). */
bool user_probe(const struct iret_context *context);

/* A program: SYSCALL. */
extern const char user_code[];

/* One that reads the first word of the M2P before. */
extern const char user_reads_m2p[];

/* One that notes two registers before. */
extern const char user_shows[];
extern uint64_t user_rcx, user_r11;

/* Its context, ready to go. */
struct iret_context user_context(void);

/* The kernel's stack for what comes from there. */
extern uint8_t user_kernel_stack[];
#define USER_KERNEL_STACK 8192

#endif /* PV_CPU_USER_H */
