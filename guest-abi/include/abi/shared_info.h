/* SPDX-License-Identifier: MIT */
/*
 * The page a domain shares with the hypervisor: event bits, time, wall clock.
 *
 * Time: system_time nanoseconds were reached at tsc_timestamp; later
 *     ns = system_time + (((tsc - tsc_timestamp) << tsc_shift) * mul >> 32)
 * (a negative shift shifts right).  A reader retries while version is odd or
 * has changed.
 */

#ifndef ABI_SHARED_INFO_H
#define ABI_SHARED_INFO_H

#include <stddef.h>
#include <stdint.h>

#define LEGACY_MAX_VCPUS 32 /* vCPUs that have their vcpu_info here */

#define VCPU_TIME_TSC_STABLE    0x01U
#define VCPU_TIME_GUEST_STOPPED 0x02U

struct vcpu_time_info {
    uint32_t version;
    uint32_t pad0;
    uint64_t tsc_timestamp;
    uint64_t system_time; /* nanoseconds */
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags; /* VCPU_TIME_* */
    uint8_t pad1[2];
};

struct arch_vcpu_info {
    uint64_t cr2; /* address of the last #PF delivered */
    uint64_t pad;
};

struct vcpu_info {
    uint8_t evtchn_upcall_pending;
    uint8_t evtchn_upcall_mask;
    uint64_t evtchn_pending_sel;
    struct arch_vcpu_info arch;
    struct vcpu_time_info time;
};

struct arch_shared_info {
    uint64_t max_pfn; /* the guest writes these four */
    uint64_t pfn_to_mfn_frame_list_list;
    uint64_t nmi_reason;
    uint64_t p2m_cr3;
    uint64_t p2m_vaddr;
    uint64_t p2m_generation;
};

struct shared_info {
    struct vcpu_info vcpu_info[LEGACY_MAX_VCPUS];
    uint64_t evtchn_pending[64];
    uint64_t evtchn_mask[64];
    uint32_t wc_version;
    uint32_t wc_sec; /* UTC at system_time 0, low half */
    uint32_t wc_nsec;
    uint32_t wc_sec_hi;
    struct arch_shared_info arch;
};

_Static_assert(sizeof(struct vcpu_time_info) == 32, "ABI");
_Static_assert(sizeof(struct vcpu_info) == 64, "ABI");
_Static_assert(offsetof(struct vcpu_info, evtchn_pending_sel) == 8, "ABI");
_Static_assert(offsetof(struct vcpu_info, arch.cr2) == 16, "ABI");
_Static_assert(offsetof(struct vcpu_info, time) == 32, "ABI");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == 2048, "ABI");
_Static_assert(offsetof(struct shared_info, evtchn_mask) == 2560, "ABI");
_Static_assert(offsetof(struct shared_info, wc_version) == 3072, "ABI");
_Static_assert(offsetof(struct shared_info, arch) == 3088, "ABI");
_Static_assert(sizeof(struct shared_info) == 3136, "ABI");

#endif /* ABI_SHARED_INFO_H */
