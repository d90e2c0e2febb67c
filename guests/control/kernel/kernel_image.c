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
 * included, and behind it in the same buffer the notes.
 */
#define HEAD_BYTES  (64UL << 10)
#define NOTES_BYTES (16UL << 10)

struct headers {
    uint8_t *buffer;      /* HEAD_BYTES + NOTES_BYTES */
    uint64_t at;          /* bytes of the file seen */
    uint64_t first, size; /* of the notes in the file */
    bool searched;        /* the head is there, and these are known */
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
 * The first note segment; its header is changed to where its contents will be
 * in the buffer.  What else may be wrong with the headers is found later.
 */
static void find_notes(struct headers *h)
{
    Elf64_Ehdr *ehdr = (Elf64_Ehdr *)h->buffer;

    h->searched = true;
    for (unsigned int i = 0; i < ehdr->e_phnum; i++) {
        uint64_t at = ehdr->e_phoff + i * sizeof(Elf64_Phdr);
        Elf64_Phdr p;

        if (ehdr->e_phoff > HEAD_BYTES || at > HEAD_BYTES - sizeof(p))
            return;
        memcpy(&p, h->buffer + at, sizeof(p));
        if (p.p_type != PT_NOTE || !p.p_offset || p.p_filesz > NOTES_BYTES)
            continue;
        if (h->size)
            p.p_type = PT_NULL; /* not kept */
        else
            h->first = p.p_offset, h->size = p.p_filesz;
        p.p_offset = HEAD_BYTES;
        memcpy(h->buffer + at, &p, sizeof(p));
    }
    keep(h->buffer + HEAD_BYTES, h->first, h->size, 0, h->buffer, HEAD_BYTES);
}

static bool keep_headers(void *context, const void *bytes, size_t size)
{
    struct headers *h = context;

    keep(h->buffer, 0, HEAD_BYTES, h->at, bytes, size);
    if (!h->searched && h->at + size >= HEAD_BYTES)
        find_notes(h);
    keep(h->buffer + HEAD_BYTES, h->first, h->size, h->at, bytes, size);
    h->at += size;

    return !h->searched || h->at < h->first + h->size;
}

/*
 * As if the file were there, of which only the buffer is: nothing else is
 * looked at, and what segments hold is checked when it is loaded.
 */
static bool read_compressed(struct kernel_image *k, const char **why)
{
    struct headers h = {.buffer = calloc(1, HEAD_BYTES + NOTES_BYTES)};
    bool ok = false;

    *why = NULL;
    if (!h.buffer)
        *why = "the control domain is out of memory";
    else if (!unpack(k->format, k->data, k->size, KERNEL_BYTES_MAX,
                     keep_headers, &h, why))
        ok = false; /* it has said why */
    else if (!h.searched)
        find_notes(&h); /* all of it was shorter than the head */
    if (h.buffer && !*why && h.at < h.first + h.size)
        *why = "what is compressed in it ends before its notes";
    if (h.buffer && !*why)
        ok = elf_image_read(&k->elf, h.buffer, KERNEL_BYTES_MAX, why) == 0;
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

    return elf_image_read(&k->elf, file, size, why) == 0;
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
