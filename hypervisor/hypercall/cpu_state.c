/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel of class pv has of its processor: descriptors and registers. */

#include "domain/pv_vcpu.h"
#include "hypercall/hypercall.h"

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
    return rc == -EBUSY ? -EINVAL : rc;
}
