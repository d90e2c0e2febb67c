/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the memory of a class pv domain looks like at its start: which pfn and
 * virtual address each part has, and the page tables that map them.
 *
 * Pure C without any memory of its own: the hypervisor builds its initial
 * domain with it, the control domain all others.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/start_info.h>

#include "lib/elf_image.h"

#define PV_TABLE_ENTRIES 512U

/* A range of virtual addresses that is mapped to pfns in order, by tables. */
struct pv_mapping {
    uint64_t first, last; /* addresses of its first and last page */
    uint64_t pfn;         /* of the first page */
    uint64_t tables;      /* pfn of the first table: L4 (if any), L3, L2, L1 */
    uint32_t count[4];    /* tables of level 1 + i */
};

struct pv_layout {
    uint64_t virt_base;     /* address of pfn 0 */
    uint64_t nr_pages;      /* RAM of the domain; 0 .. this are its pfns */
    uint64_t ramdisk;       /* pfn; 0: there is none */
    uint64_t ramdisk_bytes; /* the same as given */
    bool ramdisk_mapped;    /* at its place behind virt_base */
    uint64_t p2m;           /* pfn of the list mfn_list[nr_pages] */
    uint64_t p2m_pages;     /* of it; words behind nr_pages are to be ~0 */
    uint64_t p2m_address;   /* virtual */
    bool p2m_apart;         /* mapped by tables of its own */
    bool initial;
    uint64_t start_info;     /* pfn */
    uint64_t store, console; /* pfns; 0 in the initial domain */
    uint64_t l4;             /* pfn of the table to start with */
    uint64_t stack;          /* pfn */
    uint64_t end;            /* pfn behind all of these, and what is mapped */
    uint32_t table_count;    /* number for pv_layout_table() */
    struct pv_mapping kernel, list; /* list: unless it is in kernel */
};

/* Address of a pfn in the kernel's mapping. */
static inline uint64_t pv_layout_va(const struct pv_layout *l, uint64_t pfn)
{
    return l->virt_base + pfn * 4096;
}

/*
 * Lay out @image in @nr_pages of RAM with a ramdisk of @ramdisk_bytes, 0: none.
 * @initial: as in the initial domain, which has no rings for store and console.
 * -EINVAL, and *@why a sentence part: it does not fit, or its addresses are
 * not a guest's.
 */
__attribute__((warn_unused_result)) int
pv_layout_make(struct pv_layout *l, const struct elf_image *image,
               uint64_t nr_pages, uint64_t ramdisk_bytes, bool initial,
               const char **why);

/*
 * The contents of table @n, below table_count, given the mfns of all pfns; its
 * pfn.
 */
uint64_t pv_layout_table(const struct pv_layout *l, uint32_t n,
                         const uint64_t *mfn,
                         uint64_t entries[PV_TABLE_ENTRIES]);

/*
 * What of start_info follows from the layout: all but shared_info (a machine
 * address), ports, the command line, and more flags.
 */
void pv_layout_start_info(const struct pv_layout *l, const uint64_t *mfn,
                          struct start_info *info);

/* Where vCPU 0's rsp points at the start; rsi is the address of start_info. */
static inline uint64_t pv_layout_stack(const struct pv_layout *l)
{
    return pv_layout_va(l, l->stack + 1);
}
