/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying from and to a guest's addresses, which here are the test's own.
 *
 * The attack: a range that begins at a guest's address and ends elsewhere, or
 * that wraps, so that a check of its start alone lets the hypervisor write to
 * itself.  No address of the hypervisor may be touched: it would fault here.
 */

/* LINK: hypervisor/pv/guest_copy.c */

#define UNIT_TEST_GUEST_COPY

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include "pv/guest_copy.h"

#include "lib/errno.h"
#include "memory/frame.h"
#include "test.h"

/* --- Faults, as the hypervisor has them --------------------------------------
 */

/* Its number in a signal's context: <ucontext.h> tells it to few. */
#define CONTEXT_RIP 16

extern const char __ehdr_start[]; /* of this program, as the linker says */
static const struct ex_entry *ex_table;
static size_t ex_count;
static unsigned int faults, of_hypervisor;

/* Where this program's own .ex_table is. */
static void find_ex_table(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    const char *file, *names;
    const Elf64_Ehdr *header;
    const Elf64_Shdr *section;

    REQUIRE(fd >= 0 && fstat(fd, &status) == 0);
    file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    REQUIRE(file != MAP_FAILED);
    header = (const void *)file;
    section = (const void *)(file + header->e_shoff);
    names = file + section[header->e_shstrndx].sh_offset;
    for (unsigned int i = 0; i < header->e_shnum; i++) {
        if (strcmp(names + section[i].sh_name, ".ex_table") != 0)
            continue;
        ex_table = (const void *)(__ehdr_start + section[i].sh_addr);
        ex_count = section[i].sh_size / sizeof(*ex_table);
    }
    munmap((void *)(uintptr_t)file, (size_t)status.st_size);
}

static void fault(int number, siginfo_t *info, void *context)
{
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[CONTEXT_RIP];

    of_hypervisor += (uint64_t)info->si_addr >= HV_VIRT_START &&
                     (uint64_t)info->si_addr < HV_VIRT_END;
    for (size_t i = 0; i < ex_count; i++) {
        const struct ex_entry *e = &ex_table[i];

        if ((greg_t)&e->from + e->from == *rip) {
            *rip = (greg_t)&e->to + e->to;
            faults++;
            return;
        }
    }
    signal(number, SIG_DFL);
}

void setup(void)
{
    struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};

    find_ex_table();
    REQUIRE(ex_count != 0);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

static struct guest_ptr here(const void *p)
{
    return guest_ptr((uintptr_t)p);
}

TEST("every size is copied exactly, both ways, at any alignment")
{
    unsigned char from[160], to[160], want[160];

    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (unsigned char)(i * 37 + 1);
    for (size_t size = 0; size <= 100; size++)
        for (size_t shift = 0; shift < 9; shift += 4) {
            memset(want, 0xee, sizeof(want));
            memcpy(want + 8 + shift, from + shift, size);

            memset(to, 0xee, sizeof(to));
            EXPECT_EQ(copy_from_guest(to + 8 + shift, here(from + shift), size),
                      0);
            EXPECT_MEM(to, want, sizeof(to));

            memset(to, 0xee, sizeof(to));
            EXPECT_EQ(copy_to_guest(here(to + 8 + shift), from + shift, size),
                      0);
            EXPECT_MEM(to, want, sizeof(to));
        }
}

TEST("ranges that are not wholly a guest's are refused untouched")
{
    static const struct {
        uint64_t va;
        size_t size;
    } bad[] = {
        {HV_VIRT_START, 1},
        {HV_VIRT_START - 8, 8},
        {HV_VIRT_END - 1, 1},
        {HV_VIRT_END - 8, 16},
        {HV_VIRT_END - 4, 8},
        {IMAGE_BASE, 8},
        {DIRECT_MAP_BASE, 32},
        {0x7ffffffffff8, 16},
        {0x7fffffffffff, 2},
        {0x7ffffffff000, 4097},
        {0x800000000000, 1},
        {0x800000000000, 24},
        {0xffff7fffffffffff, 1},
        {0xfffffffffffffff8, 16},
        {~0UL, 2},
        {~0UL, ~0UL},
        {0x1000, ~0UL},
        {0x1000, 1UL << 47},
        {8, HV_VIRT_START},
    };
    char buffer[64] = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        EXPECT_EQ(copy_from_guest(buffer, guest_ptr(bad[i].va), bad[i].size),
                  -EFAULT);
        EXPECT_EQ(copy_to_guest(guest_ptr(bad[i].va), buffer, bad[i].size),
                  -EFAULT);
    }
}

/* Sizes that are known when compiling are moved in place. */
#define CHECK_WORDS(size)                                                      \
    do {                                                                       \
        unsigned char from_[64], to_[64], want_[64];                           \
                                                                               \
        memset(want_, 0xee, sizeof(want_));                                    \
        memset(to_, 0xee, sizeof(to_));                                        \
        for (size_t i = 0; i < sizeof(from_); i++)                             \
            from_[i] = (unsigned char)(i * 37 + 1);                            \
        memcpy(want_ + 5, from_ + 3, (size));                                  \
        EXPECT_EQ(copy_from_guest(to_ + 5, here(from_ + 3), (size)), 0);       \
        EXPECT_MEM(to_, want_, sizeof(to_));                                   \
        memset(to_, 0xee, sizeof(to_));                                        \
        EXPECT_EQ(copy_to_guest(here(to_ + 5), from_ + 3, (size)), 0);         \
        EXPECT_MEM(to_, want_, sizeof(to_));                                   \
        EXPECT_EQ(                                                             \
            copy_from_guest(to_, guest_ptr((1UL << 47) - (size) + 1), (size)), \
            -EFAULT);                                                          \
        EXPECT_EQ(copy_to_guest(guest_ptr((1UL << 47) - 7), to_, (size)),      \
                  -EFAULT);                                                    \
        EXPECT_EQ(copy_from_guest(to_, guest_ptr(HV_VIRT_START), (size)),      \
                  -EFAULT);                                                    \
        EXPECT_EQ(copy_to_guest(guest_ptr(HV_VIRT_END - 8), to_, (size) + 1),  \
                  -EFAULT);                                                    \
        EXPECT_EQ(copy_to_guest(guest_ptr(~0UL), to_, (size)), -EFAULT);       \
        EXPECT_EQ(copy_to_guest(guest_ptr(DIRECT_MAP_BASE), to_, (size)),      \
                  -EFAULT);                                                    \
        EXPECT_EQ(copy_from_guest(to_, guest_ptr(HV_VIRT_END - 1), (size)),    \
                  -EFAULT);                                                    \
    } while (0)

TEST("a few words are moved and checked like any other size")
{
    CHECK_WORDS(8);
    CHECK_WORDS(16);
    CHECK_WORDS(24);
    CHECK_WORDS(32);
    CHECK_WORDS(40);
    EXPECT_TRUE(faults >= 5 * 6);
    EXPECT_EQ(of_hypervisor, 0);
}

/* Every bit's edge, and those of the parts; both halves of guests' addresses.
 */
TEST("an address leads where it says if a guest's may be there, else nowhere")
{
    static const uint64_t edges[] = {0, GUEST_LOWER_END, HV_VIRT_START,
                                     HV_VIRT_END};
    unsigned int guests = 0, others = 0;

    for (unsigned int bit = 0; bit < 64; bit++)
        for (unsigned int edge = 0; edge < 4; edge++)
            for (unsigned int below = 0; below < 2; below++) {
                uint64_t va = (edges[edge] ^ 1UL << bit) - below;
                bool is_guests = va < GUEST_LOWER_END || va >= HV_VIRT_END;

                EXPECT_EQ(guest_address(va), is_guests ? va : GUEST_NOWHERE);
                EXPECT_EQ(guest_address_upper(va), guest_address(va));
                guests += is_guests;
                others += !is_guests;
            }
    EXPECT_TRUE(guests > 64);
    EXPECT_TRUE(others > 64);
}

TEST("an element of an array whose address wraps is nobody's address")
{
    EXPECT_EQ(guest_ptr_at(guest_ptr(0x1000), 3, 24).va, 0x1048);
    EXPECT_EQ(guest_ptr_at(guest_ptr(0x1000), 1UL << 61, 8).va, ~0UL);
    EXPECT_EQ(guest_ptr_at(guest_ptr(0x1000), ~0UL, 24).va, ~0UL);
    EXPECT_EQ(guest_ptr_at(guest_ptr(~0UL - 7), 1, 8).va, ~0UL);
    EXPECT_EQ(copy_from_guest(&(char){0},
                              guest_ptr_at(guest_ptr(0x1000), ~0UL, 24), 2),
              -EFAULT);
}
