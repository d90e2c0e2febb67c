/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_iret: the way back from a bounce, with the upcall mask. */

#ifndef PV_IRET_H
#define PV_IRET_H

#include <abi/trap.h>

/* Load the current vCPU's registers from @frame, which the guest made. */
void iret_load(const struct iret_context *frame);

#endif /* PV_IRET_H */
