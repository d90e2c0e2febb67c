/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a kernel image.  Bytes are copied out of the file before they are
 * looked at, so that it may lie at any address; each range is checked against
 * the file in one function, file_range().
 */

#include "lib/elf_image.h"

#include <abi/cpuid.h>
#include <abi/elfnote.h>

#include "lib/frame_number.h"
#include "lib/string.h"

/* ELF-64 Object File Format, version 1.5. */
#define ELF_IDENT_64   "\2\1\1" /* 64 bits, little endian, version 1 */
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
    uint8_t magic[4], ident[12];
    uint16_t type, machine;
    uint32_t version;
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

/*
 * What the functions below share.  Each returns NULL, or what is wrong with the
 * file.
 */
struct reader {
    const uint8_t *file;
    size_t size;
    struct elf_image *image;
    uint64_t paddr_offset, class;
    bool has_virt_base, has_paddr_offset;
};

/* The @bytes at @offset of the file, or NULL. */
static const uint8_t *file_range(const struct reader *r, uint64_t offset,
                                 uint64_t bytes)
{
    if (offset > r->size || bytes > r->size - offset)
        return NULL;
    return r->file + offset;
}

static const char *read_header(const struct reader *r, struct elf_header *h)
{
    const uint8_t *at = file_range(r, 0, sizeof(*h));

    if (!at)
        return "it is shorter than an ELF header";
    memcpy(h, at, sizeof(*h));
    if (memcmp(h->magic, "\177ELF", 4))
        return "it is no ELF file";
    if (memcmp(h->ident, ELF_IDENT_64, 3) || h->machine != ELF_MACHINE)
        return "it is no ELF64 file for x86-64";
    if (h->type != ELF_TYPE_EXEC && h->type != ELF_TYPE_DYN)
        return "it is no executable";
    if (h->phentsize != sizeof(struct program_header))
        return "its program headers have an unknown size";
    if (!h->phnum)
        return "it has no program headers";
    if (h->phnum > PROGRAM_HEADERS_MAX)
        return "it has too many program headers";
    if (!file_range(r, h->phoff, (uint64_t)h->phnum * h->phentsize))
        return "its program headers lie outside the file";
    r->image->entry = h->entry;
    return NULL;
}

static const char *add_segment(const struct reader *r,
                               const struct program_header *p)
{
    struct elf_image *image = r->image;

    if (!(p->flags & ELF_PF_ANY) || !p->memsz)
        return NULL;
    if (image->segment_count == ELF_IMAGE_SEGMENTS_MAX)
        return "it has too many loadable segments";
    if (p->filesz > p->memsz)
        return "a segment is larger in the file than in memory";
    if (!file_range(r, p->offset, p->filesz))
        return "a segment lies outside the file";
    image->segment[image->segment_count++] = (struct elf_segment){
        .paddr = p->paddr,
        .mem_bytes = p->memsz,
        .offset = p->offset,
        .file_bytes = p->filesz,
        .write = p->flags & ELF_PF_WRITE,
        .execute = p->flags & ELF_PF_EXECUTE,
    };
    return NULL;
}

/* Where the number of one of Xen's notes goes; NULL: we do not read it. */
static uint64_t *xen_note(struct reader *r, uint32_t type)
{
    r->image->xen_notes = true;
    switch (type) {
    case XEN_ELFNOTE_ENTRY:
        return &r->image->entry;
    case XEN_ELFNOTE_HYPERCALL_PAGE:
        return &r->image->hypercall_page;
    case XEN_ELFNOTE_VIRT_BASE:
        r->has_virt_base = true;
        return &r->image->virt_base;
    case XEN_ELFNOTE_PADDR_OFFSET:
        r->has_paddr_offset = true;
        return &r->paddr_offset;
    case XEN_ELFNOTE_INIT_P2M:
        return &r->image->init_p2m;
    case XEN_ELFNOTE_SUSPEND_CANCEL:
        return &r->image->suspend_cancel;
    case XEN_ELFNOTE_MOD_START_PFN:
        return &r->image->mod_start_pfn;
    default:
        return NULL;
    }
}

static const char *read_note(struct reader *r, const struct note_header *n,
                             const uint8_t *name, const uint8_t *desc)
{
    uint64_t *number = NULL;

    if (n->name_bytes == 4 && !memcmp(name, "Xen", 4))
        number = xen_note(r, n->type);
    if (n->name_bytes == 6 && !memcmp(name, "Cairn", 6) &&
        n->type == CAIRN_ELFNOTE_CLASS)
        number = &r->class;
    if (!number)
        return NULL;
    if (n->desc_bytes > 8 || !n->desc_bytes ||
        n->desc_bytes & (n->desc_bytes - 1))
        return "a note holds a number of an unknown size";
    *number = 0;
    memcpy(number, desc, n->desc_bytes);
    return NULL;
}

/* The notes of one segment; what does not fit in it any more ends the list. */
static const char *read_notes(struct reader *r, const uint8_t *at,
                              uint64_t left)
{
    while (left >= sizeof(struct note_header)) {
        struct note_header n;
        uint64_t desc, end;
        const char *wrong;

        memcpy(&n, at, sizeof(n));
        desc = sizeof(n) + (((uint64_t)n.name_bytes + 3) & ~3ULL);
        end = desc + (((uint64_t)n.desc_bytes + 3) & ~3ULL);
        /* The last descriptor's padding may be missing. */
        if (desc > left || n.desc_bytes > left - desc)
            return "a note lies outside its segment";
        wrong = read_note(r, &n, at + sizeof(n), at + desc);
        if (wrong || end > left)
            return wrong;
        at += end;
        left -= end;
    }
    return NULL;
}

static const char *read_program_headers(struct reader *r,
                                        const struct elf_header *h)
{
    const char *wrong = NULL;

    for (unsigned int i = 0; i < h->phnum && !wrong; i++) {
        struct program_header p;
        const uint8_t *at;

        memcpy(&p, r->file + h->phoff + i * sizeof(p), sizeof(p));
        if (p.type == ELF_PT_LOAD) {
            wrong = add_segment(r, &p);
        } else if (p.type == ELF_PT_NOTE && p.offset) {
            at = file_range(r, p.offset, p.filesz);
            wrong = at ? read_notes(r, at, p.filesz)
                       : "a note segment lies outside the file";
        }
    }
    return wrong;
}

/* From addresses of the file to bytes from gfn 0; where all of them end. */
static const char *place_segments(const struct reader *r)
{
    struct elf_image *image = r->image;

    if (!image->segment_count)
        return "it has nothing to load";
    if (r->class != CAIRN_CLASS_PV && r->class != CAIRN_CLASS_LIGHT)
        return "its class note names an unknown class";
    image->class = (uint32_t)r->class;
    if (r->has_paddr_offset && !r->has_virt_base)
        return "it has a PADDR_OFFSET note without a VIRT_BASE";
    for (unsigned int i = 0; i < image->segment_count; i++) {
        struct elf_segment *s = &image->segment[i];

        /* Wraps for a paddr below the offset, and is refused for that. */
        s->paddr -= r->paddr_offset;
        if (s->paddr > PADDR_MAX || s->mem_bytes > PADDR_MAX - s->paddr)
            return "a segment's address is out of range";
        if (s->paddr + s->mem_bytes > image->end)
            image->end = s->paddr + s->mem_bytes;
    }
    return NULL;
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
static const char *check_segments(const struct elf_image *image)
{
    bool light = image->class == CAIRN_CLASS_LIGHT;

    for (unsigned int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *a = &image->segment[i], *b;

        if (light && a->write && a->execute)
            return "a segment is writable and executable";
        for (b = image->segment; b < a; b++) {
            if (overlap(a, b, 1))
                return "two segments overlap";
            if (light && (a->write != b->write || a->execute != b->execute) &&
                overlap(a, b, PAGE_SIZE))
                return "two segments of different rights share a page";
        }
    }
    return NULL;
}

/* The entry must lie in code that is loaded. */
static const char *check_entry(const struct elf_image *image)
{
    uint64_t at = image->entry - image->virt_base;

    if (image->virt_base % PAGE_SIZE)
        return "its VIRT_BASE is not page-aligned";
    if (image->end > UINT64_MAX - image->virt_base)
        return "its addresses wrap around";
    for (unsigned int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];

        if (s->execute && at >= s->paddr && at - s->paddr < s->mem_bytes)
            return NULL;
    }
    return "its entry point is not in executable memory";
}

/* The whole page is the image's: builders fill it with stubs. */
static const char *check_hypercall_page(const struct elf_image *image)
{
    uint64_t at = image->hypercall_page - image->virt_base;

    if (!image->hypercall_page || (at % PAGE_SIZE == 0 && at < image->end))
        return NULL;
    return "its hypercall page lies outside the image";
}

const char *elf_image_read(struct elf_image *image, const void *file,
                           size_t size)
{
    struct reader r = {file, size, image, .class = CAIRN_CLASS_PV};
    struct elf_header h;

    memset(image, 0, sizeof(*image));
    return read_header(&r, &h)
               ?: read_program_headers(&r, &h)
               ?: place_segments(&r)
               ?: check_segments(image)
               ?: check_entry(image)
               ?: check_hypercall_page(image);
}
