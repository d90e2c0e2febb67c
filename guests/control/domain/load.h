/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling an empty domain with a kernel, so that it can start.
 */

#ifndef DOMAIN_LOAD_H
#define DOMAIN_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>

#include "config/domain_config.h"
#include "domain/modules.h"
#include "kernel/kernel_image.h"
#include "lib/pv_layout.h"

struct guest;

/* What is to be loaded, and where in class pv. */
struct load_plan {
    struct module kernel, ramdisk; /* ramdisk.size 0: there is none */
    struct kernel_image image;
    bool pv;                 /* class pv */
    struct pv_layout layout; /* in class pv */
};

/*
 * Read the kernel's headers, and see whether it can run as @config says.
 * False: @error says why not.
 */
bool load_check(const struct domain_config *config, struct load_plan *plan,
                char error[CONFIG_ERROR_BYTES]);

/*
 * Make the domain, paused and empty, and put its number into @guest.
 * False: @error says why not, and there is no domain.
 */
bool load_create(struct guest *guest, const struct load_plan *plan,
                 char error[CONFIG_ERROR_BYTES]);

/* Fill it, and set what the records of @guest hold.  False: as above. */
bool load_fill(struct guest *guest, const struct load_plan *plan, domid_t self,
               char error[CONFIG_ERROR_BYTES]);

#endif /* DOMAIN_LOAD_H */
