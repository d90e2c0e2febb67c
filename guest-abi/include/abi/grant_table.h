/* SPDX-License-Identifier: MIT */
/*
 * grant_table_op, version 1: lending single pages to a named domain.
 *
 * The table is an array of entries in pages that granter and hypervisor
 * share; the index of an entry is the grant reference.  A granter writes
 * domid and frame, then flags; it takes a grant back by changing flags to 0
 * with a compare-and-exchange that fails while reading or writing is set.
 *
 * The call returns 0 unless the argument array itself is bad; the outcome of
 * each entry is its status, GNTST_*.
 */

#ifndef ABI_GRANT_TABLE_H
#define ABI_GRANT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

typedef uint32_t grant_ref_t;
typedef uint32_t grant_handle_t;

#define GTF_type_mask       0x03U
#define GTF_invalid         0x00U
#define GTF_permit_access   0x01U
#define GTF_accept_transfer 0x02U
#define GTF_readonly        0x04U
#define GTF_reading         0x08U /* set and cleared by the hypervisor */
#define GTF_writing         0x10U /* set and cleared by the hypervisor */

struct grant_entry_v1 {
    uint16_t flags; /* GTF_* */
    domid_t domid;
    uint32_t frame; /* class pv: mfn; class light: gfn */
};

#define GRANT_ENTRIES_PER_FRAME 512U

#define GNTTAB_RESERVED_CONSOLE  0U
#define GNTTAB_RESERVED_XENSTORE 1U
#define GNTTAB_NR_RESERVED       8U

#define GNTTABOP_map_grant_ref   0
#define GNTTABOP_unmap_grant_ref 1
#define GNTTABOP_setup_table     2
#define GNTTABOP_copy            5
#define GNTTABOP_query_size      6
#define GNTTABOP_set_version     8
#define GNTTABOP_get_version     10
#define GNTTABOP_cache_flush     12

#define GNTMAP_device_map      0x01U
#define GNTMAP_host_map        0x02U
#define GNTMAP_readonly        0x04U
#define GNTMAP_application_map 0x08U
#define GNTMAP_contains_pte    0x10U

#define GNTST_okay              0
#define GNTST_general_error     (-1)
#define GNTST_bad_domain        (-2)
#define GNTST_bad_gntref        (-3)
#define GNTST_bad_handle        (-4)
#define GNTST_bad_virt_addr     (-5)
#define GNTST_bad_dev_addr      (-6)
#define GNTST_no_device_space   (-7)
#define GNTST_permission_denied (-8)
#define GNTST_bad_page          (-9)
#define GNTST_bad_copy_arg      (-10)
#define GNTST_address_too_big   (-11)
#define GNTST_eagain            (-12)
#define GNTST_no_space          (-13)

struct gnttab_map_grant_ref {
    uint64_t host_addr;    /* IN: class light: a page of the grant window */
    uint32_t flags;        /* IN: GNTMAP_* */
    grant_ref_t ref;       /* IN */
    domid_t dom;           /* IN: the granter, never DOMID_SELF */
    int16_t status;        /* OUT */
    grant_handle_t handle; /* OUT */
    uint64_t dev_bus_addr; /* OUT: machine address, 0 without a device right */
};

struct gnttab_unmap_grant_ref {
    uint64_t host_addr;    /* IN */
    uint64_t dev_bus_addr; /* IN */
    grant_handle_t handle; /* IN */
    int16_t status;        /* OUT */
};

struct gnttab_setup_table {
    domid_t dom;         /* IN */
    uint32_t nr_frames;  /* IN */
    int16_t status;      /* OUT */
    uint64_t frame_list; /* IN: address of uint64_t[nr_frames], filled */
};

#define GNTCOPY_source_gref 0x1U
#define GNTCOPY_dest_gref   0x2U

struct gnttab_copy {
    struct gnttab_copy_ptr {
        union {
            grant_ref_t ref;
            uint64_t gmfn;
        } u;
        domid_t domid;
        uint16_t offset; /* bytes */
    } source, dest;      /* IN */
    uint16_t len;        /* IN: bytes */
    uint16_t flags;      /* IN: GNTCOPY_* */
    int16_t status;      /* OUT */
};

struct gnttab_query_size {
    domid_t dom;            /* IN */
    uint32_t nr_frames;     /* OUT */
    uint32_t max_nr_frames; /* OUT */
    int16_t status;         /* OUT */
};

struct gnttab_set_version {
    uint32_t version; /* IN OUT */
};

struct gnttab_get_version {
    domid_t dom; /* IN */
    uint16_t pad;
    uint32_t version; /* OUT */
};

/* -EINVAL: past the page's end; -EPERM: addresses of devices are not for it. */
struct gnttab_cache_flush {
    union {
        uint64_t dev_bus_addr;
        grant_ref_t ref;
    } a;             /* IN */
    uint16_t offset; /* IN */
    uint16_t length; /* IN */
    uint32_t op;     /* IN: GNTTAB_CACHE_* */
};

#define GNTTAB_CACHE_CLEAN 0x1U
#define GNTTAB_CACHE_INVAL 0x2U

_Static_assert(sizeof(struct grant_entry_v1) == 8, "ABI");
_Static_assert(sizeof(struct gnttab_map_grant_ref) == 32, "ABI");
_Static_assert(sizeof(struct gnttab_unmap_grant_ref) == 24, "ABI");
_Static_assert(sizeof(struct gnttab_setup_table) == 24, "ABI");
_Static_assert(sizeof(struct gnttab_copy) == 40, "ABI");
_Static_assert(offsetof(struct gnttab_copy, status) == 36, "ABI");
_Static_assert(sizeof(struct gnttab_query_size) == 16, "ABI");

#endif /* ABI_GRANT_TABLE_H */
