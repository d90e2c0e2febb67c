/* SPDX-License-Identifier: MIT */
/*
 * A domain's console: two byte rings in one page.  Indices run freely and are
 * masked by the ring's size; a producer may be at most one size ahead.
 */

#ifndef ABI_IO_CONSOLE_H
#define ABI_IO_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#define XENCONS_IN_BYTES  1024U
#define XENCONS_OUT_BYTES 2048U

struct xencons_interface {
    char in[XENCONS_IN_BYTES];   /* to the guest */
    char out[XENCONS_OUT_BYTES]; /* from the guest */
    uint32_t in_cons, in_prod;
    uint32_t out_cons, out_prod;
};

_Static_assert(offsetof(struct xencons_interface, in_cons) == 3072, "ABI");
_Static_assert(sizeof(struct xencons_interface) == 3088, "ABI");

#endif /* ABI_IO_CONSOLE_H */
