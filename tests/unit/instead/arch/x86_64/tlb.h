/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor's tlb.h says, by functions of the test. */

#pragma once

#include "arch/x86_64/smp.h"

void tlb_flush_page(vaddr_t va);
void tlb_flush(void);
void tlb_flush_global(void);
void tables_load(maddr_t root);
