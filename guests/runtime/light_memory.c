/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address space in class light: the hypervisor has made it, and says where
 * everything is.
 */

#include <rt/page.h>

#include <abi/sched.h>

#include <rt/hypercall.h>
#include <rt/start.h>

#include "internal.h"

struct shared_info *rt_shared_info;

void rt_light_memory_init(void)
{
    const struct start_info *si = rt_start_info;
    struct page_range reserved[4];
    size_t count = 0;

    if (hypercall_light_op(LIGHT_OP_layout, &rt_layout) != 0)
        rt_shutdown(SHUTDOWN_crash);
    rt_shared_info = rt_gfn_va(si->shared_info / PAGE_BYTES);

    /* All of this may lie anywhere; the boot stack is not used any more. */
    reserved[count++] = (struct page_range){0, rt_va_gfn(rt_image_end)};
    reserved[count++] = (struct page_range){rt_va_gfn(si), 1};
    if (si->store_mfn)
        reserved[count++] = (struct page_range){si->store_mfn, 1};
    if (!rt_is_initial_domain() && si->console.domU.mfn)
        reserved[count++] = (struct page_range){si->console.domU.mfn, 1};
    rt_pages_init(reserved, count);
}
