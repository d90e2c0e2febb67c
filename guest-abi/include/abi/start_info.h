/* SPDX-License-Identifier: MIT */
/* What a domain is told at its start: the page that rsi points to. */

#ifndef ABI_START_INFO_H
#define ABI_START_INFO_H

#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

#define START_INFO_MAGIC   "xen-3.0-x86_64"
#define START_INFO_CMDLINE 1024 /* bytes, NUL included */

/* start_info.flags */
#define SIF_PRIVILEGED    0x01U
#define SIF_INITDOMAIN    0x02U
#define SIF_MULTIBOOT_MOD 0x04U
#define SIF_MOD_START_PFN 0x08U
#define SIF_VIRT_P2M      0x10U

struct start_info {
    char magic[32];
    uint64_t nr_pages;    /* RAM pages of the domain */
    uint64_t shared_info; /* class pv: machine address; light: guest-physical */
    uint32_t flags;       /* SIF_* */
    uint64_t store_mfn;   /* xenstore ring; class light: a gfn */
    uint32_t store_evtchn;
    union {
        struct {
            uint64_t mfn; /* console ring; class light: a gfn */
            uint32_t evtchn;
        } domU;
        struct {
            uint32_t info_off;
            uint32_t info_size;
        } dom0;
    } console;
    uint64_t pt_base;      /* 0 in class light */
    uint64_t nr_pt_frames; /* 0 in class light */
    uint64_t mfn_list;     /* 0 in class light */
    uint64_t mod_start;
    uint64_t mod_len;
    int8_t cmd_line[START_INFO_CMDLINE];
    uint64_t first_p2m_pfn;
    uint64_t nr_p2m_frames;
};

_Static_assert(sizeof(struct start_info) == 1168, "ABI");
_Static_assert(offsetof(struct start_info, store_mfn) == 56, "ABI");
_Static_assert(offsetof(struct start_info, console) == 72, "ABI");
_Static_assert(offsetof(struct start_info, mod_start) == 112, "ABI");
_Static_assert(offsetof(struct start_info, cmd_line) == 128, "ABI");

#endif /* ABI_START_INFO_H */
