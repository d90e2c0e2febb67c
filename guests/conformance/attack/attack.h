/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks: what a hostile domain may try against its host and its neighbours.
 *
 * The guest is started by the control domain, without rights, with
 * "attack=NAME" on its command line.  It says "attack NAME: begun" on the
 * hypervisor's console, does its worst, and says "attack NAME: done"; some
 * never end.  "attack NAME: BROKEN: ..." means that it found something it
 * should not have been given.
 */

#ifndef ATTACK_ATTACK_H
#define ATTACK_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers from "seed=", the same for the same seed. */
void random_seed(uint64_t seed);
uint64_t random_next(void);
/* Below @limit, which is not 0. */
uint64_t random_below(uint64_t limit);

/* Tell of something that must not be. */
void broken(const char *what, uint64_t value);

/* Let time pass, with nothing to do. */
void idle_ns(uint64_t ns);

/* "rounds=" or what is usual for the attack. */
uint64_t rounds(uint64_t usual);

/* hypercalls.c */
void attack_pointers(void);
void attack_fuzz(void);

/* processor.c */
void attack_crash(void);
void attack_loop(void);
void attack_loop_open(void);
void attack_text(void);
void attack_faults(void);
void attack_yield(void);

/* exhaust.c */
void attack_memory(void);
void attack_ports(void);
void attack_grants(void);
void attack_timer(void);
void attack_print(void);

/* rings.c */
void attack_store(void);
void attack_store_flood(void);
void attack_console(void);
void attack_net(void);
void attack_net_toggle(void);
void attack_net_scan(void);
void attack_net_overshoot(void);

/* states.c */
void attack_net_states(void);

#endif /* ATTACK_ATTACK_H */
