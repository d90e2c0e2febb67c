/* SPDX-License-Identifier: BSD-2-Clause */
/* What the domains do that come and go. */

#include <abi/hypercall.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"
#include "stress/stress.h"

#define PRIVATE_PAGES 8U
#define GRANT_SLOTS   16U
#define DEATHS        6000U /* of so many steps one is the last */
#define NAP_NS        50000UL

struct worker_order worker_order;
volatile uint64_t worker_broken;

PAGES(own, PRIVATE_PAGES);
PAGES(lent, REFS);

extern char test_guard[];

static uint64_t *words(uint8_t *page)
{
    return (uint64_t *)(void *)page;
}

static void broken(uint64_t what)
{
    worker_broken = what;
    print("stress: BROKEN: d%u %lx\n", own_domid, what);
}

/* --- Memory ----------------------------------------------------------------
 */

static uint64_t stamp(unsigned int page)
{
    return worker_order.seed * 8 + page;
}

static void stamp_pages(void)
{
    for (unsigned int i = 0; i < PRIVATE_PAGES; i++)
        for (unsigned int w = 0; w < 512; w++)
            words(own + i * PAGE_SIZE)[w] = stamp(i);
}

static void check_page(uint64_t *random)
{
    unsigned int page = (unsigned int)random_below(random, PRIVATE_PAGES);

    for (unsigned int w = 0; w < 512; w++)
        if (words(own + page * PAGE_SIZE)[w] != stamp(page))
            broken(words(own + page * PAGE_SIZE)[w]);
}

/* What is given back and taken again is zero. */
static void discard(uint64_t *random)
{
    extern char rt_image_end[];
    struct light_discard op = {
        .gfn = frame_of(rt_image_end) + 4 + random_below(random, 40),
        .count = 1 + random_below(random, 8),
    };
    volatile uint64_t *word =
        (volatile uint64_t *)(uintptr_t)(layout.virt_base + op.gfn * PAGE_SIZE);

    if (vcpu_self() != 0) /* one at a time, or the other one's may be there */
        return;
    if (hypercall_light_op(LIGHT_OP_discard, &op) != 0)
        return;
    if (word[random_below(random, 512)] != 0)
        broken(*word);
    word[random_below(random, 512)] = ~0UL;
}

/* --- Events ----------------------------------------------------------------
 */

static void offer_port(uint64_t *random)
{
    port_alloc_unbound(random_domid(random));
}

static void bind_port(uint64_t *random)
{
    port_bind(random_domid(random),
              1 + (evtchn_port_t)random_below(random, PORTS));
}

static void use_port(uint64_t *random)
{
    evtchn_port_t port = 1 + (evtchn_port_t)random_below(random, PORTS);

    switch (random_below(random, 8)) {
    case 0:
        port_close(port);
        break;
    case 1:
        port_bind_vcpu(port, (uint32_t)random_below(random, 2));
        break;
    case 2:
        port_bind_ipi((uint32_t)random_below(random, 2));
        break;
    case 3:
        port_unmask(port);
        break;
    default:
        port_send(port);
        break;
    }
}

static void nap(uint64_t *random)
{
    evtchn_port_t ports[4];
    struct sched_poll poll = {
        .ports = hypercall_ptr(ports),
        .nr_ports = (uint32_t)random_below(random, 5),
        .timeout = now_ns() + random_below(random, NAP_NS),
    };

    for (unsigned int i = 0; i < 4; i++)
        ports[i] = 1 + (evtchn_port_t)random_below(random, PORTS);
    hypercall_sched_op(SCHEDOP_poll, &poll);
    for (unsigned int i = 0; i < 4; i++)
        port_clear(ports[i]);
}

static void set_timer(uint64_t *random)
{
    port_bind_virq(VIRQ_TIMER, vcpu_self());
    hypercall_set_timer_op(now_ns() + random_below(random, NAP_NS));
}

/* --- Grants ----------------------------------------------------------------
 */

static void lend(uint64_t *random)
{
    unsigned int n = (unsigned int)random_below(random, REFS);
    uint8_t *page = lent + n * PAGE_SIZE;

    if (!grant_take_back(FIRST_REF + n))
        return;
    if (!lent_is_good(words(page)))
        broken(words(page)[0]);
    grant_give(FIRST_REF + n, random_domid(random), page,
               random_below(random, 3) ? 0 : GTF_readonly);
}

static void map(uint64_t *random)
{
    uint64_t at = grant_slot((unsigned int)random_below(random, GRANT_SLOTS));
    uint32_t readonly = random_below(random, 3) ? 0 : GNTMAP_readonly;
    struct gnttab_map_grant_ref op =
        grant_map(random_domid(random),
                  FIRST_REF + (grant_ref_t)random_below(random, REFS), at,
                  GNTMAP_host_map | readonly);
    volatile uint64_t *page = (volatile uint64_t *)(uintptr_t)at;

    if (op.status != GNTST_okay)
        return;
    if (!lent_is_good(page))
        broken(page[0]);
    if (!readonly)
        page[random_below(random, 32) * 16] =
            LENT_MARK << 32 | random_below(random, 1U << 30);
    if (random_below(random, 8)) /* else it stays until we die */
        grant_unmap(op.handle, at);
}

static void copy(uint64_t *random)
{
    static uint64_t buffers[VCPU_COUNT][64] __attribute__((aligned(512)));
    uint64_t *buffer = buffers[vcpu_self()];
    domid_t domid = random_domid(random);
    grant_ref_t ref = FIRST_REF + (grant_ref_t)random_below(random, REFS);

    for (unsigned int i = 0; i < 64; i++)
        buffer[i] = LENT_MARK << 32 | i;
    if (random_below(random, 2))
        grant_copy_out(buffer, domid, ref, 0, 512);
    else if (grant_copy_in(domid, ref, 0, buffer, 512) == GNTST_okay &&
             buffer[0] != 0 && buffer[0] >> 32 != LENT_MARK)
        broken(buffer[0]);
}

/* --- Life ------------------------------------------------------------------
 */

static void die(uint64_t *random)
{
    if (random_below(random, 2))
        machine_end((uint32_t)random_below(random, 6));
    hypercall_set_trap_table(NULL);
    __asm__ volatile("ud2");
}

static void vcpus(uint64_t *random)
{
    static const uint64_t none;

    switch (random_below(random, 4)) {
    case 0: /* so that both are up again, if one was not */
        hypercall_vcpu_op(VCPUOP_up, 1 - vcpu_self(), NULL);
        break;
    case 1:
        if (vcpu_self() == 1)
            hypercall_vcpu_op(VCPUOP_down, 1, NULL);
        break;
    case 2:
        hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, vcpu_self(),
                          (void *)(uintptr_t)&none);
        break;
    default:
        hypercall_sched_op(SCHEDOP_yield, NULL);
        break;
    }
}

static void (*const steps[])(uint64_t *random) = {
    check_page, discard,  offer_port, offer_port, bind_port, bind_port,
    use_port,   use_port, use_port,   use_port,   use_port,  nap,
    set_timer,  lend,     lend,       map,        map,       map,
    copy,       copy,     vcpus,
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void live(uint64_t vcpu)
{
    uint64_t random = (worker_order.seed * 2 + vcpu) * 0x9e3779b97f4a7c15UL + 1;

    for (;;) {
        steps[random_below(&random, STEPS)](&random);
        if (random_below(&random, DEATHS) == 0)
            die(&random);
    }
}

_Noreturn void worker_main(void)
{
    machine_init(NULL);
    own_domid = worker_order.domid;
    mask_upcalls();
    vcpus_forget();
    traps_init();
    guard_page(test_guard);
    grants_init();
    stamp_pages();
    vcpu_start(1, live, 1);
    live(0);
    machine_end(SHUTDOWN_poweroff);
}
