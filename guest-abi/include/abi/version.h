/* SPDX-License-Identifier: MIT */
/* xen_version: which interface this is and what it can do. */

#ifndef ABI_VERSION_H
#define ABI_VERSION_H

#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

/* The version of Xen's interface that Cairn implements. */
#define XEN_VERSION_MAJOR 4
#define XEN_VERSION_MINOR 17

#define XENVER_version             0
#define XENVER_extraversion        1
#define XENVER_compile_info        2
#define XENVER_capabilities        3
#define XENVER_changeset           4
#define XENVER_platform_parameters 5
#define XENVER_get_features        6
#define XENVER_pagesize            7
#define XENVER_guest_handle        8
#define XENVER_commandline         9
#define XENVER_build_id            10 /* -ENODATA: there is none */

struct xen_extraversion {
    char text[16];
};
struct xen_compile_info {
    char compiler[64];
    char compile_by[16];
    char compile_domain[32];
    char compile_date[32];
};
struct xen_capabilities {
    char text[1024];
};
struct xen_changeset {
    char text[64];
};
struct xen_platform_parameters {
    uint64_t virt_start;
};
struct xen_feature_info {
    uint32_t submap_idx; /* IN */
    uint32_t submap;     /* OUT */
};
struct xen_domain_handle {
    uint8_t uuid[16];
};
struct xen_commandline {
    char text[1024];
};

#define XENFEAT_writable_page_tables      0
#define XENFEAT_auto_translated_physmap   2 /* class light */
#define XENFEAT_supervisor_mode_kernel    3
#define XENFEAT_pae_pgdir_above_4gb       4
#define XENFEAT_mmu_pt_update_preserve_ad 5
#define XENFEAT_highmem_assist            6
#define XENFEAT_gnttab_map_avail_bits     7
#define XENFEAT_dom0                      11
#define XENFEAT_memory_op_vnode_supported 13
#define XENFEAT_direct_mapped             17
#define XENFEAT_cairn                     31 /* CPUID tells more */

_Static_assert(sizeof(struct xen_compile_info) == 144, "ABI");
_Static_assert(sizeof(struct xen_feature_info) == 8, "ABI");

#endif /* ABI_VERSION_H */
