/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Further vCPUs of a test guest, on Cairn and on Xen alike.
 *
 * Each has a stack of its own, the guest's own trap table and callbacks, and
 * begins with upcalls masked.  vcpu_start() may be called again and again: the
 * vCPU comes up once, and then waits off line between the functions it runs.
 *
 * Probes (fault_probe), traps and upcalls work on any vCPU; print() and
 * EXPECT_..() are for one at a time.
 */

#ifndef FRAMEWORK_VCPU_H
#define FRAMEWORK_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/vcpu.h>

/* Those that the framework has stacks for, the first one included. */
#define VCPU_COUNT 4U

typedef void vcpu_fn(uint64_t argument);

/* The vCPU that this runs on. */
unsigned int vcpu_self(void);

/* How many there are, up to VCPU_COUNT. */
unsigned int vcpu_count(void);

/*
 * Run @fn(@argument) on vCPU @id, 1 .. VCPU_COUNT - 1, which runs nothing.
 * False, and noted as an error of the case: it cannot be.
 */
bool vcpu_start(unsigned int id, vcpu_fn *fn, uint64_t argument);

/* In a child: none has been started, whatever its parent did. */
void vcpus_forget(void);

/* Whether its function has returned, or none was started. */
bool vcpu_done(unsigned int id);

/*
 * Give way until it has; false, and noted as an error: it has not within a
 * minute.
 */
bool vcpu_wait(unsigned int id);

/* Give way until @condition, in a case that returns void. */
#define YIELD_UNTIL(condition)                                                 \
    do {                                                                       \
        while (!(condition))                                                   \
            vcpu_yield();                                                      \
    } while (0)
void vcpu_yield(void);

/* What VCPUOP_initialise takes for vCPU @id to enter @entry. */
const struct vcpu_guest_context *vcpu_context(unsigned int id, uint64_t entry);

/* The same for what vcpu_start() expects of a vCPU, and gives it otherwise. */
const struct vcpu_guest_context *vcpu_own_context(unsigned int id);

#define SKIP_UNLESS_VCPUS(count)                                               \
    do {                                                                       \
        if (vcpu_count() < (count))                                            \
            SKIP("this domain has too few vCPUs");                             \
    } while (0)

#endif /* FRAMEWORK_VCPU_H */
