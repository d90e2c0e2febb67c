/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the control domain asks of the hypervisor, one function a command of
 * control_op.  Errors are negative numbers of abi/errno.h.
 */

#ifndef DOMAIN_HV_H
#define DOMAIN_HV_H

#include <stddef.h>
#include <stdint.h>

#include <abi/control.h>

int hv_host_info(struct control_host_info *info);

/* The hypervisor picks the id. */
int hv_create(const struct control_create *create, domid_t *domid);
int hv_destroy(domid_t domid);
int hv_pause(domid_t domid);
int hv_unpause(domid_t domid);
/* After its suspension.  -ABI_EINVAL: it is not suspended. */
int hv_resume(domid_t domid);

int hv_set_region(domid_t domid, uint64_t gfn, uint64_t count, uint32_t prot);

/* Any size, at @paddr: bytes from the beginning of gfn 0. */
int hv_copy_to(domid_t domid, uint64_t paddr, const void *data, size_t size);

/* @l4: mfn of the first table in class pv, else 0. */
int hv_set_start(domid_t domid, uint64_t rip, uint64_t rsp, uint64_t rsi,
                 uint64_t l4);
/* Class pv: frames for @count pfns from @pfn on; which, to @mfn. */
int hv_populate(domid_t domid, uint64_t pfn, uint64_t count, uint64_t *mfn);

int hv_seed_grant(domid_t domid, uint32_t ref, domid_t to, uint64_t gfn);

/* Domains from @first on; *count is how many of @room were filled. */
int hv_list(domid_t first, struct control_domain_info *info, uint32_t room,
            uint32_t *count);

/* -ABI_ESRCH: there is no such domain. */
int hv_info(domid_t domid, struct control_domain_info *info);

int hv_shutdown(domid_t domid, uint32_t reason);

/* *position moves behind what was read; *count of 0: nothing more. */
int hv_log_read(uint64_t *position, char *out, uint32_t size, uint32_t *count);

int hv_module(uint32_t index, char string[CONTROL_MODULE_STRING], uint32_t *gfn,
              uint64_t *bytes);

int hv_set_sched(domid_t domid, const struct control_set_sched *sched);

/* -ABI_ENOENT: it has no such vCPU. */
int hv_vcpu_info(domid_t domid, uint32_t vcpu, struct control_vcpu_info *info);

int hv_debug_key(char key);

/* "no such domain": the text of abi/errno.def for @rc, negative or not. */
const char *hv_error_text(int rc);

#endif /* DOMAIN_HV_H */
