/* SPDX-License-Identifier: BSD-2-Clause */
/* console_io: lines for the machine's console, and what was typed there. */

#include <abi/console_io.h>

#include "core/console.h"
#include "hypercall/hypercall.h"

/* A piece is copied to the stack, and the UART is slow: a quantum. */
#define PIECE_BYTES 128U

/* A line ends a little longer than it is: "(d65535) " and a carriage return. */
#define LINE_MORE   10U
#define PIECE_LINES 12U

/*
 * What a domain without the console right may write: a burst, then a steady
 * rate.  What is beyond is dropped, for it would slow everybody else.
 */
#define NS_PER_BYTE 62500UL /* 16,000 bytes a second */
#define BURST_NS    (16384 * NS_PER_BYTE)

/* Whether @d may write @size bytes now, and if so they are counted. */
static bool within_rate(struct domain *d, size_t size)
{
    if (policy_allows(d, POLICY_console))
        return true;
    SPIN_GUARD(&d->lock);
    return time_pays(&d->console_paid_until, size * NS_PER_BYTE, BURST_NS);
}

/* How much of a piece is written at once; *@lines end in that. */
static size_t cut(const char *piece, size_t size, size_t *lines)
{
    size_t at = 0;

    for (*lines = 0; at < size && *lines < PIECE_LINES; at++)
        *lines += piece[at] == '\n';
    return at;
}

static long op_write(uint64_t count, uint64_t va)
{
    char piece[PIECE_BYTES];
    size_t size = count < sizeof(piece) ? count : sizeof(piece), lines;
    struct domain *d = current->domain;

    if (copy_from_guest(piece, guest_ptr(va), size))
        return -EFAULT;
    size = cut(piece, size, &lines);
    if (within_rate(d, size + lines * LINE_MORE))
        console_write_domain(d->domid, piece, size);
    if (size == count)
        return 0;
    hypercall_set_arg(2, count - size);
    hypercall_set_arg(3, va + size);
    return hypercall_continue();
}

static long op_read(uint64_t count, uint64_t va)
{
    char piece[PIECE_BYTES];
    size_t size = count < sizeof(piece) ? count : sizeof(piece);

    if (!policy_allows(current->domain, POLICY_console))
        return -EPERM;
    if (count > INT32_MAX)
        return -E2BIG;

    /* Look at the buffer before what was typed is taken from where it is. */
    if (copy_from_guest(piece, guest_ptr(va), size))
        return -EFAULT;
    size = console_read(piece, size);
    if (copy_to_guest(guest_ptr(va), piece, size))
        return -EFAULT;
    return (long)size;
}

long hypercall_console_io(uint64_t a1, uint64_t a2, uint64_t a3)
{
    switch (a1) {
    case CONSOLEIO_write:
        return op_write((uint32_t)a2, a3);
    case CONSOLEIO_read:
        return op_read((uint32_t)a2, a3);
    default:
        return -ENOSYS;
    }
}
