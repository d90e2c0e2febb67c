/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel of class pv has of its processor: descriptors and registers. */

#include "domain/pv_vcpu.h"
#include "hypercall/hypercall.h"
#include "memory/descriptor.h"
#include "pv/traps.h"

#define DESCRIPTORS_OF_PAGE (PAGE_SIZE / sizeof(uint64_t))

long hypercall_set_gdt(uint64_t a1, uint64_t a2)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    mfn_t frames[PV_GDT_FRAMES];
    uint64_t list[PV_GDT_FRAMES];
    size_t pages;
    int rc;

    if (a2 > PV_GDT_FRAMES * DESCRIPTORS_OF_PAGE)
        return -EINVAL;
    pages = (a2 + DESCRIPTORS_OF_PAGE - 1) / DESCRIPTORS_OF_PAGE;
    if (copy_bytes_from_guest(list, guest_ptr(a1), pages * sizeof(list[0])))
        return -EFAULT;
    for (size_t i = 0; i < pages; i++)
        frames[i] = mfn(list[i]);
    rc = pv_set_gdt(current, frames, (uint32_t)a2, &work);
    if (rc == -EAGAIN)
        return hypercall_continue();
    return rc;
}

/* In a page of a descriptor table, or in one that may become it. */
long hypercall_update_descriptor(uint64_t a1, uint64_t a2)
{
    struct pv_space *s = current->domain->pv;
    bool is_table, done = false;
    struct frame *f;

    if (a1 % sizeof(uint64_t) || !descriptor_fix(&a2))
        return -EINVAL;
    spin_lock(&s->base.lock);
    f = pv_frame(s, maddr_to_mfn(a1));
    if (f) {
        is_table = frame_type(f) == FRAME_DESCRIPTORS;
        done = is_table || frame_get_type(f, FRAME_WRITABLE);
        if (done)
            atomic_write((uint64_t *)((char *)mfn_to_virt(maddr_to_mfn(a1)) +
                                      a1 % PAGE_SIZE),
                         a2);
        if (done && !is_table)
            frame_put_type(f);
    }
    spin_unlock(&s->base.lock);
    return done ? 0 : -EINVAL;
}

long hypercall_fpu_taskswitch(uint64_t a1)
{
    pv_set_task_switched(current, a1);
    return 0;
}

long hypercall_set_debugreg(uint64_t a1, uint64_t a2)
{
    return pv_set_debugreg(current, (unsigned int)MIN(a1, PV_DEBUG_REGS), a2);
}

long hypercall_get_debugreg(uint64_t a1)
{
    uint64_t value = 0;
    int rc =
        pv_get_debugreg(current, (unsigned int)MIN(a1, PV_DEBUG_REGS), &value);

    return rc ? rc : (long)value;
}

/* An NMI comes in by trap 2, and masks events there as no other trap must. */
static long set_nmi_callback(uint64_t address)
{
    return trap_set(current, VECTOR_NMI, TRAP_MASK_EVENTS, address);
}

long hypercall_nmi_op(uint64_t a1, uint64_t a2)
{
    struct nmi_callback callback;

    if (a1 > NMIOP_unregister_callback)
        return -ENOSYS;
    if (a1 == NMIOP_unregister_callback)
        return set_nmi_callback(0);
    if (copy_from_guest(&callback, guest_ptr(a2), sizeof(callback)))
        return -EFAULT;
    return set_nmi_callback(callback.address);
}
