/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of control_op. */

#include "domain/hv.h"

#include <stdlib.h>

#include <abi/errno.h>

#include <rt/hypercall.h>

static int call(struct control_op *op, uint32_t cmd, domid_t domid)
{
    op->cmd = cmd;
    op->domid = domid;

    return (int)hypercall_control_op(op);
}

int hv_host_info(struct control_host_info *info)
{
    struct control_op op = {0};
    int rc = call(&op, CONTROL_OP_host_info, DOMID_SELF);

    *info = op.u.host_info;

    return rc;
}

int hv_create(const struct control_create *create, domid_t *domid)
{
    struct control_op op = {.u.create = *create};
    int rc = call(&op, CONTROL_OP_create, DOMID_INVALID);

    *domid = op.domid;

    return rc;
}

int hv_destroy(domid_t domid)
{
    struct control_op op = {0};

    return call(&op, CONTROL_OP_destroy, domid);
}

int hv_pause(domid_t domid)
{
    struct control_op op = {0};

    return call(&op, CONTROL_OP_pause, domid);
}

int hv_unpause(domid_t domid)
{
    struct control_op op = {0};

    return call(&op, CONTROL_OP_unpause, domid);
}

int hv_resume(domid_t domid)
{
    struct control_op op = {0};

    return call(&op, CONTROL_OP_resume, domid);
}

int hv_set_region(domid_t domid, uint64_t gfn, uint64_t count, uint32_t prot)
{
    struct control_op op = {
        .u.set_region = {.gfn = gfn, .count = count, .prot = prot}};

    return call(&op, CONTROL_OP_set_region, domid);
}

int hv_copy_to(domid_t domid, uint64_t paddr, const void *data, size_t size)
{
    const char *from = data;

    while (size) {
        uint32_t part =
            size < CONTROL_COPY_MAX ? (uint32_t)size : CONTROL_COPY_MAX;
        struct control_op op = {.u.copy = {
                                    .gfn = paddr / 4096,
                                    .buffer = hypercall_ptr(from),
                                    .offset = (uint32_t)(paddr % 4096),
                                    .size = part,
                                }};
        int rc = call(&op, CONTROL_OP_copy_to, domid);

        if (rc)
            return rc;
        paddr += part;
        from += part;
        size -= part;
    }

    return 0;
}

int hv_set_start(domid_t domid, uint64_t rip, uint64_t rsp, uint64_t rsi,
                 uint64_t l4)
{
    struct control_op op = {
        .u.set_start = {
            .vcpu = 0, .rip = rip, .rsp = rsp, .rsi = rsi, .l4 = l4}};

    return call(&op, CONTROL_OP_set_start, domid);
}

int hv_populate(domid_t domid, uint64_t pfn, uint64_t count, uint64_t *mfn)
{
    struct control_op op = {.u.populate = {.pfn = pfn,
                                           .count = count,
                                           .buffer = hypercall_ptr(mfn)}};

    return call(&op, CONTROL_OP_populate, domid);
}

int hv_seed_grant(domid_t domid, uint32_t ref, domid_t to, uint64_t gfn)
{
    struct control_op op = {.u.seed_grant = {.ref = ref, .to = to, .gfn = gfn}};

    return call(&op, CONTROL_OP_seed_grant, domid);
}

int hv_list(domid_t first, struct control_domain_info *info, uint32_t room,
            uint32_t *count)
{
    struct control_op op = {
        .u.list = {.buffer = hypercall_ptr(info), .room = room}};
    int rc = call(&op, CONTROL_OP_list, first);

    *count = rc ? 0 : op.u.list.count;

    return rc;
}

int hv_info(domid_t domid, struct control_domain_info *info)
{
    uint32_t count;
    int rc = hv_list(domid, info, 1, &count);

    if (rc)
        return rc;

    return count == 1 && info->domid == domid ? 0 : -ABI_ESRCH;
}

int hv_shutdown(domid_t domid, uint32_t reason)
{
    struct control_op op = {.u.shutdown = {.reason = reason}};

    return call(&op, CONTROL_OP_shutdown, domid);
}

int hv_log_read(uint64_t *position, char *out, uint32_t size, uint32_t *count)
{
    struct control_op op = {.u.log_read = {.position = *position,
                                           .buffer = hypercall_ptr(out),
                                           .size = size}};
    int rc = call(&op, CONTROL_OP_log_read, DOMID_SELF);

    *count = rc ? 0 : op.u.log_read.count;
    if (rc == 0)
        *position = op.u.log_read.position;

    return rc;
}

int hv_module(uint32_t index, char string[CONTROL_MODULE_STRING], uint32_t *gfn,
              uint64_t *bytes)
{
    struct control_op op = {
        .u.module = {.index = index, .string = hypercall_ptr(string)}};
    int rc = call(&op, CONTROL_OP_module, DOMID_SELF);

    *gfn = op.u.module.gfn;
    *bytes = op.u.module.bytes;

    return rc;
}

int hv_set_sched(domid_t domid, const struct control_set_sched *sched)
{
    struct control_op op = {.u.set_sched = *sched};

    return call(&op, CONTROL_OP_set_sched, domid);
}

int hv_vcpu_info(domid_t domid, uint32_t vcpu, struct control_vcpu_info *info)
{
    struct control_op op = {.u.vcpu_info = {.vcpu = vcpu}};
    int rc = call(&op, CONTROL_OP_vcpu_info, domid);

    *info = op.u.vcpu_info;

    return rc;
}

int hv_debug_key(char key)
{
    struct control_op op = {.u.debug_key = {.key = (unsigned char)key}};

    return call(&op, CONTROL_OP_debug_key, DOMID_SELF);
}

const char *hv_error_text(int rc)
{
    switch (abs(rc)) {
#define ERRNO(name, number, text)                                              \
    case number:                                                               \
        return text;
#include <abi/errno.def>
#undef ERRNO
    default:
        return "unknown error";
    }
}
