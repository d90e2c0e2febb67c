/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores to level-1 tables: caught, checked and made, in whatever form of
 * instruction; what is refused is the fault that it was.
 */

#include <string.h>

#include <abi/assist.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

/* What is compared of an entry: US, G and the mark are adjusted. */
#define COMPARED (~(PTE_USER | PTE_GLOBAL | PTE_KERNEL))

static uint64_t *table;
static uint64_t good, other;

/* Table 0 is a pinned one of level 1, its entry 0 maps page 1. */
static bool begin(void)
{
    table = page_at(0);
    good = entry_for(page_at(1), TO_READ);
    other = entry_for(page_at(2), TO_READ);
    table[0] = good;
    return hypercall2(HYPERCALL_vm_assist, VMASST_CMD_enable,
                      VMASST_TYPE_writable_pagetables) == 0 &&
           map_readable(table) == 0 && pin(table, 1) == 0;
}

/* The instruction under test, and what it works with. */
static void (*instruction)(volatile uint64_t *at);
static volatile uint64_t *target;
static uint64_t value, result, flags;

static void run(void *unused)
{
    (void)unused;
    instruction(target);
}

#define FORM(name, text, ...)                                                  \
    static void name(volatile uint64_t *at)                                    \
    {                                                                          \
        uint64_t r = value;                                                    \
                                                                               \
        __asm__ volatile(                                                      \
            "push $0x202\n\tpopfq\n\t" text "\n\tpushfq\n\tpop %[flags]"       \
            : [r] "+&r"(r), [flags] "=&r"(flags)                               \
            : [at] "r"(at), ##__VA_ARGS__                                      \
            : "rax", "rcx", "rdi", "rsi", "r8", "r13", "memory", "cc");        \
        result = r;                                                            \
    }

FORM(mov64, "mov %[r], (%[at])")
FORM(mov_disp8, "lea -0x70(%[at]), %%r13; mov %[r], 0x70(%%r13)")
FORM(mov_disp32, "lea -0x12340(%[at]), %%r8; mov %[r], 0x12340(%%r8)")
FORM(mov_index, "mov $5, %%ecx; lea -40(%[at]), %%r8; mov %[r], (%%r8,%%rcx,8)")
FORM(mov_r13, "mov %[at], %%r13; mov %[r], (%%r13)")
FORM(mov_rsp, "mov %%rsp, %%r8; mov %[at], %%rsp; mov %[r], (%%rsp); "
              "mov %%r8, %%rsp")
FORM(mov_zero, "movq $0, (%[at])")
FORM(mov32, "movl %k[r], (%[at])")
FORM(mov16, "movw %w[r], (%[at])")
FORM(mov8, "movb %b[r], (%[at])")
FORM(movnti, "movnti %[r], (%[at])")
FORM(xchg64, "xchg %[r], (%[at])")
FORM(cmpxchg_hit, "mov (%[at]), %%rax; lock cmpxchg %[r], (%[at])")
FORM(cmpxchg_miss, "mov $1, %%eax; lock cmpxchg %[r], (%[at]); mov %%rax, %[r]")
FORM(and8, "lock andb $0xfd, (%[at])")
FORM(and64, "and %[r], (%[at])")
FORM(or8, "lock orb $0x20, (%[at])")
FORM(or64, "or %[r], (%[at])")
FORM(xor64, "xor %[r], (%[at])")
FORM(add64, "add %[r], (%[at])")
FORM(sub64, "lock sub %[r], (%[at])")
FORM(bts, "lock btsq $9, (%[at])")
FORM(btr, "lock btrq $5, (%[at])")
FORM(btc, "btcq $10, (%[at])")
FORM(bts_reg, "lock bts %[r], (%[at])")
FORM(stos, "mov %[r], %%rax; mov %[at], %%rdi; mov $2, %%ecx; rep stosq")
FORM(stos1, "mov %[r], %%rax; mov %[at], %%rdi; stosq")

/* Make the store; true: it was made. */
static bool store(void (*form)(volatile uint64_t *), uint64_t with)
{
    instruction = form;
    target = table;
    value = with;
    return !fault_probe(run, NULL);
}

#define EXPECT_ENTRY(want) EXPECT_EQ(table[0] & COMPARED, (want)&COMPARED)

TEST("plain stores to a table are made, whatever names the place")
{
    static void (*const forms[])(volatile uint64_t *) = {
        mov64,   mov_disp8, mov_disp32, mov_index,
        mov_r13, mov_rsp,   movnti,     stos1};

    REQUIRE(begin());
    for (unsigned int i = 0; i < 8; i++) {
        EXPECT_TRUE(store(forms[i], i % 2 ? good : other));
        EXPECT_ENTRY(i % 2 ? good : other);
        EXPECT_EQ(flags & 0x8d5, 0);
    }
    EXPECT_TRUE(store(mov_zero, 0));
    EXPECT_EQ(table[0], 0);
    EXPECT_TRUE(store(stos, good));
    EXPECT_ENTRY(good);
    EXPECT_EQ(table[1], table[0]);
}

TEST("narrow stores change their part of the entry")
{
    REQUIRE(begin());
    EXPECT_TRUE(store(mov32, good & ~(uint64_t)PTE_DIRTY));
    EXPECT_ENTRY(good & ~PTE_DIRTY);
    EXPECT_TRUE(store(mov16, good));
    EXPECT_ENTRY(good);
    EXPECT_TRUE(store(mov8, good & ~(uint64_t)PTE_ACCESSED));
    EXPECT_ENTRY(good & ~PTE_ACCESSED);
    /* The frame's low byte begins in the second one. */
    target = (uint64_t *)((uint8_t *)table + 4);
    instruction = mov32;
    value = good >> 32;
    EXPECT_FALSE(fault_probe(run, NULL));
    EXPECT_ENTRY(good & ~PTE_ACCESSED);
}

TEST("an exchange gives what was there")
{
    REQUIRE(begin());
    EXPECT_TRUE(store(xchg64, other));
    EXPECT_EQ(result & COMPARED, good & COMPARED);
    EXPECT_ENTRY(other);
    EXPECT_TRUE(store(xchg64, 0));
    EXPECT_EQ(result & COMPARED, other & COMPARED);
    EXPECT_EQ(table[0], 0);
}

TEST("a compare-and-exchange that hits is made, and one that misses is not")
{
    REQUIRE(begin());
    EXPECT_TRUE(store(cmpxchg_hit, other));
    EXPECT_EQ(flags & 0x40, 0x40);
    EXPECT_ENTRY(other);
    EXPECT_TRUE(store(cmpxchg_miss, good));
    EXPECT_EQ(flags & 0x40, 0);
    EXPECT_EQ(result & COMPARED, other & COMPARED);
    EXPECT_ENTRY(other);
}

TEST("arithmetic on an entry is made, with its flags")
{
    REQUIRE(begin());
    EXPECT_TRUE(store(and8, 0));
    EXPECT_ENTRY(good);
    EXPECT_TRUE(store(and64, ~(uint64_t)PTE_DIRTY));
    EXPECT_ENTRY(good & ~PTE_DIRTY);
    EXPECT_TRUE(store(or64, PTE_DIRTY));
    EXPECT_ENTRY(good);
    EXPECT_TRUE(store(or8, 0));
    EXPECT_ENTRY(good);
    EXPECT_TRUE(store(xor64, 1ULL << 9));
    EXPECT_ENTRY(good | 1ULL << 9);
    EXPECT_TRUE(store(sub64, 1ULL << 9));
    EXPECT_ENTRY(good);
    EXPECT_TRUE(store(add64, 1ULL << 10));
    EXPECT_ENTRY(good | 1ULL << 10);
    EXPECT_EQ(flags & 1, 0);
}

TEST("bits of an entry are set, cleared and tested")
{
    REQUIRE(begin());
    EXPECT_TRUE(store(bts, 0));
    EXPECT_EQ(flags & 1, 0);
    EXPECT_ENTRY(good | 1ULL << 9);
    EXPECT_TRUE(store(bts, 0));
    EXPECT_EQ(flags & 1, 1);
    EXPECT_TRUE(store(btr, 0));
    EXPECT_EQ(flags & 1, 1);
    EXPECT_ENTRY((good | 1ULL << 9) & ~PTE_ACCESSED);
    EXPECT_TRUE(store(btc, 0));
    EXPECT_ENTRY((good | 3ULL << 9) & ~PTE_ACCESSED);
    EXPECT_TRUE(store(bts_reg, 5));
    EXPECT_ENTRY(good | 3ULL << 9);
}

/* Refused: the fault that it was, and nothing has changed. */
static void refuse(void (*form)(volatile uint64_t *), uint64_t with)
{
    uint64_t was = *table;

    EXPECT_FALSE(store(form, with));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error, PF_PRESENT | PF_WRITE);
    EXPECT_EQ(trap_seen_cr2, hypercall_ptr(target));
    EXPECT_EQ(*table, was);
}

TEST("what mmu_update would refuse, no form of a store does")
{
    REQUIRE(begin());
    uint64_t bad[] = {
        entry_for(table, TO_WRITE), /* the table itself, writable */
        entry_for((void *)(uintptr_t)start_info->pt_base, TO_WRITE),
        PTE_FRAME | TO_READ,
        0x0008000000000000 | TO_READ | PTE_FRAME,
    };

    for (unsigned int i = 0; i < 4; i++) {
        refuse(mov64, bad[i]);
        refuse(movnti, bad[i]);
        refuse(xchg64, bad[i]);
        refuse(cmpxchg_hit, bad[i]);
        refuse(stos1, bad[i]);
    }
    /* Read-only to writable, one bit at a time. */
    EXPECT_TRUE(store(mov64, entry_for(table, TO_READ)));
    refuse(or64, PTE_WRITE);
    refuse(xor64, PTE_WRITE);
    refuse(add64, PTE_WRITE);
    refuse(bts_reg, 1);
    refuse(mov8, TO_WRITE);
    refuse(mov16, (entry_for(table, TO_WRITE)));
    refuse(mov32, (entry_for(table, TO_WRITE)));
}

TEST("an entry made present by a narrow store is checked as a whole")
{
    REQUIRE(begin());
    EXPECT_TRUE(store(mov64, machine_of(table) | PTE_WRITE));
    refuse(mov8, TO_WRITE);
    refuse(or64, PTE_PRESENT);
    refuse(bts_reg, 0);
}

TEST("stores that are not aligned are the faults they were")
{
    REQUIRE(begin());
    for (unsigned int offset = 1; offset < 8; offset++) {
        target = (uint64_t *)((uint8_t *)(table + 4) + offset);
        instruction = mov64;
        value = 0;
        EXPECT_TRUE(fault_probe(run, NULL));
        EXPECT_EQ(trap_seen.error, PF_PRESENT | PF_WRITE);
        EXPECT_EQ(trap_seen_cr2, hypercall_ptr(target));
    }
    target = (uint64_t *)((uint8_t *)(table + 4) + 2);
    instruction = mov32;
    EXPECT_TRUE(fault_probe(run, NULL));
    target = (uint64_t *)((uint8_t *)(table + 4) + 3);
    instruction = mov16;
    EXPECT_TRUE(fault_probe(run, NULL));
}

TEST("a bit far from the place that is named is not found by a register")
{
    REQUIRE(begin());
    /* Bit 4096 * 8 is in the page behind, which is writable. */
    page_at(1)[0] = 0;
    EXPECT_TRUE(store(bts_reg, PAGE_SIZE * 8));
    EXPECT_EQ(page_at(1)[0], 1);
    EXPECT_ENTRY(good);
    /* Bit 64 is in the entry behind. */
    EXPECT_TRUE(store(mov_zero, 0));
    EXPECT_TRUE(store(bts_reg, 64 + 9));
    EXPECT_EQ(table[0], 0);
    EXPECT_EQ(table[1], 1ULL << 9);
}

TEST("tables of other levels, and descriptors, cannot be stored to")
{
    uint64_t frame = frame_of(page_at(3));

    REQUIRE(begin());
    for (unsigned int level = 2; level <= 4; level++) {
        table = page_at(level + 2);
        REQUIRE_EQ(map_readable(table), 0);
        REQUIRE_EQ(pin(table, level), 0);
        refuse(mov64, 0);
        refuse(xchg64, 0);
        refuse(or8, 0);
    }
    table = page_at(3);
    REQUIRE_EQ(map_readable(table), 0);
    REQUIRE_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&frame), 1), 0);
    refuse(mov64, 0);
    refuse(xchg64, 0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, 0, 0), 0);
}

TEST("without the service a store is a fault")
{
    CAIRN_ONLY("it makes them with and without");
    REQUIRE(begin());
    EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_disable,
                         VMASST_TYPE_writable_pagetables),
              0);
    refuse(mov64, 0);
    EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_enable,
                         VMASST_TYPE_writable_pagetables),
              0);
    EXPECT_TRUE(store(mov64, 0));
}

TEST("a store to a page that was a table is a fault")
{
    REQUIRE(begin());
    EXPECT_EQ(unpin(table), 0);
    refuse(mov64, 0);
}

static void run_code(void *code)
{
    ((void (*)(volatile uint64_t *))code)(target);
}

/* Looking at the instruction is an access of its own, to what is behind. */
TEST("a fault before a page that is not there says where it was")
{
    static const uint8_t store_and_return[] = {0x48, 0x89, 0x37, 0xc3};
    uint8_t *code = (uint8_t *)page_at(4) - sizeof(store_and_return);

    REQUIRE(begin());
    memcpy(code, store_and_return, sizeof(store_and_return));
    REQUIRE_EQ(map_at(page_at(4), 0), 0);
    target = page_at(5);
    REQUIRE_EQ(map_readable(page_at(5)), 0);
    EXPECT_TRUE(fault_probe(run_code, code));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error, PF_PRESENT | PF_WRITE);
    EXPECT_EQ(trap_seen_cr2, hypercall_ptr(target));
}
