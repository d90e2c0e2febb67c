/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turn the linked hypervisor, an ELF64 file at virtual addresses, into what a
 * Multiboot loader takes: an ELF32 file at physical addresses.
 *
 *   usage: mkmultiboot IN OUT
 *
 * Loaders refuse ELF64, and 64-bit virtual addresses do not fit ELF32.  Each
 * PT_LOAD segment is copied with its physical address as both addresses.  The
 * Multiboot 1 header must come out in the first 8 KiB; one of Multiboot 2, if
 * there is any, in the first 32 KiB and on a multiple of 8.  Sections and
 * symbols stay behind, in the input.
 */

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC         0x1badb002u /* Multiboot 0.6.96, section 3.1.1 */
#define MAGIC2        0xe85250d6u /* Multiboot2 2.0, section 3.1.1 */
#define SEARCH_BYTES  8192
#define SEARCH_BYTES2 32768
#define SEGMENTS_MAX  16 /* The link script makes about five. */
#define SEGMENT_ALIGN 64

static const char *in_name;

static _Noreturn void fail(const char *why)
{
    fprintf(stderr, "mkmultiboot: %s: %s\n", in_name, why);
    exit(1);
}

/* The whole file, and its size. */
static char *read_file(size_t *size)
{
    FILE *f = fopen(in_name, "rb");
    char *bytes;
    long end;

    if (!f || fseek(f, 0, SEEK_END) || (end = ftell(f)) < 0)
        fail("cannot be read");
    rewind(f);
    bytes = malloc((size_t)end + 1);
    if (!bytes || fread(bytes, 1, (size_t)end, f) != (size_t)end)
        fail("cannot be read");
    fclose(f);
    *size = (size_t)end;
    return bytes;
}

static void check_input(const Elf64_Ehdr *in, size_t size)
{
    if (size < sizeof(*in) || memcmp(in->e_ident, ELFMAG, SELFMAG) ||
        in->e_ident[EI_CLASS] != ELFCLASS64 || in->e_machine != EM_X86_64)
        fail("is no ELF64 file for x86-64");
    if (in->e_phentsize != sizeof(Elf64_Phdr) || in->e_phoff > size ||
        in->e_phnum > (size - in->e_phoff) / sizeof(Elf64_Phdr))
        fail("has a broken program header table");
}

/* Where a loader in 32-bit mode has to jump to. */
static uint32_t entry_maddr(const Elf64_Ehdr *in, const Elf64_Phdr *p)
{
    for (int i = 0; i < in->e_phnum; i++) {
        if (p[i].p_type != PT_LOAD)
            continue;
        if (in->e_entry - p[i].p_paddr < p[i].p_memsz)
            return (uint32_t)in->e_entry;
        if (in->e_entry - p[i].p_vaddr < p[i].p_memsz)
            return (uint32_t)(in->e_entry - p[i].p_vaddr + p[i].p_paddr);
    }
    fail("has its entry point outside of its segments");
}

/* Where the @count words are that begin with @magic and add up to 0. */
static size_t find_header(const char *image, size_t size, uint32_t magic,
                          size_t count)
{
    uint32_t word[4] = {0};

    for (size_t at = 0; at + 4 * count <= size; at += 4) {
        uint32_t sum = 0;

        memcpy(word, image + at, 4 * count);
        for (size_t i = 0; i < count; i++)
            sum += word[i];
        if (word[0] == magic && !sum)
            return at;
    }
    return SIZE_MAX;
}

static void check_headers(const char *image, size_t size)
{
    size_t at = find_header(image, size, MAGIC2, 4);
    uint32_t bytes;

    if (find_header(image, size, MAGIC, 3) >= SEARCH_BYTES)
        fail("has no Multiboot header in its first 8 KiB");
    if (at == SIZE_MAX)
        return;
    memcpy(&bytes, image + at + 8, sizeof(bytes));
    if (at % 8 || at >= SEARCH_BYTES2 || bytes > SEARCH_BYTES2 - at)
        fail("has a Multiboot 2 header where no loader looks for it");
}

/* Make the file in memory; returns its size. */
static size_t convert(const char *in, size_t in_size, char *out)
{
    const Elf64_Ehdr *ehdr = (const void *)in;
    const Elf64_Phdr *p = (const void *)(in + ehdr->e_phoff);
    Elf32_Phdr segment[SEGMENTS_MAX] = {0};
    Elf32_Ehdr head = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
                    EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_386,
        .e_version = EV_CURRENT,
        .e_entry = entry_maddr(ehdr, p),
        .e_phoff = sizeof(head),
        .e_ehsize = sizeof(head),
        .e_phentsize = sizeof(segment[0]),
        .e_shentsize = sizeof(Elf32_Shdr),
    };
    size_t at = sizeof(head) + sizeof(segment);

    for (int i = 0; i < ehdr->e_phnum; i++, p++) {
        if (p->p_type != PT_LOAD || !p->p_memsz)
            continue;
        if (head.e_phnum == SEGMENTS_MAX)
            fail("has too many segments");
        if (p->p_offset > in_size || p->p_filesz > in_size - p->p_offset)
            fail("is cut short");
        if (p->p_paddr > UINT32_MAX || p->p_memsz > UINT32_MAX - p->p_paddr)
            fail("has a segment above 4 GiB of physical memory");
        at = (at + SEGMENT_ALIGN - 1) / SEGMENT_ALIGN * SEGMENT_ALIGN;
        memcpy(out + at, in + p->p_offset, p->p_filesz);
        segment[head.e_phnum++] = (Elf32_Phdr){
            .p_type = PT_LOAD,
            .p_offset = (Elf32_Off)at,
            .p_vaddr = (Elf32_Addr)p->p_paddr,
            .p_paddr = (Elf32_Addr)p->p_paddr,
            .p_filesz = (Elf32_Word)p->p_filesz,
            .p_memsz = (Elf32_Word)p->p_memsz,
            .p_flags = p->p_flags,
            .p_align = SEGMENT_ALIGN,
        };
        at += p->p_filesz;
    }
    memcpy(out, &head, sizeof(head));
    memcpy(out + sizeof(head), segment, head.e_phnum * sizeof(segment[0]));
    check_headers(out, at);
    return at;
}

int main(int argc, char **argv)
{
    size_t in_size, out_size;
    char *in, *out;
    FILE *f;

    if (argc != 3) {
        fprintf(stderr, "usage: mkmultiboot IN OUT\n");
        return 2;
    }
    in_name = argv[1];
    in = read_file(&in_size);
    check_input((const void *)in, in_size);
    /* Each segment is a part of the input; alignment adds a little to it. */
    out = calloc(1, sizeof(Elf32_Ehdr) + in_size * SEGMENTS_MAX +
                        SEGMENTS_MAX * (SEGMENT_ALIGN + sizeof(Elf32_Phdr)));
    if (!out)
        fail("is too large");
    out_size = convert(in, in_size, out);
    f = fopen(argv[2], "wb");
    if (!f || fwrite(out, 1, out_size, f) != out_size || fclose(f)) {
        fprintf(stderr, "mkmultiboot: %s: cannot be written\n", argv[2]);
        return 1;
    }
    free(out);
    free(in);
    return 0;
}
