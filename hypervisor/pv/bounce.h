/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending the current vCPU to a handler of its own kernel, as if an exception
 * or interrupt had come straight from the processor (ABI 5.1).
 */

#ifndef PV_BOUNCE_H
#define PV_BOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"

struct bounce {
    uint64_t address; /* of the handler */
    bool mask_events; /* the upcall mask becomes 1 */
    bool has_error_code;
    uint32_t error_code;
};

/*
 * Push the frame and set the registers to the handler's entry.  0; or the
 * current vCPU cannot go on as it is: it waits for memory, and will repeat
 * what led here (-EAGAIN), or its domain has crashed (-EFAULT).
 */
int bounce(const struct bounce *b);

/*
 * To the handler of trap @vector; the domain crashes if there is none.  True
 * if the handler was entered.
 */
bool bounce_trap(uint8_t vector, bool has_error_code, uint32_t error_code);

#endif /* PV_BOUNCE_H */
