/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_op: fetch the arguments, ask the policy, and what each does.
 *
 * Errors as abi/control.h lists them; -EAGAIN: a quantum is done, what is left
 * is in the structure, and the call goes on by itself.
 */

#include "control/control.h"

#include "event/evtchn.h"
#include "grant/grant.h"
#include "hypercall/subop.h"
#include "memory/light.h"

/* --- Making and ending other domains ------------------------------------- */

/* The subject of the operation is a name for the caller: no id is wanted. */
static int control_create(struct control_op *op)
{
    struct domain_config config = {
        .domid = op->domid,
        .rights = op->u.create.rights,
        .create = op->u.create,
    };
    struct domain *d;
    int rc;

    if (op->domid != DOMID_INVALID && op->domid >= DOMAIN_MAX)
        return -EINVAL;
    if (config.rights & ~current->domain->rights)
        return -EPERM;
    rc = domain_create(&config, &d);
    if (rc)
        return rc;
    op->domid = d->domid;
    domain_put(d);
    return 0;
}

static int control_destroy(domid_t domid)
{
    struct domain *d = domain_get_next(domid);
    int rc;

    if (!d)
        return -ESRCH;
    rc = d->domid == domid ? domain_destroy(d) : -ESRCH;
    domain_put(d);
    return rc;
}

/* --- Filling a domain before its first start, and looking into it later -- */

/*
 * Pages copied before pending work is looked at: 3,000 instructions each, if
 * both sides' are touched for the first time.
 */
#define COPY_QUANTUM_PAGES 8

static int control_set_region(struct domain *d, struct control_set_region *op)
{
    uint64_t count = op->count < LIGHT_QUANTUM ? op->count : LIGHT_QUANTUM;
    int rc;

    if (d->started)
        return -EBUSY;
    rc = light_protect(d->space, gfn(op->gfn), count, op->prot, true);
    if (rc)
        return rc;
    op->gfn += count;
    op->count -= count;
    return op->count ? -EAGAIN : 0;
}

/*
 * What of @op lies in one page: between a frame of the other domain and the
 * caller's memory.
 */
static int copy_page(struct domain *d, struct control_copy *op, bool to)
{
    uint32_t room = (uint32_t)PAGE_SIZE - op->offset;
    uint32_t size = op->size < room ? op->size : room;
    bool text_too = to && !d->started;
    struct frame *f;
    char *there;
    int rc;

    rc = light_get_frame(d->space, gfn(op->gfn), to ? LIGHT_WRITE : LIGHT_READ,
                         text_too, &f);
    if (rc)
        return rc;
    there = (char *)mfn_to_virt(frame_to_mfn(f)) + op->offset;
    rc = to ? copy_from_guest(there, guest_ptr(op->buffer), size)
            : copy_to_guest(guest_ptr(op->buffer), there, size);
    frame_put(f);
    if (rc)
        return rc;

    op->buffer += size;
    op->size -= size;
    op->offset += size;
    if (op->offset == PAGE_SIZE) {
        op->offset = 0;
        op->gfn++;
    }
    return 0;
}

static int control_copy(struct domain *d, struct control_copy *op, bool to)
{
    if (op->offset >= PAGE_SIZE || op->size > CONTROL_COPY_MAX)
        return -EINVAL;
    for (int n = 0; op->size; n++) {
        int rc = n < COPY_QUANTUM_PAGES ? copy_page(d, op, to) : -EAGAIN;

        if (rc)
            return rc;
    }
    return 0;
}

static int control_seed_grant(struct domain *d,
                              const struct control_seed_grant *op)
{
    if (op->ref >= GNTTAB_NR_RESERVED)
        return -EINVAL;
    return grant_seed(d, op->ref, op->to, gfn(op->gfn));
}

/* --- What there is to say about each domain ------------------------------ */

/* Domains described before pending work is looked at. */
#define LIST_QUANTUM 8

static void describe(struct domain *d, struct control_domain_info *info)
{
    domain_info(d, info);
    evtchn_counts(d, &info->ports_used, &info->ports_max);
    grant_counts(d, &info->grant_frames_used, &info->grant_frames_max,
                 &info->maptrack_used, &info->maptrack_max);
}

/* The next one; -ENODATA: there is none. */
static int list_one(struct control_op *op)
{
    struct control_list *list = &op->u.list;
    struct control_domain_info info;
    struct domain *d = domain_get_next(op->domid);

    if (!d)
        return -ENODATA;
    describe(d, &info);
    domain_put(d);
    if (copy_to_guest(guest_ptr(list->buffer), &info, sizeof(info)))
        return -EFAULT;
    op->domid = (domid_t)(info.domid + 1);
    list->buffer += sizeof(info);
    list->room--;
    list->count++;
    return 0;
}

static int control_list(struct control_op *op)
{
    for (int n = 0; op->u.list.room; n++) {
        int rc = n < LIST_QUANTUM ? list_one(op) : -EAGAIN;

        if (rc)
            return rc == -ENODATA ? 0 : rc;
    }
    return 0;
}

/* --- What the control domain may know of the machine, and its debug keys - */

/* Bytes of the log copied at a time, and before pending work is looked at. */
#define LOG_PIECE_BYTES   256U
#define LOG_QUANTUM_BYTES 4096U

static int control_host_info(struct control_host_info *op)
{
    struct frame_totals totals;

    frame_totals(&totals);
    *op = (struct control_host_info){
        .total_pages = totals.total,
        .free_pages = totals.free,
        .unreserved_pages = totals.unreserved,
        .uptime_ns = time_now(),
        .cpu_count = cpu_count,
        .tsc_khz = tsc_khz,
        .domain_count = domain_count(),
        .domain_max = DOMAIN_MAX,
    };
    return 0;
}

/* One piece; -ENODATA: there is no more, or no more room. */
static int read_piece(struct control_log_read *op)
{
    char piece[LOG_PIECE_BYTES];
    uint64_t position = op->position;
    uint32_t room = op->size < sizeof(piece) ? op->size : sizeof(piece);
    uint32_t size = (uint32_t)log_read(&position, piece, room);

    if (!size)
        return -ENODATA;
    if (copy_to_guest(guest_ptr(op->buffer), piece, size))
        return -EFAULT;
    op->position = position;
    op->buffer += size;
    op->size -= size;
    op->count += size;
    return 0;
}

static int control_log_read(struct control_log_read *op)
{
    for (uint32_t n = 0; n < LOG_QUANTUM_BYTES; n += LOG_PIECE_BYTES) {
        int rc = read_piece(op);

        if (rc)
            return rc == -ENODATA ? 0 : rc;
    }
    return -EAGAIN;
}

static int control_debug_key(const struct control_debug_key *op)
{
    debug_key_press((char)op->key);
    return 0;
}

/* --- The boot modules behind the first ----------------------------------- */

/* As many as boot/boot_info.h keeps. */
#define MODULES_MAX 64U

static struct {
    gfn_t gfn;
    uint64_t bytes;
    const char *string;
} modules[MODULES_MAX];
static uint32_t module_count;

void module_add(gfn_t g, uint64_t bytes, const char *string)
{
    if (module_count == MODULES_MAX)
        panic("more than %u boot modules", MODULES_MAX);
    modules[module_count].gfn = g;
    modules[module_count].bytes = bytes;
    modules[module_count++].string = string;
}

static int control_module(struct control_module *op)
{
    uint64_t n = index_nospec(op->index, MODULES_MAX);
    char string[CONTROL_MODULE_STRING] = {0};

    if (op->index >= module_count)
        return -ENOENT;
    string_copy(string, modules[n].string, sizeof(string));
    if (copy_to_guest(guest_ptr(op->string), string, sizeof(string)))
        return -EFAULT;
    op->gfn = (uint32_t)modules[n].gfn.raw;
    op->bytes = modules[n].bytes;
    return 0;
}

/* --- The call ------------------------------------------------------------- */

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
    if (op->vcpu >= d->vcpu_count)
        return -ENOENT;
    vcpu_tell(d->vcpu[index_nospec(op->vcpu, d->vcpu_count)], op);
    return 0;
}

/* OP(command, the right it needs, what makes it): those about a domain ... */
#define DOMAIN_OPS(OP)                                                         \
    OP(pause, pause, pause(d, &op->u.pause))                                   \
    OP(unpause, pause, domain_unpause(d))                                      \
    OP(set_region, build, control_set_region(d, &op->u.set_region))            \
    OP(copy_to, copy, control_copy(d, &op->u.copy, true))                      \
    OP(copy_from, copy, control_copy(d, &op->u.copy, false))                   \
    OP(set_start, build, set_start(d, &op->u.set_start))                       \
    OP(seed_grant, build, control_seed_grant(d, &op->u.seed_grant))            \
    OP(shutdown, shutdown, shut_down(d, &op->u.shutdown))                      \
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
