/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a worker, step by step; others may take it away between any two.
 */

#include <abi/control.h>
#include <abi/cpuid.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"
#include "stress/stress.h"

#define EXTRA_PAGES 64U

extern const char rt_text_start[], rt_text_end[];
extern char rt_image_end[], test_guard[], test_stack_end[];

static long create(domid_t domid)
{
    uint64_t pages = frame_of(rt_image_end) + EXTRA_PAGES;
    struct control_op op = {
        .cmd = CONTROL_OP_create,
        .domid = domid,
        .u.create = {.class = CAIRN_CLASS_LIGHT,
                     .vcpu_count = 2,
                     .virt_base = layout.virt_base,
                     .reserved_pages = pages,
                     .max_pages = pages,
                     .max_ports = 63,
                     .grant_frames = 2,
                     .maptrack_max = 32,
                     .grant_window = 16,
                     .weight = 256},
    };

    return control(&op);
}

static long set_text(domid_t domid)
{
    uint64_t text = frame_of(rt_text_start);
    struct control_op op = {
        .cmd = CONTROL_OP_set_region,
        .domid = domid,
        .u.set_region = {.gfn = text,
                         .count = frame_of(rt_text_end + PAGE_SIZE - 1) - text,
                         .prot = LIGHT_PROT_execute},
    };

    return control(&op);
}

static long copy_to(domid_t domid, const void *where, const void *from,
                    uint32_t size)
{
    struct control_op op = {
        .cmd = CONTROL_OP_copy_to,
        .domid = domid,
        .u.copy = {.gfn = frame_of(where),
                   .offset = (uint32_t)(hypercall_ptr(where) % PAGE_SIZE),
                   .buffer = hypercall_ptr(from),
                   .size = size},
    };

    return control(&op);
}

static bool is_zero(const char *page)
{
    const uint64_t *words = (const uint64_t *)(const void *)page;

    for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        if (words[i] != 0)
            return false;
    return true;
}

/* As it is now: a worker sets up anew whatever changes. */
static long copy_image(domid_t domid)
{
    long rc = 0;

    for (const char *page = rt_text_start; rc == 0 && page < test_guard;
         page += PAGE_SIZE)
        if (!is_zero(page))
            rc = copy_to(domid, page, page, PAGE_SIZE);
    return rc;
}

static long set_start(domid_t domid)
{
    struct control_op op = {
        .cmd = CONTROL_OP_set_start,
        .domid = domid,
        .u.set_start = {.rip = (uint64_t)(uintptr_t)worker_main,
                        .rsp = hypercall_ptr(test_stack_end) - 8},
    };

    return control(&op);
}

long make_worker(domid_t domid, uint64_t seed)
{
    struct worker_order order = {.seed = seed, .domid = domid};
    struct control_op op = {.cmd = CONTROL_OP_unpause, .domid = domid};
    long rc = create(domid);

    if (rc == 0)
        rc = set_text(domid);
    if (rc == 0)
        rc = copy_image(domid);
    if (rc == 0)
        rc = copy_to(domid, &worker_order, &order, sizeof(order));
    if (rc == 0)
        rc = set_start(domid);
    return rc == 0 ? control(&op) : rc;
}
