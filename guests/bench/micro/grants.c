/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants of one page of this domain to itself: mapped, unmapped, copied. */

#include "micro/measure.h"

#include <stdint.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/machine.h"
#include "framework/print.h"

#define REF   20U
#define SMALL 64U

PAGES(shared, 1);
PAGES(target, 1);

static struct gnttab_map_grant_ref mapping, *mapping_at;
static struct gnttab_unmap_grant_ref unmapping, *unmapping_at;
static struct gnttab_copy copying, *copying_at;

OPERATION(map)
{
    return hypercall_grant_table_op(GNTTABOP_map_grant_ref, mapping_at, 1);
}

OPERATION(unmap)
{
    return hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, unmapping_at, 1);
}

OPERATION(copy)
{
    return hypercall_grant_table_op(GNTTABOP_copy, copying_at, 1);
}

static void prepare_map(void)
{
    mapping = (struct gnttab_map_grant_ref){.host_addr = grant_slot(0),
                                            .flags = GNTMAP_host_map,
                                            .ref = REF,
                                            .dom = own_domid};
}

static void prepare_unmap(void)
{
    prepare_map();
    map();
    unmapping = (struct gnttab_unmap_grant_ref){.host_addr = grant_slot(0),
                                                .handle = mapping.handle};
}

static long check_map(long rc)
{
    if (rc == 0)
        rc = mapping.status;
    if (rc == 0)
        rc = grant_unmap(mapping.handle, grant_slot(0));
    return rc;
}

static long check_unmap(long rc)
{
    return rc != 0 ? rc : unmapping.status;
}

static void prepare_copy(uint16_t size)
{
    copying = (struct gnttab_copy){
        .source = {.u.ref = REF, .domid = own_domid},
        .dest = {.u.gmfn = frame_of(target), .domid = DOMID_SELF},
        .len = size,
        .flags = GNTCOPY_source_gref,
    };
}

static void prepare_small(void)
{
    prepare_copy(SMALL);
}

static void prepare_page(void)
{
    prepare_copy(PAGE_SIZE);
}

static long check_copy(long rc)
{
    return rc != 0 ? rc : copying.status;
}

void measure_grants(void)
{
    static const struct operation operations[] = {
        {"grant_map", map, prepare_map, check_map},
        {"grant_unmap", unmap, prepare_unmap, check_unmap},
        {"grant_copy_64", copy, prepare_small, check_copy},
        {"grant_copy_4096", copy, prepare_page, check_copy},
    };

    if (!grants_init()) {
        print("no grant table\n");
        return;
    }
    mapping_at = upper(&mapping);
    unmapping_at = upper(&unmapping);
    copying_at = upper(&copying);
    /* Both pages are there before the first copy. */
    shared[0] = target[0] = 1;
    grant_give(REF, own_domid, shared, 0);
    for (unsigned int i = 0; i < sizeof(operations) / sizeof(*operations); i++)
        measure(&operations[i]);
    grant_take_back(REF);
}
