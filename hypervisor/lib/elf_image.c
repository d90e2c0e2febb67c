/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a kernel image.  Bytes are copied out of the file before they are
 * looked at, so that it may lie at any address; each range is checked against
 * the file in one function, file_range().
 */

#include "lib/elf_image.h"

#include <abi/cpuid.h>
#include <abi/elfnote.h>

#include "lib/errno.h"
#include "lib/frame_number.h"
#include "lib/string.h"

/* ELF-64 Object File Format, version 1.5. */
#define ELF_CLASS_64   2
#define ELF_DATA_LSB   1
#define ELF_VERSION    1
#define ELF_TYPE_EXEC  2
#define ELF_TYPE_DYN   3
#define ELF_MACHINE    62 /* x86-64 */
#define ELF_PT_LOAD    1U
#define ELF_PT_NOTE    4U
#define ELF_PF_EXECUTE 1U
#define ELF_PF_WRITE   2U
#define ELF_PF_ANY     7U

/* More program headers than any kernel has; a bound on our work. */
#define PROGRAM_HEADERS_MAX 64U

/* The largest guest-physical address: 2^40 frames are in no machine. */
#define PADDR_MAX (1ULL << 52)

struct elf_header {
    uint8_t magic[4], class, data, version, padding[9];
    uint16_t type, machine;
    uint32_t version2;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct note_header {
    uint32_t name_bytes, desc_bytes, type;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF");
_Static_assert(sizeof(struct program_header) == 56, "ELF");
_Static_assert(sizeof(struct note_header) == 12, "ELF");

struct reader {
    const uint8_t *file;
    size_t size;
    const char **why;
    uint64_t elf_entry, paddr_offset;
    bool has_entry, has_virt_base, has_paddr_offset;
};

static int fail(const struct reader *r, const char *why)
{
    *r->why = why;
    return -ENOEXEC;
}

/* The @bytes at @offset of the file, or NULL. */
static const uint8_t *file_range(const struct reader *r, uint64_t offset,
                                 uint64_t bytes)
{
    if (offset > r->size || bytes > r->size - offset)
        return NULL;
    return r->file + offset;
}

static int check_header(struct reader *r, struct elf_header *h)
{
    const uint8_t *at = file_range(r, 0, sizeof(*h));

    if (!at)
        return fail(r, "it is shorter than an ELF header");
    memcpy(h, at, sizeof(*h));
    if (memcmp(h->magic, "\177ELF", 4))
        return fail(r, "it is no ELF file");
    if (h->class != ELF_CLASS_64 || h->data != ELF_DATA_LSB ||
        h->version != ELF_VERSION || h->machine != ELF_MACHINE)
        return fail(r, "it is no ELF64 file for x86-64");
    if (h->type != ELF_TYPE_EXEC && h->type != ELF_TYPE_DYN)
        return fail(r, "it is no executable");
    if (h->phentsize != sizeof(struct program_header))
        return fail(r, "its program headers have an unknown size");
    if (!h->phnum)
        return fail(r, "it has no program headers");
    if (h->phnum > PROGRAM_HEADERS_MAX)
        return fail(r, "it has too many program headers");
    if (!file_range(r, h->phoff, (uint64_t)h->phnum * h->phentsize))
        return fail(r, "its program headers lie outside the file");
    r->elf_entry = h->entry;
    return 0;
}

static int add_segment(const struct reader *r, struct elf_image *image,
                       const struct program_header *p)
{
    if (!(p->flags & ELF_PF_ANY) || !p->memsz)
        return 0;
    if (image->segment_count == ELF_IMAGE_SEGMENTS_MAX)
        return fail(r, "it has too many loadable segments");
    if (p->filesz > p->memsz)
        return fail(r, "a segment is larger in the file than in memory");
    if (!file_range(r, p->offset, p->filesz))
        return fail(r, "a segment lies outside the file");
    image->segment[image->segment_count++] = (struct elf_segment){
        .paddr = p->paddr,
        .mem_bytes = p->memsz,
        .offset = p->offset,
        .file_bytes = p->filesz,
        .write = p->flags & ELF_PF_WRITE,
        .execute = p->flags & ELF_PF_EXECUTE,
    };
    return 0;
}

/* A number of 1, 2, 4 or 8 bytes. */
static int note_number(const struct reader *r, const uint8_t *desc,
                       uint32_t bytes, uint64_t *value)
{
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
        return fail(r, "a note holds a number of an unknown size");
    *value = 0;
    memcpy(value, desc, bytes);
    return 0;
}

static int xen_note(struct reader *r, struct elf_image *image, uint32_t type,
                    const uint8_t *desc, uint32_t bytes)
{
    image->xen_notes = true;
    switch (type) {
    case XEN_ELFNOTE_ENTRY:
        r->has_entry = true;
        return note_number(r, desc, bytes, &image->entry);
    case XEN_ELFNOTE_HYPERCALL_PAGE:
        return note_number(r, desc, bytes, &image->hypercall_page);
    case XEN_ELFNOTE_VIRT_BASE:
        r->has_virt_base = true;
        return note_number(r, desc, bytes, &image->virt_base);
    case XEN_ELFNOTE_PADDR_OFFSET:
        r->has_paddr_offset = true;
        return note_number(r, desc, bytes, &r->paddr_offset);
    default:
        return 0;
    }
}

static int cairn_note(const struct reader *r, struct elf_image *image,
                      uint32_t type, const uint8_t *desc, uint32_t bytes)
{
    uint64_t class;
    int rc;

    if (type != CAIRN_ELFNOTE_CLASS)
        return 0;
    rc = note_number(r, desc, bytes, &class);
    if (rc)
        return rc;
    if (class != CAIRN_CLASS_PV && class != CAIRN_CLASS_LIGHT)
        return fail(r, "its class note names an unknown class");
    image->class = (uint32_t) class;
    return 0;
}

/* The notes of one segment; what does not fit in it any more ends the list. */
static int read_notes(struct reader *r, struct elf_image *image,
                      const uint8_t *at, uint64_t left)
{
    while (left >= sizeof(struct note_header)) {
        struct note_header n;
        uint64_t name_room, room;
        const uint8_t *name, *desc;
        int rc = 0;

        memcpy(&n, at, sizeof(n));
        name_room = ((uint64_t)n.name_bytes + 3) & ~3ULL;
        room = name_room + (((uint64_t)n.desc_bytes + 3) & ~3ULL);
        left -= sizeof(n);
        /* The last descriptor's padding may be missing. */
        if (name_room > left || n.desc_bytes > left - name_room)
            return fail(r, "a note lies outside its segment");
        name = at + sizeof(n);
        desc = name + name_room;
        if (n.name_bytes == 4 && !memcmp(name, "Xen", 4))
            rc = xen_note(r, image, n.type, desc, n.desc_bytes);
        else if (n.name_bytes == 6 && !memcmp(name, "Cairn", 6))
            rc = cairn_note(r, image, n.type, desc, n.desc_bytes);
        if (rc)
            return rc;
        if (room > left)
            return 0;
        at += sizeof(n) + room;
        left -= room;
    }
    return 0;
}

static int read_program_headers(struct reader *r, struct elf_image *image,
                                const struct elf_header *h)
{
    for (unsigned int i = 0; i < h->phnum; i++) {
        const uint8_t *at;
        struct program_header p;
        int rc = 0;

        memcpy(&p, r->file + h->phoff + i * sizeof(p), sizeof(p));
        if (p.type == ELF_PT_LOAD) {
            rc = add_segment(r, image, &p);
        } else if (p.type == ELF_PT_NOTE && p.offset) {
            at = file_range(r, p.offset, p.filesz);
            if (!at)
                return fail(r, "a note segment lies outside the file");
            rc = read_notes(r, image, at, p.filesz);
        }
        if (rc)
            return rc;
    }
    return 0;
}

/* From addresses of the file to bytes from gfn 0; where all of them lie. */
static int place_segments(struct reader *r, struct elf_image *image)
{
    if (!image->segment_count)
        return fail(r, "it has nothing to load");
    if (r->has_paddr_offset && !r->has_virt_base)
        return fail(r, "it has a PADDR_OFFSET note without a VIRT_BASE");
    image->start = UINT64_MAX;
    for (unsigned int i = 0; i < image->segment_count; i++) {
        struct elf_segment *s = &image->segment[i];

        /* Wraps for a paddr below the offset, and is refused for that. */
        s->paddr -= r->paddr_offset;
        if (s->paddr > PADDR_MAX || s->mem_bytes > PADDR_MAX - s->paddr)
            return fail(r, "a segment's address is out of range");
        if (s->paddr < image->start)
            image->start = s->paddr;
        if (s->paddr + s->mem_bytes > image->end)
            image->end = s->paddr + s->mem_bytes;
    }
    return 0;
}

static bool overlap(const struct elf_segment *a, const struct elf_segment *b,
                    uint64_t unit)
{
    return a->paddr / unit <= (b->paddr + b->mem_bytes - 1) / unit &&
           b->paddr / unit <= (a->paddr + a->mem_bytes - 1) / unit;
}

/*
 * Class light maps pages: one that two segments share cannot have the rights
 * of both, so it is allowed only where those are the same.
 */
static int check_overlap(const struct reader *r, const struct elf_image *image)
{
    for (unsigned int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *a = &image->segment[i];

        if (image->class == CAIRN_CLASS_LIGHT && a->write && a->execute)
            return fail(r, "a segment is writable and executable");
        for (unsigned int j = 0; j < i; j++) {
            const struct elf_segment *b = &image->segment[j];

            if (overlap(a, b, 1))
                return fail(r, "two segments overlap");
            if (image->class == CAIRN_CLASS_LIGHT &&
                (a->write != b->write || a->execute != b->execute) &&
                overlap(a, b, PAGE_SIZE))
                return fail(r, "two segments of different rights share a page");
        }
    }
    return 0;
}

/* The entry must lie in code that is loaded. */
static int check_entry(const struct reader *r, struct elf_image *image)
{
    uint64_t at;

    if (!r->has_entry)
        image->entry = r->elf_entry;
    if (image->virt_base % PAGE_SIZE)
        return fail(r, "its VIRT_BASE is not page-aligned");
    if (image->end > UINT64_MAX - image->virt_base)
        return fail(r, "its addresses wrap around");
    at = image->entry - image->virt_base;
    for (unsigned int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];

        if (s->execute && at >= s->paddr && at - s->paddr < s->mem_bytes)
            return 0;
    }
    return fail(r, "its entry point is not in executable memory");
}

int elf_image_read(struct elf_image *image, const void *file, size_t size,
                   const char **why)
{
    struct reader r = {.file = file, .size = size, .why = why};
    struct elf_header h;
    int rc;

    memset(image, 0, sizeof(*image));
    image->class = CAIRN_CLASS_PV;
    *why = "";
    rc = check_header(&r, &h);
    if (!rc)
        rc = read_program_headers(&r, image, &h);
    if (!rc)
        rc = place_segments(&r, image);
    if (!rc)
        rc = check_overlap(&r, image);
    if (!rc)
        rc = check_entry(&r, image);
    return rc;
}
