/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a test guest finds itself: see machine.h. */

#include "framework/machine.h"

#include <string.h>

#include <abi/cpuid.h>
#include <abi/paging.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/console.h"
#include "framework/print.h"
#include "framework/vcpu.h"

/* Xen: as many grant frames, and slots for grants, as tests use. */
#define XEN_GRANT_FRAMES 4U
#define GRANT_SLOTS      16U

const struct start_info *start_info;
struct shared_info *shared_info;
bool on_cairn;
bool on_xen;
struct light_layout layout;
domid_t own_domid;
bool initial_domain;

PAGES(xen_shared_info, 1);
PAGES(xen_grant_table, XEN_GRANT_FRAMES);
PAGES(xen_grant_slots, GRANT_SLOTS);

/* Not to be executed: not what a test has put there, nor what time it is. */
static void xen_map(void *va, uint64_t maddr)
{
    long rc = hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(va),
                         maddr | PTE_PRESENT | PTE_WRITE | PTE_USER |
                             PTE_ACCESSED | PTE_DIRTY | PTE_NX,
                         UVMF_INVLPG);

    if (rc != 0) {
        print("cannot map %lx: %ld\n", maddr, rc);
        machine_end(SHUTDOWN_crash);
    }
}

static bool is_light(void)
{
    struct xen_feature_info info = {.submap_idx = 0};

    return hypercall_xen_version(XENVER_get_features, &info) == 0 &&
           (info.submap & 1U << XENFEAT_auto_translated_physmap) != 0;
}

static bool is_cairn(void)
{
    uint32_t a = CAIRN_CPUID_LEAF_BASE, b, c = 0, d;

    __asm__ volatile(FORCED_EMULATION_PREFIX "cpuid"
                     : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b == CAIRN_CPUID_EBX && c == CAIRN_CPUID_ECX && d == CAIRN_CPUID_EDX;
}

void machine_init(const struct start_info *si)
{
    start_info = si;
    on_cairn = is_light();
    on_xen = !is_cairn();
    initial_domain = si && (si->flags & SIF_INITDOMAIN) != 0;
    if (!on_cairn) {
        xen_map(xen_shared_info, si->shared_info);
        shared_info = (void *)xen_shared_info;
        if (!initial_domain && si->console.domU.mfn != 0)
            console_ring_start();
        return;
    }
    if (hypercall_light_op(LIGHT_OP_layout, &layout) != 0) {
        print("light_op layout failed\n");
        machine_end(SHUTDOWN_crash);
    }
    shared_info =
        (void *)(uintptr_t)(layout.virt_base +
                            (layout.special_gfn + LIGHT_SPECIAL_SHARED_INFO) *
                                PAGE_SIZE);
}

/* Where Xen shows each guest its own number of every frame. */
#define XEN_M2P ((const uint64_t *)0xffff800000000000UL)

void *pv_page(uint64_t mfn)
{
    /* The builder maps our page N at N * PAGE_SIZE. */
    return (void *)(uintptr_t)(XEN_M2P[mfn] * PAGE_SIZE);
}

uint64_t frame_of(const volatile void *va)
{
    uint64_t address = (uint64_t)(uintptr_t)va;

    if (on_cairn)
        return (address - layout.virt_base) / PAGE_SIZE;
    return (
        (const uint64_t *)(uintptr_t)start_info->mfn_list)[address / PAGE_SIZE];
}

struct grant_entry_v1 *grant_table(uint32_t frames)
{
    uint64_t list[XEN_GRANT_FRAMES] = {0};
    struct gnttab_setup_table op = {
        .dom = DOMID_SELF,
        .nr_frames = frames,
        .frame_list = hypercall_ptr(list),
    };

    if (frames > XEN_GRANT_FRAMES ||
        hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1) != 0 ||
        op.status != GNTST_okay)
        return NULL;
    if (on_cairn)
        return (void *)(uintptr_t)(layout.virt_base + list[0] * PAGE_SIZE);
    for (uint32_t i = 0; i < frames; i++)
        xen_map(xen_grant_table + i * PAGE_SIZE, list[i] * PAGE_SIZE);
    return (void *)xen_grant_table;
}

static bool protect(void *va, uint32_t prot)
{
    struct light_protect op = {.gfn = frame_of(va), .count = 1, .prot = prot};

    return hypercall_light_op(LIGHT_OP_protect, &op) == 0;
}

bool guard_page(void *va)
{
    if (on_cairn)
        return protect(va, LIGHT_PROT_guard);
    return hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(va), 0,
                      UVMF_INVLPG) == 0;
}

bool unguard_page(void *va)
{
    if (on_cairn)
        return protect(va, LIGHT_PROT_read_write);
    xen_map(va, frame_of(va) * PAGE_SIZE);
    return true;
}

uint64_t grant_slot(unsigned int index)
{
    if (on_cairn)
        return layout.virt_base + (layout.grant_gfn + index) * PAGE_SIZE;
    return hypercall_ptr(xen_grant_slots) + index * PAGE_SIZE;
}

uint64_t now_ns(void)
{
    const volatile struct vcpu_time_info *t =
        &shared_info->vcpu_info[vcpu_self()].time;
    uint32_t version;
    uint64_t delta, ns;

    do {
        version = t->version;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        delta = rdtsc() - t->tsc_timestamp;
        delta =
            t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
        ns = t->system_time +
             (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) != 0 || version != t->version);
    return ns;
}

void sleep_until(uint64_t ns)
{
    struct sched_poll poll = {.timeout = ns};

    while (now_ns() < ns)
        hypercall_sched_op(SCHEDOP_poll, &poll);
}

const char *option(const char *name)
{
    const char *word = start_info ? (const char *)start_info->cmd_line : "";
    size_t size = strlen(name);

    while (*word != '\0') {
        if (strncmp(word, name, size) == 0 && word[size] == '=')
            return word + size + 1;
        while (*word != '\0' && *word != ' ')
            word++;
        while (*word == ' ')
            word++;
    }
    return NULL;
}

uint64_t option_number(const char *name, uint64_t otherwise)
{
    const char *text = option(name);
    uint64_t value = 0;

    if (!text || *text < '0' || *text > '9')
        return otherwise;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + (uint64_t)(*text++ - '0');
    return value;
}

void mask_upcalls(void)
{
    __atomic_store_n(&shared_info->vcpu_info[vcpu_self()].evtchn_upcall_mask, 1,
                     __ATOMIC_SEQ_CST);
}

void unmask_upcalls(void)
{
    __atomic_store_n(&shared_info->vcpu_info[vcpu_self()].evtchn_upcall_mask, 0,
                     __ATOMIC_SEQ_CST);
    hypercall_xen_version(XENVER_version, NULL);
}

void machine_flush(void)
{
    console_ring_drain();
}

_Noreturn void machine_end(uint32_t reason)
{
    struct sched_shutdown arg = {.reason = reason};

    machine_flush();
    for (;;)
        hypercall_sched_op(SCHEDOP_shutdown, &arg);
}
