/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the guest's handlers are, and their stack. */

#include "hypercall/subop.h"

#include "domain/pv_vcpu.h"
#include "pv/traps.h"

/* A table cannot be longer than one entry a vector and the one that ends it. */
#define TRAP_LIST_MAX (TRAP_COUNT + 1)

long hypercall_set_trap_table(uint64_t a1)
{
    struct guest_ptr list = guest_ptr(a1);
    struct trap_info trap;
    int rc;

    if (!a1) {
        trap_clear_all(current);
        return 0;
    }
    for (unsigned int i = 0; i < TRAP_LIST_MAX; i++) {
        if (copy_from_guest(&trap, guest_ptr_at(list, i, sizeof(trap)),
                            sizeof(trap)))
            return -EFAULT;
        if (!trap.address)
            return 0;
        rc = trap_set(current, trap.vector, trap.flags, trap.address);
        if (rc)
            return rc;
    }
    return -EINVAL;
}

/* Of class pv, those that programs come in by, and the one of NMIs. */
static long set_pv_callback(struct vcpu *v, uint64_t type,
                            struct pv_callback callback)
{
    switch (type) {
    case CALLBACKTYPE_syscall:
        v->pv->entry.syscall = callback;
        break;
    case CALLBACKTYPE_sysenter:
        v->pv->sysenter = callback;
        break;
    case CALLBACKTYPE_syscall32:
        v->pv->syscall32 = callback;
        break;
    case CALLBACKTYPE_nmi:
        return trap_set(v, VECTOR_NMI, TRAP_MASK_EVENTS, callback.address);
    }
    return 0;
}

/*
 * Events always mask further ones, and no segment is reloaded so that it can
 * fault: their flags and the other types change nothing.  They are accepted, as
 * kernels insist on registering them.
 */
static long set_callback(uint64_t type, uint64_t address, uint64_t flags)
{
    struct pv_callback callback = {address, flags & CALLBACKF_mask_events};

    if (type > CALLBACKTYPE_LAST)
        return -ENOSYS;
    if (!is_canonical(address))
        return -EINVAL;
    if (type == CALLBACKTYPE_event)
        current->event_callback = address;
    return current->pv ? set_pv_callback(current, type, callback) : 0;
}

long hypercall_set_callbacks(uint64_t a1, uint64_t a2, uint64_t a3)
{
    (void)set_callback(CALLBACKTYPE_event, a1, 0);
    (void)set_callback(CALLBACKTYPE_failsafe, a2, 0);
    (void)set_callback(CALLBACKTYPE_syscall, a3, 0);
    return 0;
}

/* For the way from the user mode that class light lacks; ss is always ours. */
long hypercall_stack_switch(uint64_t a1, uint64_t a2)
{
    (void)a1;
    if (current->pv)
        current->pv->entry.kernel_sp = a2;
    return 0;
}

static long unset_callback(uint64_t type)
{
    if (type > CALLBACKTYPE_LAST)
        return -ENOSYS;
    if (type != CALLBACKTYPE_nmi)
        return -EINVAL;
    return current->pv ? trap_set(current, VECTOR_NMI, 0, 0) : 0;
}

#define CALLBACK_SUBOPS(OP)                                                    \
    OP(CALLBACKOP_register, callback_register, false,                          \
       set_callback(op->type, op->address, op->flags))                         \
    OP(CALLBACKOP_unregister, callback_unregister, false,                      \
       unset_callback(op->type))
SUBOPS(CALLBACK_SUBOPS)

long hypercall_callback_op(uint64_t a1, uint64_t a2)
{
    return call_subop(current, a1, guest_ptr(a2));
}
