/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant copies, gathered so that many packets cost one hypercall. */

#ifndef CONTROL_NET_COPY_BATCH_H
#define CONTROL_NET_COPY_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/grant_table.h>

struct packet;

/* 10 KiB of arguments; 64 packets of a few parts each. */
#define COPY_BATCH_MAX 256U

struct copy_batch {
    uint32_t count;
    struct gnttab_copy op[COPY_BATCH_MAX];
};

static inline bool copy_batch_has_room(const struct copy_batch *batch,
                                       uint32_t count)
{
    return batch->count + count <= COPY_BATCH_MAX;
}

/* One end of a copy: bytes of a page another domain has lent to us. */
struct copy_end {
    domid_t domid;
    grant_ref_t ref;
    uint16_t offset;
};

/* The caller has made sure of the room.  @at counts from the frame's start. */
void copy_batch_in(struct copy_batch *batch, const struct copy_end *from,
                   const struct packet *to, uint16_t at, uint16_t bytes);
void copy_batch_out(struct copy_batch *batch, const struct packet *from,
                    uint16_t at, const struct copy_end *to, uint16_t bytes);
void copy_batch_across(struct copy_batch *batch, const struct copy_end *from,
                       const struct copy_end *to, uint16_t bytes);

/* Carry them out; the results are in op[].status until the batch is reset. */
void copy_batch_run(struct copy_batch *batch);

/* All of op[first .. first + count) were carried out. */
bool copy_batch_okay(const struct copy_batch *batch, uint32_t first,
                     uint32_t count);

static inline void copy_batch_reset(struct copy_batch *batch)
{
    batch->count = 0;
}

#endif /* CONTROL_NET_COPY_BATCH_H */
