/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resetting a function, where it can be reset by itself.
 *
 * The function may take 100 ms and is not to be touched meanwhile; nobody
 * waits for that in the hypervisor: whoever wants the reset asks until it is
 * over.
 */

#ifndef DEVICE_RESET_H
#define DEVICE_RESET_H

#include "device/pci.h"
#include "lib/compiler.h"

/* No DMA from now on. */
void reset_quiesce(struct pci_device *dev) __must_hold(device_lock);

/*
 * Begin, or look whether it is over: 0, the function is as after power-on but
 * where it was; -EAGAIN: ask again; -ENODEV: it cannot be reset.
 */
int __must_check reset_step(struct pci_device *dev) __must_hold(device_lock);

#endif /* DEVICE_RESET_H */
