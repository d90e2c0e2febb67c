/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine of machine.h. */

#include "doubles/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/regs.h"
#include "core/lock.h"
#include "core/spec_ctrl.h"
#include "lib/log.h"
#include "memory/frame.h"
#include "memory/upcalls.h"

static char *ram;
static struct frame *table;
static uint64_t ram_frames;

char unit_test_cpu_area[CPU_AREA_SIZE];
unsigned int percpu_cpu_id;

unsigned int machine_lines;
char machine_line[256];
unsigned int machine_page_flushes, machine_full_flushes;
vaddr_t machine_last_flush;
void (*machine_at_flush)(void);
unsigned int machine_frames_free_calls;
jmp_buf machine_panic_jump;
bool machine_panic_expected;
char machine_panic_text[256];

void machine_make(uint64_t frames)
{
    ram_frames = frames;
    ram = aligned_alloc(PAGE_SIZE, frames * PAGE_SIZE);
    table = calloc(MACHINE_FIRST + frames, sizeof(*table));
    if (!ram || !table)
        abort();
    memset(ram, 0xa5, frames * PAGE_SIZE);
}

void machine_free(void)
{
    free(ram);
    free(table);
}

static void check_mfn(mfn_t m)
{
    if (m.raw < MACHINE_FIRST || m.raw >= MACHINE_FIRST + ram_frames) {
        fprintf(stderr, "frame %#lx is not RAM\n", m.raw);
        abort();
    }
}

void *mfn_to_virt(mfn_t m)
{
    check_mfn(m);
    return ram + (m.raw - MACHINE_FIRST) * PAGE_SIZE;
}

mfn_t virt_to_mfn(const void *p)
{
    mfn_t m =
        mfn((uint64_t)((const char *)p - ram) / PAGE_SIZE + MACHINE_FIRST);

    check_mfn(m);
    return m;
}

struct frame *mfn_to_frame(mfn_t m)
{
    check_mfn(m);
    return &table[m.raw];
}

mfn_t frame_to_mfn(const struct frame *f)
{
    return mfn((uint64_t)(f - table));
}

void log_line(enum log_level level, const char *fmt, ...)
{
    va_list args;

    (void)level;
    va_start(args, fmt);
    vsnprintf(machine_line, sizeof(machine_line), fmt, args);
    va_end(args);
    machine_lines++;
}

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(machine_panic_text, sizeof(machine_panic_text), fmt, args);
    va_end(args);
    if (machine_panic_expected)
        longjmp(machine_panic_jump, 1);
    fprintf(stderr, "panic: %s\n", machine_panic_text);
    abort();
}

void assert_failed(const char *file, int line, const char *belief)
{
    panic("%s:%d: %s", file, line, belief);
}

/* Held locks in the order taken. */
static struct spinlock *held[16];
static int held_count;

void spin_lock_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock)SPINLOCK_INIT(rank);
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    const struct spinlock *last = held_count ? held[held_count - 1] : NULL;

    if (lock->next != lock->serving)
        panic("a lock of rank %u is taken twice", lock->rank);
    if (last && last->rank > lock->rank)
        panic("a lock of rank %u is taken after one of rank %u", lock->rank,
              last->rank);
    lock->next++;
    held[held_count++] = lock;
}

bool machine_locks_contended;

/* One that is tried may be another CPU's just then. */
bool spin_try_lock(struct spinlock *lock) __lock_primitive
{
    if (machine_locks_contended)
        return false;
    spin_lock(lock);
    return true;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    if (lock->next == lock->serving || !held_count ||
        held[held_count - 1] != lock)
        panic("a lock of rank %u is given back out of turn", lock->rank);
    lock->serving++;
    held_count--;
}

bool spin_rank_is_held(enum lock_rank rank)
{
    for (int i = 0; i < held_count; i++)
        if (held[i]->rank == rank)
            return true;
    return false;
}

int machine_locks_held(void)
{
    return held_count;
}

void machine_locks_reset(void)
{
    while (held_count)
        spin_unlock(held[held_count - 1]);
}

void tlb_flush_page(vaddr_t va)
{
    machine_page_flushes++;
    machine_last_flush = va;
    if (machine_at_flush)
        machine_at_flush();
}

void tables_load(maddr_t root)
{
    (void)root;
}

void tlb_flush_global(void)
{
    tlb_flush();
}

void tlb_flush(void)
{
    machine_full_flushes++;
    if (machine_at_flush)
        machine_at_flush();
}

static const uint64_t hv_slots[HV_L4_COUNT] = {
    0x1001, 0x2001, 0x3001, 0x4001, 0x5001, 0x6001, 0x7001, 0x8001,
};

/* Under xpti a test sets it. */
struct cpu_features cpu_features;
uint64_t xpti_l4_entry = 0x1003;
uint32_t spec_active;

void spec_flush_out_of_line(void)
{
}

const uint64_t *hv_l4_slots(void)
{
    return hv_slots;
}

void hv_tables_load(void)
{
}

void upcall_frames_free(void)
{
    machine_frames_free_calls++;
}

unsigned int machine_refilled_calls;

void upcall_promise_refilled(const struct light_space *s)
{
    (void)s;
    machine_refilled_calls++;
}

bool machine_unprivileged;

bool upcall_cpu_privileged(void)
{
    return !machine_unprivileged;
}

bool machine_cpu_idles;

bool upcall_cpu_idles(void)
{
    return machine_cpu_idles;
}

uint64_t machine_frames_owned(domid_t owner)
{
    uint64_t count = 0;

    for (uint64_t m = MACHINE_FIRST; m < MACHINE_FIRST + ram_frames; m++)
        count += table[m].refs && table[m].owner == owner;
    return count;
}
