/* SPDX-License-Identifier: BSD-2-Clause */
/* Naming functions and walking the stack, for a panic and for debug keys. */

#ifndef CORE_BACKTRACE_H
#define CORE_BACKTRACE_H

#include <stdint.h>

/*
 * The function that holds @address, and how far into it that is; NULL for an
 * address that is not in our code.
 */
const char *symbol_find(uint64_t address, uint64_t *offset);

/*
 * Give return addresses, innermost first, to @print: those on the stack on
 * which frame pointer @rbp lies, as far as they make sense.
 */
void backtrace(uint64_t rbp, void (*print)(uint64_t address));

#endif /* CORE_BACKTRACE_H */
