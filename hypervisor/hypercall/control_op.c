/* SPDX-License-Identifier: BSD-2-Clause */
/* control_op: fetch the arguments, ask the policy, call the control room. */

#include "control/control.h"

#include "grant/grant.h"
#include "hypercall/subop.h"

/* Nobody pauses himself: nobody could unpause him. */
static int pause(struct domain *d, struct control_pause *op)
{
    int rc;

    if (d == current->domain)
        return -EINVAL;
    rc = op->counted ? 0 : domain_pause(d);
    if (rc)
        return rc;
    op->counted = !domain_is_off(d);
    return op->counted ? -EAGAIN : 0;
}

static int vcpu_info(struct domain *d, struct control_vcpu_info *op)
{
    struct vcpu *v;

    if (op->vcpu >= d->vcpu_count)
        return -ENOENT;
    v = d->vcpu[index_nospec(op->vcpu, d->vcpu_count)];
    op->state = v->runstate;
    op->cpu = v->cpu;
    op->affinity = v->affinity;
    op->cpu_time_ns = vcpu_cpu_time(v);
    return 0;
}

/* OP(command, the right it needs, what makes it): those about a domain ... */
#define DOMAIN_OPS(OP)                                                         \
    OP(pause, pause, pause(d, &op->u.pause))                                   \
    OP(unpause, pause, domain_unpause(d))                                      \
    OP(set_region, build, control_set_region(d, &op->u.set_region))            \
    OP(copy_to, copy, control_copy(d, &op->u.copy, true))                      \
    OP(copy_from, copy, control_copy(d, &op->u.copy, false))                   \
    OP(set_start, build, control_set_start(d, &op->u.set_start))               \
    OP(populate, build, control_populate(d, &op->u.populate))                  \
    OP(seed_grant, build, grant_seed(d, &op->u.seed_grant))                    \
    OP(shutdown, shutdown, domain_shutdown(d, op->u.shutdown.reason))          \
    OP(resume, pause, domain_resume(d))                                        \
    OP(set_sched, set_sched, domain_set_sched(d, &op->u.set_sched))            \
    OP(vcpu_info, list, vcpu_info(d, &op->u.vcpu_info))

/* ... and about the machine, or a domain to be or not to be. */
#define OTHER_OPS(OP)                                                          \
    OP(host_info, host_info, control_host_info(&op->u.host_info))              \
    OP(create, create, control_create(op))                                     \
    OP(destroy, destroy, control_destroy(op->domid))                           \
    OP(list, list, control_list(op))                                           \
    OP(log_read, log_read, control_log_read(&op->u.log_read))                  \
    OP(module, module, control_module(&op->u.module))                          \
    OP(debug_key, debug_key, control_debug_key(&op->u.debug_key))

#define RIGHT(name, right, call) [CONTROL_OP_##name] = POLICY_##right,
#define CASE(name, right, call)                                                \
    case CONTROL_OP_##name:                                                    \
        return call;

static const uint8_t policy_of[] = {DOMAIN_OPS(RIGHT) OTHER_OPS(RIGHT)};

/* @d is the one that @op names; NULL: there is none. */
static int make(struct domain *d, struct control_op *op)
{
    switch (op->cmd) {
        OTHER_OPS(CASE)
    }
    if (!d)
        return -ESRCH;
    switch (op->cmd) {
        DOMAIN_OPS(CASE)
    }
    return -ENOSYS;
}

long hypercall_control_op(uint64_t a1)
{
    struct control_op op;
    struct domain *d;
    int rc;

    if (current->pv) /* Its guests find in Cairn what they find in Xen. */
        return -ENOSYS;
    if (copy_from_guest(&op, guest_ptr(a1), sizeof(op)))
        return -EFAULT;
    if (op.version != CONTROL_OP_VERSION)
        return -EACCES;
    if (op.cmd == 0 || op.cmd >= sizeof(policy_of))
        return -ENOSYS;
    if (!policy_allows(current->domain,
                       policy_of[index_nospec(op.cmd, sizeof(policy_of))]))
        return -EPERM;

    d = domain_get_or_self(op.domid, current->domain);
    rc = make(d, &op);
    if (d)
        domain_put(d);
    return subop_end(guest_ptr(a1), &op, sizeof(op), rc);
}
