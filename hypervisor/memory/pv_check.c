/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether all counts are at least what the entries of all tables say: each
 * entry takes its part away, what is left is looked at, and it is put back.
 */

#include "arch/x86_64/paging.h"
#include "arch/x86_64/smp.h"
#include "core/lock.h"
#include "memory/page_type.h"

static void __noreturn wrong(const struct frame *f, const char *what)
{
    panic("frame %#lx (refs %u, type %#x, progress %u): %s",
          frame_to_mfn(f).raw, f->refs, f->type_info, f->progress, what);
}

static bool is_table(const struct frame *f)
{
    return f->owner != DOMID_INVALID && f->type_info & FRAME_HELD &&
           frame_type(f) >= FRAME_L1 && frame_type(f) <= FRAME_L4;
}

/* Take an entry's part of what it refers to away, or give it back. */
static void entry_part(enum frame_type level, uint64_t e, bool take)
{
    enum frame_type needed = level == FRAME_L1 ? FRAME_WRITABLE : level - 1;
    bool typed = level > FRAME_L1 || e & PTE_WRITE;
    uint32_t one = take ? -1U : 1;
    struct frame *f;

    if (!mfn_is_ram(pte_mfn(e)))
        panic("an entry of a table, %#lx, refers to no RAM", e);
    f = mfn_to_frame(pte_mfn(e));
    if (typed && (frame_type(f) != needed ||
                  !(f->type_info & FRAME_HELD) != (level == FRAME_L1)))
        wrong(f, "a table refers to it as another type");
    if (take && (!f->refs || (typed && !frame_type_count(f))))
        wrong(f, "more entries refer to it than are counted");
    f->refs += one;
    f->type_info += typed ? one : 0;
}

static void table_part(struct frame *f, bool take)
{
    const uint64_t *entry = mfn_to_virt(frame_to_mfn(f)), *own = hv_l4_slots();
    enum frame_type level = frame_type(f);

    for (unsigned int i = 0; i < f->progress; i++) {
        if (level == FRAME_L4 && i - HV_L4_FIRST < HV_L4_COUNT) {
            if ((entry[i] ^ own[i - HV_L4_FIRST]) & ~(PTE_USER | PTE_ACCESSED))
                wrong(f, "slots of the hypervisor are not its own");
            continue;
        }
        if (entry[i] & PTE_PRESENT)
            entry_part(level, entry[i], take);
    }
}

static void take_parts(struct frame *f)
{
    if (is_table(f))
        table_part(f, true);
}

static void give_parts(struct frame *f)
{
    if (is_table(f))
        table_part(f, false);
}

static void look_whole(struct frame *f)
{
    if (is_table(f) && frame_type_count(f) && f->progress != PT_ENTRIES)
        wrong(f, "in use, and not valid");
}

/* With all parts taken away. */
static void look_rest(struct frame *f)
{
    uint32_t count = frame_type_count(f), held = f->type_info & FRAME_HELD;

    if (f->owner == DOMID_INVALID)
        return;
    if (f->refs < count + (held != 0))
        wrong(f, "more typed references than references");
    if (f->type_info & FRAME_PINNED && !(count && held))
        wrong(f, "pinned, and nobody holds it");
}

static void each_frame(void (*visit)(struct frame *f))
{
    struct ram_range r;

    for (unsigned int i = 0; (r = ram_range(i)).end; i++)
        for (uint64_t m = r.first; m < r.end; m++)
            visit(mfn_to_frame(mfn(m)));
}

void pv_check_frames(void)
{
    each_frame(look_whole);
    each_frame(take_parts);
    each_frame(look_rest);
    each_frame(give_parts);
}

/* How often all CPUs are brought together before one is found to be changing
 * tables each time. */
#define MEETINGS_MAX 1000U

static unsigned int arrived;
static bool asked, over, looked;

/*
 * Each CPU but the asker, who waits meanwhile.  They come from their guests or
 * from where they wait, so tables are as they must be unless one of them has a
 * space locked.
 */
static void meet(uintptr_t others)
{
    if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == others) {
        looked = !spin_rank_is_held(LOCK_space);
        if (looked)
            pv_check_frames();
        __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    }
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
        cpu_relax();
}

static bool check_together(void)
{
    uint64_t others = cpus_all() & ~cpu_bit(this_cpu(cpu_id));

    if (atomic_exchange(&asked, true)) /* By another CPU. */
        return false;
    looked = false;
    for (unsigned int i = 0; i < MEETINGS_MAX && !looked; i++) {
        arrived = 0;
        over = false;
        cpus_run(others, meet, cpu_count - 1);
    }
    atomic_write(&asked, false);
    return looked;
}

static void check_frames(void)
{
    if (cpu_count == 1)
        pv_check_frames();
    else if (!check_together())
        return log_info("memory: frames are being changed, or this is no debug "
                        "build");
    log_info("memory: all frames' types and counts are as they must be");
}
DEBUG_KEY('f', "frames: check types and counts", check_frames);
