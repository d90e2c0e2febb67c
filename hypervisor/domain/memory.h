/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's memory by what its guest calls a gfn, whatever its class: in class
 * pv that is the mfn.
 */

#pragma once

#include "domain/domain.h"
#include "memory/frame.h"

/*
 * Hold the frame that gfn @g of @d's RAM has, with @write also as
 * FRAME_WRITABLE; memory_let_go() undoes it.  -EINVAL: no RAM of the domain's;
 * -EACCES, -EBUSY: it cannot be written; -ENOMEM: it has no frame and there is
 * none.
 */
int __must_check memory_get(struct domain *d, uint64_t g, bool write,
                            struct frame **frame);

/*
 * For who dropped a reference to a frame of @d's, @refs being what is not
 * usual: with the last one @d stops paying for a frame that it gave up.  Takes
 * the space's lock.
 */
__rare void memory_put_last(const struct domain *d, struct frame *f,
                            uint32_t refs);

static inline void memory_let_go(const struct domain *d, struct frame *f,
                                 bool write)
{
    uint32_t refs;

    if (write)
        frame_put_type(f);
    refs = atomic_sub(&f->refs, 1);
    if (!frame_refs_usual(refs))
        memory_put_last(d, f, refs);
}

/*
 * The same for @g of the current domain @d, which the hypervisor writes at
 * *@page until memory_unpin().  After -ENOMEM the hypercall is made again, once
 * there is memory.
 */
int __must_check memory_pin(struct domain *d, uint64_t g, void **page);

/* And for what is at @va there, in its kernel's address space. */
int __must_check memory_pin_at(struct domain *d, vaddr_t va, void **at);

/* Anywhere in the page; NULL is ignored. */
void memory_unpin(const struct domain *d, const void *at);

/*
 * Let @d's guest map page @f of the hypervisor's, writable: shared_info or a
 * frame of the grant table.  In class light it appears at @g of the special
 * window; *@name is how the guest calls it.
 */
int __must_check memory_share(struct domain *d, struct frame *f, uint64_t g,
                              uint64_t *name);

/* Before memory_destroy() is done: the guest may not map it any more. */
void memory_unshare(struct domain *d, const void *page);

/* Pages of RAM that it has, and that it may have. */
uint64_t memory_used(const struct domain *d);
uint64_t memory_max(const struct domain *d);

/* Make a domain's memory, empty; give it back, a quantum a call. */
struct domain_config;
int __must_check memory_create(struct domain *d,
                               const struct domain_config *config);
bool memory_destroy(struct domain *d);
void memory_free(struct domain *d);
