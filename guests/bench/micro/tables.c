/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries and tables of a guest of class pv: written one by one, in lists, by a
 * store that is caught; pinned and given back.
 */

#include "micro/measure.h"

#include <stdbool.h>

#include <abi/assist.h>
#include <abi/hypercall.h>
#include <abi/mmu.h>

#include <rt/hypercall.h>

#include "framework/machine.h"
#include "framework/print.h"
#include "framework/tables.h"

/* The cost of one further entry is a 32nd of what they differ in. */
#define FEW_ENTRIES  1U
#define MANY_ENTRIES 33U

/* Tables of level 4 to 1, and what the last one maps. */
#define TREE_PAGES 5U

PAGES(first, 1);
PAGES(second, 1);
PAGES(windows, MANY_ENTRIES);
PAGES(tree, TREE_PAGES);
PAGES(empty, 1);

/* Where the windows' entries are, what they are to be, and what they were. */
static struct mmu_update list[MANY_ENTRIES], *list_at;
static volatile uint64_t *entry, *stored;
static uint64_t wanted;

static struct mmuext_op pinning, unpinning, *pinning_at, *unpinning_at;

OPERATION(update_few)
{
    return hypercall4(HYPERCALL_mmu_update, hypercall_ptr(list_at), FEW_ENTRIES,
                      0, DOMID_SELF);
}

OPERATION(update_many)
{
    return hypercall4(HYPERCALL_mmu_update, hypercall_ptr(list_at),
                      MANY_ENTRIES, 0, DOMID_SELF);
}

OPERATION(update_va)
{
    return hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(windows),
                      wanted, UVMF_INVLPG);
}

OPERATION(store)
{
    *stored = wanted;
    return 0;
}

OPERATION(pin_table)
{
    return hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(pinning_at), 1, 0,
                      DOMID_SELF);
}

OPERATION(unpin_table)
{
    return hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(unpinning_at), 1, 0,
                      DOMID_SELF);
}

static void want(uint64_t value)
{
    wanted = value;
    for (unsigned int i = 0; i < MANY_ENTRIES; i++)
        list[i].val = value;
}

static bool is_frame(uint64_t value, const void *va)
{
    return (value & PTE_FRAME) == machine_of(va);
}

/* The page that the windows do not show. */
static void choose_frame(void)
{
    want(entry_for(is_frame(*entry, first) ? second : first, TO_WRITE));
}

/* The first page, with a flag more or less. */
static void choose_flags(void)
{
    want(entry_for(first,
                   *entry & PTE_DIRTY ? TO_WRITE & ~PTE_DIRTY : TO_WRITE));
}

/* The user bit and the kernel's mark are the hypervisor's. */
static long check_entry(long rc)
{
    uint64_t differs = (*entry ^ wanted) & (PTE_FRAME | PTE_DIRTY | PTE_WRITE);

    return rc != 0 || differs == 0 ? rc : 1;
}

static long check_last(long rc)
{
    return rc != 0 ? rc : (long)(leaf_of(windows + 32 * PAGE_SIZE) != *entry);
}

static void unpin_before(void)
{
    unpin_table();
}

static void pin_before(void)
{
    pin_table();
}

static void measure_entries(void)
{
    static const struct operation operations[] = {
        {"mmu_update_1", update_few, choose_frame, check_entry},
        {"mmu_update_33", update_many, choose_frame, check_last},
        {"mmu_update_flags_1", update_few, choose_flags, check_entry},
        {"mmu_update_flags_33", update_many, choose_flags, check_last},
        {"update_va_mapping", update_va, choose_frame, check_entry},
        {"table_store", store, choose_frame, check_entry},
    };

    entry = builders_table(windows, 1) +
            hypercall_ptr(windows) / PAGE_SIZE % TABLE_ENTRIES;
    stored = upper(entry);
    for (unsigned int i = 0; i < MANY_ENTRIES; i++)
        list[i].ptr = leaf_at(windows + i * PAGE_SIZE);
    want(entry_for(first, TO_WRITE));
    if (update_many() != 0)
        print("no windows\n");
    for (unsigned int i = 0; i < sizeof(operations) / sizeof(*operations); i++)
        measure(&operations[i]);
}

static void measure_pins(const char *pin, const char *unpin, const void *table,
                         uint32_t cmd)
{
    struct operation pins = {pin, pin_table, unpin_before, NULL};
    struct operation unpins = {unpin, unpin_table, pin_before, NULL};

    pinning = (struct mmuext_op){.cmd = cmd, .arg1 = frame_of(table)};
    unpinning =
        (struct mmuext_op){.cmd = MMUEXT_UNPIN_TABLE, .arg1 = frame_of(table)};
    measure(&pins);
    pin_table();
    measure(&unpins);
}

void measure_tables(void)
{
    if (on_cairn)
        return;
    (void)hypercall2(HYPERCALL_vm_assist, VMASST_CMD_enable,
                     VMASST_TYPE_writable_pagetables);
    list_at = upper(list);
    pinning_at = upper(&pinning);
    unpinning_at = upper(&unpinning);
    measure_entries();
    if (map_readable(empty) != 0)
        print("no table\n");
    measure_pins("pin_l1", "unpin_l1", empty, MMUEXT_PIN_L1_TABLE);
    tables_use(tree, TREE_PAGES);
    tree_make(0);
    measure_pins("pin_l4_tree", "unpin_l4_tree", page_at(0),
                 MMUEXT_PIN_L4_TABLE);
    tables_reset();
}
