/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling in grant copies. */

#include "net/copy_batch.h"

#include <rt/grant.h>

#include "net/packet.h"

static struct gnttab_copy_ptr lent(const struct copy_end *end)
{
    return (struct gnttab_copy_ptr){
        .u.ref = end->ref, .domid = end->domid, .offset = end->offset};
}

static struct gnttab_copy_ptr own(const struct packet *packet, uint16_t at)
{
    return (struct gnttab_copy_ptr){
        .u.gmfn = packet->page_gfn,
        .domid = DOMID_SELF,
        .offset = (uint16_t)(packet->page_offset + at),
    };
}

void copy_batch_in(struct copy_batch *batch, const struct copy_end *from,
                   const struct packet *to, uint16_t at, uint16_t bytes)
{
    batch->op[batch->count++] = (struct gnttab_copy){
        .source = lent(from),
        .dest = own(to, at),
        .len = bytes,
        .flags = GNTCOPY_source_gref,
    };
}

void copy_batch_out(struct copy_batch *batch, const struct packet *from,
                    uint16_t at, const struct copy_end *to, uint16_t bytes)
{
    batch->op[batch->count++] = (struct gnttab_copy){
        .source = own(from, at),
        .dest = lent(to),
        .len = bytes,
        .flags = GNTCOPY_dest_gref,
    };
}

void copy_batch_across(struct copy_batch *batch, const struct copy_end *from,
                       const struct copy_end *to, uint16_t bytes)
{
    batch->op[batch->count++] = (struct gnttab_copy){
        .source = lent(from),
        .dest = lent(to),
        .len = bytes,
        .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref,
    };
}

void copy_batch_run(struct copy_batch *batch)
{
    if (batch->count == 0 || rt_grant_copy(batch->op, batch->count) == 0)
        return;
    /* Refused as a whole: some may have been carried out; none counts. */
    for (uint32_t i = 0; i < batch->count; i++)
        batch->op[i].status = GNTST_general_error;
}

bool copy_batch_okay(const struct copy_batch *batch, uint32_t first,
                     uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        if (batch->op[i].status != GNTST_okay)
            return false;
    return true;
}
