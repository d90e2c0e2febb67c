/* SPDX-License-Identifier: MIT */
/*
 * Error numbers of hypercalls, with the prefix ABI_ so that they can stand
 * beside a C library whose own errno values differ; see errno.def.
 */

#ifndef ABI_ERRNO_H
#define ABI_ERRNO_H

enum abi_errno {
#define ERRNO(name, number, text) ABI_##name = number,
#include <abi/errno.def>
#undef ERRNO
};

#endif /* ABI_ERRNO_H */
