/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several CPUs that take turns for the units under test: each has its own
 * per-CPU variables, and the test says which one it is on.
 */

#ifndef TESTS_UNIT_DOUBLES_TURNS_H
#define TESTS_UNIT_DOUBLES_TURNS_H

/* There are @count CPUs from now on, their variables as at the beginning. */
void cpus_make(unsigned int count);

/* The one that the test is on. */
extern unsigned int cpus_current;

#endif /* TESTS_UNIT_DOUBLES_TURNS_H */
