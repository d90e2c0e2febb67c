/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control domain may know of the machine, and its debug keys. */

#include "control/control.h"

#include "arch/x86_64/smp.h"
#include "memory/frame.h"

/* Bytes of the log copied at a time, and before pending work is looked at. */
#define LOG_PIECE_BYTES   256U
#define LOG_QUANTUM_BYTES 4096U

int control_host_info(struct control_host_info *op)
{
    struct frame_totals totals = frame_totals();

    *op = (struct control_host_info){
        .total_pages = totals.total,
        .free_pages = totals.free,
        .unreserved_pages = totals.unreserved,
        .uptime_ns = time_now(),
        .cpu_count = cpu_count,
        .tsc_khz = tsc_khz,
        .domain_count = domain_count(),
        .domain_max = DOMAIN_MAX,
    };
    return 0;
}

/* One piece; -ENODATA: there is no more, or no more room. */
static int read_piece(struct control_log_read *op)
{
    char piece[LOG_PIECE_BYTES];
    uint64_t position = op->position;
    uint32_t room = op->size < sizeof(piece) ? op->size : sizeof(piece);
    uint32_t size = (uint32_t)log_read(&position, piece, room);

    if (!size)
        return -ENODATA;
    if (copy_to_guest(guest_ptr(op->buffer), piece, size))
        return -EFAULT;
    op->position = position;
    op->buffer += size;
    op->size -= size;
    op->count += size;
    return 0;
}

int control_log_read(struct control_log_read *op)
{
    int rc = 0;

    for (uint32_t n = 0; rc == 0; n += LOG_PIECE_BYTES)
        rc = n < LOG_QUANTUM_BYTES ? read_piece(op) : -EAGAIN;
    return rc == -ENODATA ? 0 : rc;
}

int control_debug_key(const struct control_debug_key *op)
{
    debug_key_press((char)op->key);
    return 0;
}
