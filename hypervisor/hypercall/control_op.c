/* SPDX-License-Identifier: BSD-2-Clause */
/* control_op: fetch the arguments, ask the policy, call the control room. */

#include "control/control.h"

#include "arch/x86_64/cpu.h"
#include "hypercall/hypercall.h"

/* What each command needs. */
static const uint8_t policy_of[] = {
    [CONTROL_OP_host_info] = POLICY_host_info,
    [CONTROL_OP_create] = POLICY_create,
    [CONTROL_OP_destroy] = POLICY_destroy,
    [CONTROL_OP_pause] = POLICY_pause,
    [CONTROL_OP_unpause] = POLICY_pause,
    [CONTROL_OP_set_region] = POLICY_build,
    [CONTROL_OP_copy_to] = POLICY_copy,
    [CONTROL_OP_copy_from] = POLICY_copy,
    [CONTROL_OP_set_start] = POLICY_build,
    [CONTROL_OP_seed_grant] = POLICY_build,
    [CONTROL_OP_list] = POLICY_list,
    [CONTROL_OP_shutdown] = POLICY_shutdown,
    [CONTROL_OP_log_read] = POLICY_log_read,
    [CONTROL_OP_module] = POLICY_module,
    [CONTROL_OP_set_sched] = POLICY_set_sched,
    [CONTROL_OP_debug_key] = POLICY_debug_key,
    [CONTROL_OP_vcpu_info] = POLICY_list,
};

static int set_start(struct domain *d, const struct control_set_start *op)
{
    if (!is_canonical(op->rip) || !is_canonical(op->rsp))
        return -EINVAL;
    return domain_set_start(d, op->vcpu, op->rip, op->rsp, op->rsi);
}

static int shut_down(struct domain *d, const struct control_shutdown *op)
{
    if (op->reason > SHUTDOWN_soft_reset)
        return -EINVAL;
    domain_shutdown(d, op->reason);
    return 0;
}

/* Nobody pauses himself: nobody could unpause him. */
static int pause(struct domain *d, struct control_pause *op)
{
    int rc = 0;

    if (d == current->domain)
        return -EINVAL;
    if (!op->counted)
        rc = domain_pause(d);
    if (rc)
        return rc;
    op->counted = !domain_is_off(d);
    return op->counted ? -EAGAIN : 0;
}

static int vcpu_info(struct domain *d, struct control_vcpu_info *op)
{
    if (op->vcpu >= d->vcpu_count)
        return -ENOENT;
    vcpu_tell(d->vcpu[index_nospec(op->vcpu, d->vcpu_count)], op);
    return 0;
}

static int about_domain(struct domain *d, struct control_op *op)
{
    switch (op->cmd) {
    case CONTROL_OP_pause:
        return pause(d, &op->u.pause);
    case CONTROL_OP_unpause:
        return domain_unpause(d);
    case CONTROL_OP_set_region:
        return control_set_region(d, &op->u.set_region);
    case CONTROL_OP_copy_to:
        return control_copy(d, &op->u.copy, true);
    case CONTROL_OP_copy_from:
        return control_copy(d, &op->u.copy, false);
    case CONTROL_OP_set_start:
        return set_start(d, &op->u.set_start);
    case CONTROL_OP_seed_grant:
        return control_seed_grant(d, &op->u.seed_grant);
    case CONTROL_OP_shutdown:
        return shut_down(d, &op->u.shutdown);
    case CONTROL_OP_set_sched:
        return domain_set_sched(d, &op->u.set_sched);
    case CONTROL_OP_vcpu_info:
        return vcpu_info(d, &op->u.vcpu_info);
    default:
        return -ENOSYS;
    }
}

static int with_domain(struct control_op *op)
{
    struct domain *d = domain_get_or_self(op->domid, current->domain);
    int rc;

    if (!d)
        return -ESRCH;
    rc = about_domain(d, op);
    domain_put(d);
    return rc;
}

static int make(struct control_op *op)
{
    switch (op->cmd) {
    case CONTROL_OP_host_info:
        control_host_info(&op->u.host_info);
        return 0;
    case CONTROL_OP_create:
        return control_create(op);
    case CONTROL_OP_destroy:
        return control_destroy(op->domid);
    case CONTROL_OP_list:
        return control_list(op);
    case CONTROL_OP_log_read:
        return control_log_read(&op->u.log_read);
    case CONTROL_OP_module:
        return control_module(&op->u.module);
    case CONTROL_OP_debug_key:
        control_debug_key(&op->u.debug_key);
        return 0;
    default:
        return with_domain(op);
    }
}

long hypercall_control_op(uint64_t a1)
{
    struct control_op op;
    int rc;

    if (copy_from_guest(&op, guest_ptr(a1), sizeof(op)))
        return -EFAULT;
    if (op.version != CONTROL_OP_VERSION)
        return -EACCES;
    if (op.cmd == 0 || op.cmd >= sizeof(policy_of))
        return -ENOSYS;
    if (!policy_allows(current->domain,
                       policy_of[index_nospec(op.cmd, sizeof(policy_of))]))
        return -EPERM;

    rc = make(&op);
    if (rc && rc != -EAGAIN)
        return rc;
    if (copy_to_guest(guest_ptr(a1), &op, sizeof(op)))
        return -EFAULT;
    return rc == -EAGAIN ? hypercall_continue() : 0;
}
