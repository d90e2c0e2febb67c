/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forgetting translations.  @cpus is a mask of the CPUs that may hold them
 * (struct light_space.live_cpus); all have forgotten when these return.
 */

#ifndef ARCH_X86_64_TLB_H
#define ARCH_X86_64_TLB_H

#include <stdint.h>

#include "lib/frame_number.h"

/* One page. */
void tlb_flush_page(uint64_t cpus, vaddr_t va);

/* All pages that are not the hypervisor's. */
void tlb_flush(uint64_t cpus);

#endif /* ARCH_X86_64_TLB_H */
