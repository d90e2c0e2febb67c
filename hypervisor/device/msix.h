/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X: each entry of a function's table raises one vector, which is one
 * event channel port of the owner.  Only the hypervisor writes the table, for
 * an entry is an address and a value that the function will write there.
 *
 * An entry is masked while nothing is bound to it.  One that keeps
 * interrupting while its owner has not looked is masked for a while, and
 * reported.
 */

#ifndef DEVICE_MSIX_H
#define DEVICE_MSIX_H

#include <stdbool.h>
#include <stdint.h>

#include "device/pci.h"
#include "lib/compiler.h"

/* Learn what the function has; at start-up. */
void msix_scan(struct pci_device *dev) __must_hold(device_lock);

/* Whether page @page of BAR @bar holds the table or the pending bits. */
bool msix_owns_page(const struct pci_device *dev, unsigned int bar,
                    uint64_t page);

/* device_op irq_bind: entry @entry to a new port of @d. */
int __must_check msix_bind(struct domain *d, struct pci_device *dev,
                           uint32_t entry, uint32_t *port)
    __must_hold(device_lock);

/* Mask and unbind all entries; their ports never fire again. */
void msix_unbind_all(struct pci_device *dev) __must_hold(device_lock);

/* After a reset, which cleared the table: write it again. */
void msix_restore(struct pci_device *dev) __must_hold(device_lock);

#endif /* DEVICE_MSIX_H */
