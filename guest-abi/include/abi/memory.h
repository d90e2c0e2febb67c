/* SPDX-License-Identifier: MIT */
/* memory_op: a domain's own memory reservation and map. */

#ifndef ABI_MEMORY_H
#define ABI_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

#define XENMEM_increase_reservation       0
#define XENMEM_decrease_reservation       1
#define XENMEM_maximum_ram_page           2
#define XENMEM_current_reservation        3
#define XENMEM_maximum_reservation        4
#define XENMEM_machphys_mfn_list          5
#define XENMEM_populate_physmap           6
#define XENMEM_add_to_physmap             7
#define XENMEM_memory_map                 9
#define XENMEM_machine_memory_map         10
#define XENMEM_exchange                   11
#define XENMEM_machphys_mapping           12
#define XENMEM_set_memory_map             13
#define XENMEM_maximum_gpfn               14
#define XENMEM_remove_from_physmap        15
#define XENMEM_set_pod_target             16
#define XENMEM_get_pod_target             17
#define XENMEM_add_to_physmap_batch       23
#define XENMEM_claim_pages                24
#define XENMEM_get_vnumainfo              26
#define XENMEM_reserved_device_memory_map 27
#define XENMEM_acquire_resource           28

/* Bits of mem_flags: the width of an address that reaches the frame, or 0. */
#define XENMEMF_ADDRESS_BITS 0xffU

struct xen_memory_reservation {
    uint64_t extent_start; /* IN: address of an array of frame numbers */
    uint64_t nr_extents;   /* IN */
    uint32_t extent_order; /* IN: log2 of the frames in an extent */
    uint32_t mem_flags;    /* IN */
    domid_t domid;         /* IN */
};

#define XENMAPSPACE_shared_info 0U
#define XENMAPSPACE_grant_table 1U

struct xen_add_to_physmap {
    domid_t domid; /* IN */
    uint16_t size;
    uint32_t space; /* IN: XENMAPSPACE_* */
    uint64_t idx;   /* IN: index in that space */
    uint64_t gpfn;  /* IN: where it shall appear */
};

struct xen_domid_arg {
    domid_t domid;
};

struct xen_memory_map {
    uint32_t nr_entries; /* IN: room; OUT: filled */
    uint64_t buffer;     /* IN: address of e820_entry[nr_entries] */
};

/* For frames in `in`, others; class pv. */
struct xen_memory_exchange {
    struct xen_memory_reservation in, out;
    uint64_t nr_exchanged; /* IN: 0; OUT */
};

/* Where the table from mfn to pfn is, and its size; class pv. */
struct xen_machphys_mapping {
    uint64_t v_start, v_end; /* OUT: addresses */
    uint64_t max_mfn;        /* OUT */
};

#define E820_RAM 1U

struct e820_entry {
    uint64_t addr;
    uint64_t size;
    uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct xen_memory_reservation) == 32, "ABI");
_Static_assert(sizeof(struct xen_add_to_physmap) == 24, "ABI");
_Static_assert(sizeof(struct xen_memory_exchange) == 72, "ABI");
_Static_assert(sizeof(struct xen_memory_map) == 16, "ABI");
_Static_assert(sizeof(struct e820_entry) == 20, "ABI");

#endif /* ABI_MEMORY_H */
