/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests count or refuse, in place of what arch/x86_64/paging.h does. */

#pragma once

#include "lib/frame_number.h"

void tlb_flush_page(vaddr_t va);
void tlb_flush(void);
void tlb_flush_global(void);
void tables_load(maddr_t root);
const void *early_memory(uint64_t maddr, uint64_t bytes);
