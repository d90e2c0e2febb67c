/* SPDX-License-Identifier: BSD-2-Clause */
/* int n: refused, or passed on to vectors that say so. */

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/test.h"

#define VECTOR 0x55

static void int_55(void *unused)
{
    (void)unused;
    __asm__ volatile("software_int: int $0x55\nsoftware_after:");
}

static void int_80(void *unused)
{
    (void)unused;
    __asm__ volatile("software_int80: int $0x80");
}

static void int_14(void *unused)
{
    (void)unused;
    __asm__ volatile("int $14");
}

static void int_2(void *unused)
{
    (void)unused;
    __asm__ volatile("int $2");
}

static void int_18(void *unused)
{
    (void)unused;
    __asm__ volatile("int $18");
}

extern const char software_int[], software_after[], software_int80[];

static void set_vector(uint8_t vector, uint8_t dpl)
{
    struct trap_info table[2] = {
        {.vector = vector, .flags = dpl, .address = trap_stub(vector)},
    };

    EXPECT_EQ(hypercall_set_trap_table(table), 0);
}

PAGES(two_pages, 2);

static void software_61(void *unused)
{
    (void)unused;
    __asm__ volatile("int $0x61");
}

TEST("int n of a vector without a handler is #GP(n * 8 + 2) on it")
{
    EXPECT_TRUE(fault_probe(int_55, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, VECTOR * 8 + 2);
    EXPECT_EQ(trap_seen.rip, (uint64_t)(uintptr_t)software_int);
}

TEST("int n of a vector with DPL 0 is #GP(n * 8 + 2)")
{
    set_vector(VECTOR, 0);
    EXPECT_TRUE(fault_probe(int_55, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, VECTOR * 8 + 2);
    traps_init();
}

TEST("int n of a vector with DPL 1 or 3 enters it behind the instruction")
{
    static const uint8_t levels[] = {1, 3};

    for (unsigned int i = 0; i < sizeof(levels); i++) {
        set_vector(VECTOR, levels[i]);
        EXPECT_TRUE(fault_probe(int_55, NULL));
        EXPECT_EQ(trap_seen.vector, VECTOR);
        EXPECT_EQ(trap_seen.error, 0);
        EXPECT_EQ(trap_seen.rip, (uint64_t)(uintptr_t)software_after);
    }
}

TEST("int 0x80 without a handler is #GP(0x402) on the instruction")
{
    EXPECT_TRUE(fault_probe(int_80, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 0x402);
    EXPECT_EQ(trap_seen.rip, (uint64_t)(uintptr_t)software_int80);
}

TEST("exceptions cannot be forged by int n")
{
    EXPECT_TRUE(fault_probe(int_14, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 14 * 8 + 2);
    EXPECT_TRUE(fault_probe(int_2, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 2 * 8 + 2);
    EXPECT_TRUE(fault_probe(int_18, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 18 * 8 + 2);
}

TEST("a handler that is not canonical is -EINVAL, earlier ones stay")
{
    struct trap_info table[3] = {
        {.vector = VECTOR, .flags = 3, .address = trap_stub(VECTOR)},
        {.vector = VECTOR + 1, .flags = 3, .address = 0x8000000000000000},
    };

    EXPECT_EQ(hypercall_set_trap_table(table), -ABI_EINVAL);
    EXPECT_TRUE(fault_probe(int_55, NULL));
    EXPECT_EQ(trap_seen.vector, VECTOR);
}

TEST("a null table forgets all handlers")
{
    EXPECT_EQ(hypercall_set_trap_table(NULL), 0);
    traps_init();
    EXPECT_TRUE(fault_probe(int_55, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, VECTOR * 8 + 2);
}

TEST("a trap list is -EFAULT where it runs off its memory, earlier ones stay")
{
    struct trap_info *last =
        (struct trap_info *)(void *)(two_pages + PAGE_SIZE) - 1;

    REQUIRE(guard_page(two_pages + PAGE_SIZE));
    *last = (struct trap_info){
        .vector = 0x61, .flags = 3, .address = trap_stub(0x61)};
    EXPECT_EQ(hypercall_set_trap_table(last), -ABI_EFAULT);
    EXPECT_TRUE(unguard_page(two_pages + PAGE_SIZE));
    EXPECT_TRUE(fault_probe(software_61, NULL));
    EXPECT_EQ(trap_seen.vector, 0x61);
    traps_init();
}

TEST("a trap list may name a vector twice: the last one counts")
{
    struct trap_info list[3] = {
        {.vector = 0x61, .flags = 3, .address = trap_stub(0x60)},
        {.vector = 0x61, .flags = 3, .address = trap_stub(0x61)},
    };

    EXPECT_EQ(hypercall_set_trap_table(list), 0);
    EXPECT_TRUE(fault_probe(software_61, NULL));
    EXPECT_EQ(trap_seen.vector, 0x61);
    traps_init();
}
