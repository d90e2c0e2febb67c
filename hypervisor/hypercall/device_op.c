/* SPDX-License-Identifier: BSD-2-Clause */
/* device_op: fetch the arguments, then call the device room. */

#include "device/pci.h"
#include "hypercall/subop.h"

/* Pages pinned or unpinned before pending work is looked at. */
#define DMA_QUANTUM 32U

static int op_find(struct domain *d, struct device_find *op)
    __must_hold(device_lock)
{
    const struct pci_device *dev = pci_find_nth(d, op->index);

    if (!dev)
        return -ENOENT;
    op->sbdf = dev->sbdf;
    op->vendor = dev->vendor;
    op->device = dev->device;
    op->class_code = dev->class_code;
    return 0;
}

/* Those about one function; -EAGAIN: to be made again. */
static int op_function(struct domain *d, struct device_op *op)
    __must_hold(device_lock)
{
    struct pci_device *dev = pci_find(d, op->u.sbdf);

    if (!dev)
        return -ENODEV;

    switch (op->cmd) {
    case DEVICE_OP_config_read:
        return config_owner_read(dev, &op->u.config);
    case DEVICE_OP_config_write:
        return config_owner_write(dev, &op->u.config);
    case DEVICE_OP_bar_map:
        return bar_map(d, dev, &op->u.bar_map);
    case DEVICE_OP_irq_bind:
        return msix_bind(dev, op->u.irq_bind.entry, &op->u.irq_bind.port);
    default:
        return reset_step(dev);
    }
}

/* Pin a quantum and say where the pages are; what fails is not pinned. */
static int pin_some(struct domain *d, struct device_dma *op, uint32_t count)
{
    uint64_t maddr[DMA_QUANTUM];
    uint32_t done = 0;
    int rc = 0;

    for (; done < count; done++) {
        rc = dma_pin(d, op->gfn + done, &maddr[done]);
        if (rc)
            break;
    }
    if (rc == 0)
        rc = copy_to_guest(guest_ptr(op->maddr), maddr,
                           count * sizeof(maddr[0]));
    while (rc && done)
        (void)dma_unpin(d, op->gfn + --done);
    return rc;
}

/* What is left goes back into the structure. */
static int op_dma(struct domain *d, struct device_op *op)
{
    struct device_dma *dma = &op->u.dma;
    uint32_t count = dma->count < DMA_QUANTUM ? dma->count : DMA_QUANTUM;
    int rc = 0;

    if (dma->count > DEVICE_DMA_MAX)
        return -EINVAL;
    if (op->cmd == DEVICE_OP_dma_map)
        rc = pin_some(d, dma, count);
    else
        for (uint32_t i = 0; i < count && rc == 0; i++)
            rc = dma_unpin(d, dma->gfn + i);
    if (rc)
        return rc;
    dma->gfn += count;
    dma->maddr += count * sizeof(uint64_t);
    dma->count -= count;
    return dma->count ? -EAGAIN : 0;
}

static int make(struct domain *d, struct device_op *op)
{
    if (op->cmd == DEVICE_OP_dma_map || op->cmd == DEVICE_OP_dma_unmap)
        return op_dma(d, op);
    if (op->cmd < DEVICE_OP_find || op->cmd > DEVICE_OP_reset)
        return -ENOSYS;
    SPIN_GUARD(&device_lock);
    return op->cmd == DEVICE_OP_find ? op_find(d, &op->u.find)
                                     : op_function(d, op);
}

long hypercall_device_op(uint64_t a1)
{
    struct domain *d = current->domain;
    struct device_op op;

    if (d->pv)
        return -ENOSYS;
    if (!policy_allows(d, POLICY_device))
        return -EPERM;
    if (copy_from_guest(&op, guest_ptr(a1), sizeof(op)))
        return -EFAULT;
    if (op.version != DEVICE_OP_VERSION)
        return -EACCES;
    return subop_end(guest_ptr(a1), &op, sizeof(op), make(d, &op));
}
