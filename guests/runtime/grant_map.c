/* SPDX-License-Identifier: BSD-2-Clause */
/* Using grants of others: the window they are mapped in, and copies. */

#include <rt/grant.h>

#include <stdlib.h>

#include <abi/errno.h>

#include <rt/hypercall.h>
#include <rt/page.h>
#include <rt/start.h>

#include "page_map.h"

/* Entries made on the stack for one hypercall. */
#define BATCH 16U

static struct page_map window;

static int status_error(int16_t status)
{
    switch (status) {
    case GNTST_okay:
        return 0;
    case GNTST_eagain:
        return -ABI_EAGAIN;
    case GNTST_no_space:
        return -ABI_ENOSPC;
    default:
        return -ABI_EIO;
    }
}

static int window_init(void)
{
    void *storage;

    if (window.page_count)
        return 0;
    if (rt_layout.grant_pages == 0)
        return -ABI_ENOSYS;
    storage = calloc(1, page_map_bytes(rt_layout.grant_pages));
    if (!storage)
        return -ABI_ENOMEM;
    page_map_init(&window, storage, rt_layout.grant_pages);
    return 0;
}

static void *window_va(size_t page)
{
    return rt_gfn_va(rt_layout.grant_gfn + page);
}

static void unmap_pages(char *va, const grant_handle_t *handles, uint32_t count)
{
    struct gnttab_unmap_grant_ref ops[BATCH];

    for (uint32_t done = 0, n; done < count; done += n) {
        n = count - done < BATCH ? count - done : BATCH;
        for (uint32_t i = 0; i < n; i++)
            ops[i] = (struct gnttab_unmap_grant_ref){
                .host_addr = hypercall_ptr(va + (done + i) * PAGE_BYTES),
                .handle = handles[done + i],
            };
        hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, ops, n);
    }
}

/* *mapped: how many were, the first ones, also when it fails. */
static int map_pages(domid_t domid, const grant_ref_t *refs, uint32_t count,
                     uint32_t flags, char *va, grant_handle_t *handles,
                     uint32_t *mapped)
{
    struct gnttab_map_grant_ref ops[BATCH];
    int rc = 0;

    *mapped = 0;
    while (rc == 0 && *mapped < count) {
        uint32_t first = *mapped;
        uint32_t n = count - first < BATCH ? count - first : BATCH;

        for (uint32_t i = 0; i < n; i++)
            ops[i] = (struct gnttab_map_grant_ref){
                .host_addr = hypercall_ptr(va + (first + i) * PAGE_BYTES),
                .flags = flags,
                .ref = refs[first + i],
                .dom = domid,
                .status = GNTST_general_error,
            };
        rc = (int)hypercall_grant_table_op(GNTTABOP_map_grant_ref, ops, n);
        if (rc != 0)
            break;
        for (uint32_t i = 0; i < n; i++) {
            /* One that fails in the middle: take those behind it back. */
            if (rc == 0)
                rc = status_error(ops[i].status);
            if (rc == 0)
                handles[(*mapped)++] = ops[i].handle;
            else if (ops[i].status == GNTST_okay)
                unmap_pages(va + (first + i) * PAGE_BYTES, &ops[i].handle, 1);
        }
    }
    return rc;
}

int rt_grant_map(domid_t domid, const grant_ref_t *refs, uint32_t count,
                 bool writable, struct rt_grant_mapping *mapping)
{
    uint32_t flags = GNTMAP_host_map | (writable ? 0 : GNTMAP_readonly);
    uint32_t mapped;
    size_t page;
    int rc = window_init();

    if (rc != 0)
        return rc;
    mapping->handles = malloc(count * sizeof(grant_handle_t));
    if (!mapping->handles)
        return -ABI_ENOMEM;
    if (count == 0 || !page_map_take(&window, count, &page)) {
        free(mapping->handles);
        return -ABI_ENOSPC;
    }
    mapping->va = window_va(page);
    mapping->count = count;
    rc = map_pages(domid, refs, count, flags, mapping->va, mapping->handles,
                   &mapped);
    if (rc != 0) {
        mapping->count = mapped;
        unmap_pages(mapping->va, mapping->handles, mapped);
        page_map_release(&window, page, count);
        free(mapping->handles);
    }
    return rc;
}

void rt_grant_unmap(struct rt_grant_mapping *mapping)
{
    unmap_pages(mapping->va, mapping->handles, mapping->count);
    page_map_release(&window, rt_va_gfn(mapping->va) - rt_layout.grant_gfn,
                     mapping->count);
    free(mapping->handles);
    *mapping = (struct rt_grant_mapping){.va = NULL};
}

int rt_grant_copy(struct gnttab_copy *copies, uint32_t count)
{
    return (int)hypercall_grant_table_op(GNTTABOP_copy, copies, count);
}
