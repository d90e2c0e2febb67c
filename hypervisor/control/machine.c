/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of control_op about the machine. */

#include "control/control.h"

#include "arch/x86_64/smp.h"
#include "memory/frame.h"

/* --- What the control domain may know of the machine, and its debug keys - */

/* Bytes of the log copied at a time, and before pending work is looked at. */
#define LOG_PIECE_BYTES   256U
#define LOG_QUANTUM_BYTES 4096U

int control_host_info(struct control_host_info *op)
{
    struct frame_totals totals;

    frame_totals(&totals);
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
    for (uint32_t n = 0; n < LOG_QUANTUM_BYTES; n += LOG_PIECE_BYTES) {
        int rc = read_piece(op);

        if (rc)
            return rc == -ENODATA ? 0 : rc;
    }
    return -EAGAIN;
}

int control_debug_key(const struct control_debug_key *op)
{
    debug_key_press((char)op->key);
    return 0;
}

/* --- The boot modules behind the first ----------------------------------- */

/* As many as boot/boot_info.h keeps. */
#define MODULES_MAX 64U

static struct {
    gfn_t gfn;
    uint64_t bytes;
    const char *string;
} modules[MODULES_MAX];
static uint32_t module_count;

void module_add(gfn_t g, uint64_t bytes, const char *string)
{
    if (module_count == MODULES_MAX)
        panic("more than %u boot modules", MODULES_MAX);
    modules[module_count].gfn = g;
    modules[module_count].bytes = bytes;
    modules[module_count++].string = string;
}

int control_module(struct control_module *op)
{
    uint64_t n = index_nospec(op->index, MODULES_MAX);
    char string[CONTROL_MODULE_STRING] = {0};

    if (op->index >= module_count)
        return -ENOENT;
    string_copy(string, modules[n].string, sizeof(string));
    if (copy_to_guest(guest_ptr(op->string), string, sizeof(string)))
        return -EFAULT;
    op->gfn = (uint32_t)modules[n].gfn.raw;
    op->bytes = modules[n].bytes;
    return 0;
}
