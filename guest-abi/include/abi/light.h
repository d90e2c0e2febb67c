/* SPDX-License-Identifier: MIT */
/*
 * light_op(cmd, arg): what a domain of class light may ask about its own
 * memory.  Class light has one flat space: va = virt_base + gfn * 4096, for
 * ever; gfns below ram_pages are RAM and the windows follow it.  In a space
 * that begins at address 0 the first page begins as a guard, for null pointers.
 *
 * Errors: -EFAULT, the argument could not be read or written; -EINVAL, a
 * range that is not wholly RAM, or an unknown protection; -EACCES, a range
 * that holds text, or a page that is lent or pinned; -ENOSYS, not class light.
 */

#ifndef ABI_LIGHT_H
#define ABI_LIGHT_H

#include <stddef.h>
#include <stdint.h>

/* Every light domain's shared_info and grant table are in this window. */
#define LIGHT_SPECIAL_PAGES       128U
#define LIGHT_SPECIAL_SHARED_INFO 0U  /* page in the window */
#define LIGHT_SPECIAL_GRANT_TABLE 64U /* first of up to 64 pages */
#define LIGHT_GRANT_FRAMES_MAX    64U

#define LIGHT_OP_layout  0
#define LIGHT_OP_protect 1
#define LIGHT_OP_discard 2

/* First gfn and page count of each window; a count of 0: no such window. */
struct light_layout {
    uint64_t virt_base;    /* OUT: address of gfn 0 */
    uint64_t ram_pages;    /* OUT: gfns 0 .. ram_pages - 1 are RAM */
    uint64_t special_gfn;  /* OUT: LIGHT_SPECIAL_PAGES of them */
    uint64_t grant_gfn;    /* OUT: where map_grant_ref may map */
    uint64_t grant_pages;  /* OUT */
    uint64_t module_gfn;   /* OUT: boot modules, read-only */
    uint64_t module_pages; /* OUT */
    uint64_t mmio_gfn;     /* OUT: where device memory is mapped */
    uint64_t mmio_pages;   /* OUT */
};

#define LIGHT_PROT_guard      0U /* any access faults; contents are lost */
#define LIGHT_PROT_read       1U
#define LIGHT_PROT_read_write 2U
#define LIGHT_PROT_execute    3U /* text: only control_op can make it */

/* Change the protection of RAM pages that are not text. */
struct light_protect {
    uint64_t gfn;   /* IN */
    uint64_t count; /* IN: pages */
    uint32_t prot;  /* IN: LIGHT_PROT_*, never execute */
};

/* Give the frames of RAM pages back; they read as zero when next touched. */
struct light_discard {
    uint64_t gfn;   /* IN */
    uint64_t count; /* IN: pages */
};

_Static_assert(sizeof(struct light_layout) == 72, "ABI");
_Static_assert(sizeof(struct light_protect) == 24, "ABI");
_Static_assert(sizeof(struct light_discard) == 16, "ABI");

#endif /* ABI_LIGHT_H */
