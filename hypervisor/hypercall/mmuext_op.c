/* SPDX-License-Identifier: BSD-2-Clause */
/* mmuext_op: pins, base pointers, flushes, and whole pages. */

#include "arch/x86_64/page_ops.h"
#include "domain/memory.h"
#include "domain/pv_vcpu.h"
#include "hypercall/mmu.h"

/* Clearing or copying a page, in entries looked at. */
#define PAGE_OP_WORK 64

/* Any request, the same. */
#define REQUEST_WORK 20

/*
 * Asking the other CPUs, each of which may be in a call of its own: so that
 * there are at most four such waits a call.
 */
#define FLUSH_WORK 300

#define LDT_ENTRIES_MAX 8192U

static int pin(struct mmu_list *l, const struct mmuext_op *op)
{
    struct pv_space *s = l->space;
    int rc;

    spin_lock(&s->base.lock);
    if (op->cmd == MMUEXT_UNPIN_TABLE)
        rc = page_unpin(s, mfn(op->arg1));
    else
        rc = page_pin(s, mfn(op->arg1), (enum frame_type)(FRAME_L1 + op->cmd),
                      &l->work);
    spin_unlock(&s->base.lock);
    return rc;
}

static int set_user_base(struct mmu_list *l, uint64_t m)
{
    if (m == MFN_NONE.raw)
        return -EINVAL;
    return pv_set_user_base(current, m ? mfn(m) : MFN_NONE, &l->work);
}

static int set_ldt(uint64_t base, uint32_t entries)
{
    if (base % PAGE_SIZE || entries > LDT_ENTRIES_MAX || !guest_range(base, 1))
        return -EINVAL;
    pv_set_ldt(current, base, entries);
    return 0;
}

/* Fill page @to, from page @from of the caller's or with zeros. */
static int fill_page(struct mmu_list *l, uint64_t to, const uint64_t *from)
{
    struct domain *d = current->domain;
    struct frame *dest, *source = NULL;

    if (!mmu_drain(l))
        return -EAGAIN;
    if (from && memory_get(d, *from, false, &source))
        return -EINVAL;
    if (memory_get(d, to, true, &dest)) {
        if (source)
            memory_let_go(d, source, false);
        return -EINVAL;
    }
    if (source) {
        bytes_copy(mfn_to_virt(frame_to_mfn(dest)),
                   mfn_to_virt(frame_to_mfn(source)), PAGE_SIZE);
        memory_let_go(d, source, false);
    } else {
        memset(mfn_to_virt(frame_to_mfn(dest)), 0, PAGE_SIZE);
    }
    memory_let_go(d, dest, true);
    l->work.left -= PAGE_OP_WORK;
    return 0;
}

static int flush(struct mmu_list *l, bool all, const uint64_t *va)
{
    if (all)
        l->work.left -= FLUSH_WORK;
    mmu_flush(l->space, all, va);
    return 0;
}

static int flush_vcpus(struct mmu_list *l, const struct mmuext_op *op,
                       const uint64_t *va)
{
    l->work.left -= FLUSH_WORK;
    return mmu_flush_vcpus(l->space, op->arg2, va) ? -EINVAL : 0;
}

static int make_one(struct mmu_list *l, const struct mmuext_op *op)
{
    switch (op->cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE:
    case MMUEXT_UNPIN_TABLE:
        return pin(l, op);
    case MMUEXT_NEW_BASEPTR:
        return pv_set_kernel_base(current, mfn(op->arg1), &l->work);
    case MMUEXT_NEW_USER_BASEPTR:
        return set_user_base(l, op->arg1);
    case MMUEXT_TLB_FLUSH_LOCAL:
    case MMUEXT_TLB_FLUSH_ALL:
        return flush(l, op->cmd == MMUEXT_TLB_FLUSH_ALL, NULL);
    case MMUEXT_INVLPG_LOCAL:
    case MMUEXT_INVLPG_ALL:
        return flush(l, op->cmd == MMUEXT_INVLPG_ALL, &op->arg1);
    case MMUEXT_TLB_FLUSH_MULTI:
        return flush_vcpus(l, op, NULL);
    case MMUEXT_INVLPG_MULTI:
        return flush_vcpus(l, op, &op->arg1);
    case MMUEXT_SET_LDT:
        return set_ldt(op->arg1, (uint32_t)op->arg2);
    case MMUEXT_CLEAR_PAGE:
        return fill_page(l, op->arg1, NULL);
    case MMUEXT_COPY_PAGE:
        return fill_page(l, op->arg1, &op->arg2);
    case MMUEXT_FLUSH_CACHE: /* No guest of class pv has a device. */
        return -EACCES;
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        return -EINVAL;
    case MMUEXT_MARK_SUPER:
    case MMUEXT_UNMARK_SUPER:
        return -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}

long hypercall_mmuext_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    struct mmuext_op op;
    struct mmu_list l;
    long rc = mmu_begin(&l, a1, a2, a3, a4);

    while (likely(!rc) && l.count) {
        if (unlikely(l.work.left <= 0))
            rc = -EAGAIN;
        else if (!guest_load_words(&op, guest_address_upper(l.at), sizeof(op)))
            rc = -EFAULT;
        else
            rc = make_one(&l, &op);
        if (likely(!rc)) {
            mmu_advance(&l, 1, sizeof(op));
            l.work.left -= REQUEST_WORK;
        }
    }
    return mmu_end(&l, rc);
}
