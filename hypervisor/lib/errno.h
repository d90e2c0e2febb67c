/* SPDX-License-Identifier: BSD-2-Clause */
/* The ABI's error numbers under their plain names: EINVAL and so on. */

#pragma once

enum hv_errno {
#define ERRNO(name, number, text) name = number,
#include <abi/errno.def>
#undef ERRNO
};
