/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a kernel image: an ELF64 file with Xen's notes and Cairn's.
 *
 * Pure C on bytes that nobody trusts: every offset and length is checked
 * against the file, and the segments against each other, before use.  The
 * control domain's builder links this file too, where the macros of
 * lib/base.h would meet those of its C library.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More loadable segments than any kernel has. */
#define ELF_IMAGE_SEGMENTS_MAX 16

struct elf_segment {
    uint64_t paddr;      /* where it goes, bytes from gfn 0 */
    uint64_t mem_bytes;  /* zero-filled behind file_bytes */
    uint64_t offset;     /* in the file */
    uint64_t file_bytes; /* <= mem_bytes */
    bool write, execute;
};

struct elf_image {
    struct elf_segment segment[ELF_IMAGE_SEGMENTS_MAX];
    unsigned int segment_count;
    uint64_t end;            /* bytes from gfn 0: where all segments end */
    uint64_t virt_base;      /* address of gfn 0 */
    uint64_t entry;          /* virtual address */
    uint64_t hypercall_page; /* virtual address of a page, 0: none */
    uint64_t init_p2m;       /* the same, where the P2M list is wanted */
    uint64_t mod_start_pfn;  /* not 0: a ramdisk need not be mapped */
    uint64_t suspend_cancel; /* 1: it can go on after a suspension */
    uint32_t class; /* CAIRN_CLASS_*; CAIRN_CLASS_PV without the note */
    bool xen_notes; /* found any */
};

/*
 * Read the headers and notes of the @size bytes at @file into @image.
 *
 * Returns NULL, or what is wrong with it ("it is no ELF file").
 */
__attribute__((warn_unused_result)) const char *
elf_image_read(struct elf_image *image, const void *file, size_t size);
