/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling an empty domain of class light with a kernel, so that it can start.
 *
 * Right behind the image come, a page each: start_info, the store's ring, the
 * console's ring, and the stack that the guest starts on.  Segments get the
 * rights that the image gives them and no more; only what the file holds is
 * copied, the rest is demand-zero.
 */

#ifndef DOMAIN_LOAD_H
#define DOMAIN_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>

#include "config/domain_config.h"

struct guest;
struct elf_image;
struct module;

/*
 * Read the kernel's headers, and see whether it can run as @config says.
 * False: @error says why not.
 */
bool load_check(const struct domain_config *config, struct module *kernel,
                struct elf_image *image, char error[CONFIG_ERROR_BYTES]);

/* Pages that must be there before the first of RAM is free. */
uint64_t load_pages(const struct elf_image *image);

/*
 * Make the domain, paused and empty, and put its number into @guest.
 * False: @error says why not, and there is no domain.
 */
bool load_create(struct guest *guest, const struct elf_image *image,
                 char error[CONFIG_ERROR_BYTES]);

/* Fill it, and set what the records of @guest hold.  False: as above. */
bool load_fill(struct guest *guest, const struct module *kernel,
               const struct elf_image *image, domid_t self,
               char error[CONFIG_ERROR_BYTES]);

#endif /* DOMAIN_LOAD_H */
