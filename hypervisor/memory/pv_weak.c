/* SPDX-License-Identifier: BSD-2-Clause */
/* Until the files of this room are there: what others call of them. */

#include "memory/m2p.h"
#include "memory/page_entry.h"

#define WEAK __attribute__((weak))

WEAK int pv_space_create(struct pv_space *s, domid_t owner, uint64_t reserved,
                         uint64_t max)
{
    (void)s, (void)owner, (void)reserved, (void)max;
    return -EOPNOTSUPP;
}

WEAK bool pv_space_destroy(struct pv_space *s)
{
    (void)s;
    return true;
}

WEAK mfn_t pv_populate(struct pv_space *s, uint64_t pfn)
{
    (void)s, (void)pfn;
    return MFN_NONE;
}

WEAK int pv_release(struct pv_space *s, mfn_t m)
{
    (void)s, (void)m;
    return -EINVAL;
}

WEAK void pv_share_frame(struct pv_space *s, struct frame *f)
{
    (void)s, (void)f;
}

WEAK void pv_unshare_frame(struct pv_space *s, struct frame *f)
{
    (void)s, (void)f;
}

WEAK int pv_get_frame(struct pv_space *s, mfn_t m, bool write,
                      struct frame **frame)
{
    (void)s, (void)m, (void)write, (void)frame;
    return -EINVAL;
}

WEAK void pv_put_frame(struct frame *f, bool write)
{
    (void)f, (void)write;
}

WEAK void pv_load(struct pv_space *s, mfn_t l4)
{
    (void)s, (void)l4;
}

WEAK void pv_flush_all(struct pv_space *s)
{
    (void)s;
}

WEAK void pv_flush_page(struct pv_space *s, vaddr_t va)
{
    (void)s, (void)va;
}

WEAK void pv_flush_cpus(struct pv_space *s, uint64_t cpus, const vaddr_t *va)
{
    (void)s, (void)cpus, (void)va;
}

WEAK int page_get_type(struct pv_space *s, mfn_t m, enum frame_type type,
                       struct page_work *work)
{
    (void)s, (void)m, (void)type, (void)work;
    return -EINVAL;
}

WEAK void page_put_type(struct pv_space *s, struct frame *f)
{
    (void)s, (void)f;
}

WEAK int page_drop(struct pv_space *s, struct page_work *work)
{
    (void)s, (void)work;
    return 0;
}

WEAK int page_pin(struct pv_space *s, mfn_t m, enum frame_type level,
                  struct page_work *work)
{
    (void)s, (void)m, (void)level, (void)work;
    return -EINVAL;
}

WEAK int page_unpin(struct pv_space *s, mfn_t m)
{
    (void)s, (void)m;
    return -EINVAL;
}

WEAK int entry_set(struct pv_space *s, mfn_t m, unsigned int level,
                   unsigned int index, uint64_t e, bool keep_ad,
                   uint64_t *expected, struct page_work *work)
{
    (void)s, (void)m, (void)level, (void)index, (void)e, (void)keep_ad;
    (void)expected, (void)work;
    return -EINVAL;
}

WEAK bool entry_find(mfn_t l4, vaddr_t va, mfn_t *table, unsigned int *index)
{
    (void)l4, (void)va, (void)table, (void)index;
    return false;
}

WEAK int entry_map_grant(struct pv_space *s, mfn_t table, unsigned int index,
                         uint64_t e)
{
    (void)s, (void)table, (void)index, (void)e;
    return -EINVAL;
}

WEAK int entry_unmap_grant(struct pv_space *s, mfn_t table, unsigned int index,
                           mfn_t expected, bool write)
{
    (void)s, (void)table, (void)index, (void)expected, (void)write;
    return -EINVAL;
}

struct vcpu;
WEAK void pv_set_ldt(struct vcpu *v, uint64_t base, uint32_t entries);
WEAK void pv_set_ldt(struct vcpu *v, uint64_t base, uint32_t entries)
{
    (void)v, (void)base, (void)entries;
}

WEAK void m2p_init(void)
{
}

WEAK void m2p_set(mfn_t m, uint64_t pfn)
{
    (void)m, (void)pfn;
}
