/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests in which no domain is of class pv: what only those call. */

#include <stdlib.h>

#include "domain/pv_vcpu.h"
#include "grant/leaf.h"
#include "memory/page_entry.h"

/* A prototype, and a body that nobody may come to. */
#define NEVER(result, name, ...)                                               \
    result name(__VA_ARGS__)                                                   \
    {                                                                          \
        abort();                                                               \
    }

#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsuggest-attribute=noreturn"

NEVER(int, pv_space_create, struct pv_space *s, domid_t owner,
      uint64_t reserved, uint64_t max)
NEVER(bool, pv_space_destroy, struct pv_space *s)
NEVER(void, pv_share_frame, struct pv_space *s, struct frame *f)
NEVER(void, pv_unshare_frame, struct pv_space *s, struct frame *f)
NEVER(int, pv_get_frame, struct pv_space *s, mfn_t m, bool write,
      struct frame **frame)
NEVER(void, pv_frame_paid, struct pv_space *s, const struct frame *f)
NEVER(struct pv_vcpu *, pv_vcpu_create, void)
/* Of every vCPU, whatever its class. */
void pv_vcpu_free(struct pv_vcpu *p)
{
    if (p)
        abort();
}

NEVER(void, pv_vcpu_release, struct vcpu *v)
NEVER(int, pv_set_kernel_base, struct vcpu *v, mfn_t l4, struct page_work *work)
NEVER(void, pv_drop_frame, struct pv_space *s, struct frame *f)
NEVER(bool, leaf_map_entry, struct pv_space *s, uint64_t address, uint64_t e)
NEVER(bool, leaf_unmap_entry, struct pv_space *s, uint64_t address, mfn_t m,
      bool write)
