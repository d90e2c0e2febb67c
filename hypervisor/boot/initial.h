/* SPDX-License-Identifier: BSD-2-Clause */
/* The initial domain: what differs between the classes. */

#pragma once

#include "domain/domain.h"
#include "lib/elf_image.h"

struct boot_module;

/*
 * Fill @d, made for class pv and empty, with @image, which is module @m, and
 * start it.  Stops the machine if that cannot be.
 */
void initial_pv_build(struct domain *d, const struct elf_image *image,
                      const struct boot_module *m, const char *arguments);
