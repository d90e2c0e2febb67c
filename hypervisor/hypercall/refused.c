/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that Xen has for the owner of a machine, or for other kinds of guest:
 * they are known, and answered as Xen answers a domain without rights.
 */

#include "hypercall/hypercall.h"

/* Interfaces for tools of the very same version: what they begin with. */
#define PLATFORM_VERSION 0x03000001U
#define CONTROL_VERSION  0x15U

struct versioned_op {
    uint32_t cmd, version;
};

static long refuse_versioned(uint64_t va, uint32_t version)
{
    struct versioned_op op;

    if (copy_from_guest(&op, guest_ptr(va), sizeof(op)))
        return -EFAULT;
    return op.version == version ? -EPERM : -EACCES;
}

long hypercall_refused(uint64_t nr, uint64_t a1)
{
    switch (nr) {
    case 7: /* platform_op */
        return refuse_versioned(a1, PLATFORM_VERSION);
    case 35: /* sysctl */
    case 36: /* domctl */
        return refuse_versioned(a1, CONTROL_VERSION);
    case 34: /* hvm_op: set_param and get_param, of another kind of domain */
        return a1 <= 1 ? -EINVAL : -ENOSYS;
    case 37: /* kexec_op */
    case 41: /* dm_op */
    case 42: /* hypfs_op */
    case 48: /* mca */
        return -EPERM;
    case 40: /* xenpmu_op */
        return -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}
