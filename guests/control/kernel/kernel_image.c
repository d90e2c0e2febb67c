/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the ELF file in a kernel, and loading it from the compressed one. */

#include "kernel/kernel_image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* --- bzImage (Linux boot protocol 2.08) ----------------------------------- */

#define BZ_SECTOR         512U
#define BZ_SETUP_SECTS    0x1f1U
#define BZ_BOOT_FLAG      0x1feU
#define BZ_MAGIC          0x202U
#define BZ_VERSION        0x206U
#define BZ_PAYLOAD_OFFSET 0x248U
#define BZ_PAYLOAD_LENGTH 0x24cU
#define BZ_HEADER_END     0x250U

#define BZ_BOOT_FLAG_VALUE 0xaa55U
#define BZ_VERSION_PAYLOAD 0x208U /* the first that tells where it is */
#define BZ_SETUP_DEFAULT   4U     /* what 0 sectors mean */

static uint32_t word_at(const uint8_t *data, size_t offset, size_t bytes)
{
    uint32_t word = 0;

    memcpy(&word, data + offset, bytes);

    return word;
}

static bool is_bzimage(const uint8_t *data, size_t size)
{
    return size >= BZ_HEADER_END && memcmp(data + BZ_MAGIC, "HdrS", 4) == 0 &&
           word_at(data, BZ_BOOT_FLAG, 2) == BZ_BOOT_FLAG_VALUE;
}

static const char *find_payload(struct kernel_image *k)
{
    uint64_t sectors = k->data[BZ_SETUP_SECTS];
    uint64_t length = word_at(k->data, BZ_PAYLOAD_LENGTH, 4);
    uint64_t at;

    if (word_at(k->data, BZ_VERSION, 2) < BZ_VERSION_PAYLOAD)
        return "it is a bzImage from before boot protocol 2.08";
    at = ((sectors ? sectors : BZ_SETUP_DEFAULT) + 1) * BZ_SECTOR +
         word_at(k->data, BZ_PAYLOAD_OFFSET, 4);
    if (at > k->size || length > k->size - at)
        return "the payload of its bzImage lies outside the file";
    k->data += at;
    k->size = length;
    k->format = unpack_format(k->data, k->size);

    return k->format == UNPACK_NONE
               ? "its bzImage is compressed in a way that is not supported "
                 "(gzip, lz4, xz and zstd are)"
               : NULL;
}

/* --- Headers and notes of a compressed file --------------------------------
 */

/*
 * What stands at the beginning of any kernel's file, its program headers
 * included, and behind it in the same buffer the notes, segment after segment.
 */
#define HEAD_BYTES  (64UL << 10)
#define NOTES_BYTES (16UL << 10)

/* As many as elf_image.c reads. */
#define PROGRAM_HEADERS_MAX 64U

struct headers {
    uint8_t *buffer;  /* HEAD_BYTES + NOTES_BYTES */
    uint64_t at, end; /* of the file: seen; where the last notes end */
    Elf64_Ehdr elf;
    bool searched;   /* the head is there, and so are these */
    const char *why; /* it is refused */
};

/* The part of [@at, @at + @size) that lies in [@first, @first + @want). */
static bool meet(uint64_t at, size_t size, uint64_t first, uint64_t want,
                 uint64_t *from, size_t *bytes)
{
    uint64_t begin = at > first ? at : first;
    uint64_t end = at + size < first + want ? at + size : first + want;

    *from = begin;
    *bytes = end > begin ? end - begin : 0;

    return *bytes != 0;
}

static void keep(uint8_t *to, uint64_t first, uint64_t want, uint64_t at,
                 const void *bytes, size_t size)
{
    uint64_t from;
    size_t n;

    if (meet(at, size, first, want, &from, &n))
        memcpy(to + (from - first), (const uint8_t *)bytes + (from - at), n);
}

/*
 * The buffer is all that may be read, so the table of program headers must lie
 * in what is @there of the head.  It may not overlap the ELF header, which says
 * where it is: move_notes() changes the table.
 */
static const char *check_table(const Elf64_Ehdr *e, uint64_t there)
{
    if (memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
        return "it is no ELF file";
    if (!e->e_phnum)
        return NULL; /* elf_image_read() refuses it. */
    if (e->e_phnum > PROGRAM_HEADERS_MAX)
        return "it has too many program headers";
    if (e->e_phoff < sizeof(*e))
        return "its program headers overlap its ELF header";

    return e->e_phoff > there ||
                   e->e_phnum * sizeof(Elf64_Phdr) > there - e->e_phoff
               ? "its program headers are not all in its first 64 KiB"
               : NULL;
}

/* Of a table that was checked: the next notes from *@i on, and behind them. */
static uint8_t *next_notes(const struct headers *h, unsigned int *i,
                           Elf64_Phdr *p)
{
    while (*i < h->elf.e_phnum) {
        uint8_t *at = h->buffer + h->elf.e_phoff + *i * sizeof(*p);

        ++*i;
        memcpy(p, at, sizeof(*p));
        if (p->p_type == PT_NOTE && p->p_offset)
            return at;
    }

    return NULL;
}

static void keep_notes(const struct headers *h, uint64_t at, const void *bytes,
                       size_t size)
{
    uint8_t *to = h->buffer + HEAD_BYTES;
    Elf64_Phdr p;

    for (unsigned int i = 0; next_notes(h, &i, &p); to += p.p_filesz)
        keep(to, p.p_offset, p.p_filesz, at, bytes, size);
}

/* What else may be wrong with the headers is found later. */
static void find_notes(struct headers *h, uint64_t there)
{
    uint64_t room = NOTES_BYTES;
    Elf64_Phdr p;

    h->searched = true;
    memcpy(&h->elf, h->buffer, sizeof(h->elf));
    h->why = check_table(&h->elf, there);
    for (unsigned int i = 0; !h->why && next_notes(h, &i, &p);) {
        if (p.p_filesz > room)
            h->why = "its notes are larger than 16 KiB";
        else if (p.p_offset > KERNEL_BYTES_MAX)
            h->why = "a note segment lies outside the file";
        else if (p.p_offset + p.p_filesz > h->end)
            h->end = p.p_offset + p.p_filesz;
        room -= p.p_filesz;
    }
    if (!h->why)
        keep_notes(h, 0, h->buffer, HEAD_BYTES);
}

static bool keep_headers(void *context, const void *bytes, size_t size)
{
    struct headers *h = context;

    keep(h->buffer, 0, HEAD_BYTES, h->at, bytes, size);
    if (!h->searched && h->at + size >= HEAD_BYTES)
        find_notes(h, HEAD_BYTES);
    if (h->why)
        return false;
    if (h->searched)
        keep_notes(h, h->at, bytes, size);
    h->at += size;

    return !h->searched || h->at < h->end;
}

/* The headers of notes are changed to where those are in the buffer. */
static void move_notes(const struct headers *h)
{
    uint64_t to = HEAD_BYTES;
    uint8_t *at;
    Elf64_Phdr p;

    for (unsigned int i = 0; (at = next_notes(h, &i, &p)); to += p.p_filesz) {
        p.p_offset = to;
        memcpy(at, &p, sizeof(p));
    }
}

/*
 * As if the file were there, of which only the buffer is: nothing else is
 * looked at, and what segments hold is checked when it is loaded.
 */
static bool read_headers(struct kernel_image *k, struct headers *h,
                         const char **why)
{
    if (!unpack(k->format, k->data, k->size, KERNEL_BYTES_MAX, keep_headers, h,
                why))
        return false;
    if (!h->searched)
        find_notes(h, h->at); /* All of it was shorter than the head. */
    if (!h->why && h->at < h->end)
        h->why = "what is compressed in it ends before its notes";
    if (h->why) {
        *why = h->why;
        return false;
    }
    move_notes(h);
    *why = elf_image_read(&k->elf, h->buffer, KERNEL_BYTES_MAX);

    return !*why;
}

static bool read_compressed(struct kernel_image *k, const char **why)
{
    struct headers h = {.buffer = calloc(1, HEAD_BYTES + NOTES_BYTES)};
    bool ok = false;

    if (h.buffer)
        ok = read_headers(k, &h, why);
    else
        *why = "the control domain is out of memory";
    free(h.buffer);

    return ok;
}

bool kernel_read(struct kernel_image *k, const void *file, size_t size,
                 const char **why)
{
    *k = (struct kernel_image){.data = file, .size = size};
    if (is_bzimage(k->data, size)) {
        *why = find_payload(k);
        if (*why)
            return false;
    } else {
        k->format = unpack_format(file, size);
    }
    if (k->format != UNPACK_NONE)
        return read_compressed(k, why);
    *why = elf_image_read(&k->elf, file, size);

    return !*why;
}

/* --- Loading ----------------------------------------------------------------
 */

struct load {
    const struct elf_image *elf;
    kernel_put *put;
    void *context;
    uint64_t at, end; /* of the file: seen; where the last segment ends */
    bool refused;     /* by put */
};

/* Into each segment what it has of these bytes. */
static bool load_piece(void *context, const void *bytes, size_t size)
{
    struct load *l = context;

    for (unsigned int i = 0; i < l->elf->segment_count; i++) {
        const struct elf_segment *s = &l->elf->segment[i];
        uint64_t from;
        size_t n;

        if (meet(l->at, size, s->offset, s->file_bytes, &from, &n) &&
            !l->put(l->context, s->paddr + (from - s->offset),
                    (const uint8_t *)bytes + (from - l->at), n)) {
            l->refused = true;
            return false;
        }
    }
    l->at += size;

    return l->at < l->end;
}

bool kernel_load(const struct kernel_image *k, kernel_put *put, void *context,
                 const char **why)
{
    struct load l = {.elf = &k->elf, .put = put, .context = context};

    for (unsigned int i = 0; i < k->elf.segment_count; i++) {
        const struct elf_segment *s = &k->elf.segment[i];

        if (s->offset + s->file_bytes > l.end)
            l.end = s->offset + s->file_bytes;
    }
    *why = NULL;
    if (k->format == UNPACK_NONE)
        (void)load_piece(&l, k->data, k->size);
    else if (!unpack(k->format, k->data, k->size, KERNEL_BYTES_MAX, load_piece,
                     &l, why))
        return false;
    if (!l.refused && l.at < l.end)
        *why = "what is compressed in it ends before its last segment";

    return !l.refused && !*why;
}
