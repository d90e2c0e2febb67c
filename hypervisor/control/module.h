/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot modules.  The first is the initial domain, which finds the others in
 * its module window and asks for them by control_op; of class pv it has none.
 *
 * Start-up fills this, and nothing changes it afterwards.
 */

#pragma once

#include <abi/control.h>

/* As many as the configuration of a boot loader reasonably names. */
#define BOOT_MODULES_MAX 64

struct boot_module {
    maddr_t start; /* page-aligned */
    uint64_t bytes;
    uint64_t gfn;                       /* in the module window; 0: not there */
    char string[CONTROL_MODULE_STRING]; /* the file's name first; then zeros */
};
extern struct boot_module boot_modules[BOOT_MODULES_MAX];
extern unsigned int boot_module_count;
