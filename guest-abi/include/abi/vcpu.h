/* SPDX-License-Identifier: MIT */
/* vcpu_op: -ENOENT for a vCPU that does not exist, -ENOSYS otherwise. */

#ifndef ABI_VCPU_H
#define ABI_VCPU_H

#include <stddef.h>
#include <stdint.h>

#define VCPUOP_initialise                    0
#define VCPUOP_up                            1
#define VCPUOP_down                          2
#define VCPUOP_is_up                         3
#define VCPUOP_get_runstate_info             4
#define VCPUOP_register_runstate_memory_area 5
#define VCPUOP_set_periodic_timer            6
#define VCPUOP_stop_periodic_timer           7
#define VCPUOP_set_singleshot_timer          8
#define VCPUOP_stop_singleshot_timer         9
#define VCPUOP_register_vcpu_info            10

#define RUNSTATE_running  0
#define RUNSTATE_runnable 1
#define RUNSTATE_blocked  2
#define RUNSTATE_offline  3
#define RUNSTATE_COUNT    4

struct vcpu_runstate_info {
    int32_t state;                 /* OUT: RUNSTATE_* */
    uint64_t state_entry_time;     /* OUT: nanoseconds of system time */
    uint64_t time[RUNSTATE_COUNT]; /* OUT: nanoseconds in each state */
};

struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns; /* IN: system time */
    uint32_t flags;          /* IN */
};

struct vcpu_register_vcpu_info {
    uint64_t mfn;    /* IN: class light: a gfn */
    uint32_t offset; /* IN: bytes, a multiple of 8 */
    uint32_t rsvd;
};

_Static_assert(sizeof(struct vcpu_runstate_info) == 48, "ABI");
_Static_assert(sizeof(struct vcpu_set_singleshot_timer) == 16, "ABI");
_Static_assert(sizeof(struct vcpu_register_vcpu_info) == 16, "ABI");

#endif /* ABI_VCPU_H */
