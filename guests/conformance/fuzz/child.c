/* SPDX-License-Identifier: BSD-2-Clause */
/* A fuzzing domain. */

#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/print.h"
#include "framework/test.h"
#include "framework/vcpu.h"
#include "fuzz/fuzz.h"

struct fuzz_order fuzz_order;
struct fuzz_state fuzz_state;
volatile domid_t fuzz_peer;

PAGES(arenas, ARENA_PAGES *FUZZ_VCPUS);

static struct fuzzer fuzzers[FUZZ_VCPUS];

static volatile bool stop;

static void begin(struct fuzzer *f, unsigned int vcpu)
{
    f->vcpu = vcpu;
    f->arena = arenas + vcpu * ARENA_PAGES * PAGE_SIZE;
    f->number = fuzz_order.first;
}

static bool is_left(const struct fuzzer *f)
{
    return f->number - fuzz_order.first < fuzz_order.calls && !stop;
}

/* --- The second vCPU ---------------------------------------------------------
 */

/* Words that the first one's call may be about to read, or has just read. */
static void disturb(struct fuzzer *f)
{
    const struct fuzzer *other = &fuzzers[1 - f->vcpu];
    const struct fuzz_call *c =
        &fuzz_state.last[other->vcpu][fuzz_state.made[other->vcpu] % FUZZ_RING];

    for (unsigned int i = 0; i < 40; i++) {
        uint64_t at = c->args[below(f, 3)] + below(f, 8) * 8 -
                      (uint64_t)(uintptr_t)other->arena;
        volatile uint64_t *word;
        uint64_t old;

        if (at > ARENA_PAGES * PAGE_SIZE - sizeof(*word))
            continue;
        word = (volatile uint64_t *)(void *)(other->arena + at);
        old = *word;
        *word = rarely(f, 2) ? wild(f) : old ^ 1UL << below(f, 64);
        if (!rarely(f, 4))
            *word = old;
    }
}

static void second(uint64_t unused)
{
    struct fuzzer *f = &fuzzers[1];

    (void)unused;
    while (is_left(f)) {
        disturb(f);
        make_one(f);
    }
}

/* Another vCPU that is started with random registers does but this. */
void fuzz_third(void)
{
    for (unsigned int id = FUZZ_VCPUS;;
         id = id + 1 < FUZZ_VCPUS_MAX ? id + 1 : FUZZ_VCPUS)
        hypercall_vcpu_op(VCPUOP_down, id, NULL);
}

uint64_t fuzz_child(uint64_t unused)
{
    struct fuzzer *f = &fuzzers[0];

    (void)unused;
    if (fuzz_order.trace != ~0UL)
        print_sink = NULL;
    begin(f, 0);
    begin(&fuzzers[1], 1);
    values_init();
    make_init();
    fuzz_state.seed = fuzz_order.seed;
    fuzz_state.domid = own_domid;
    fuzz_state.magic = FUZZ_MAGIC;
    if (fuzz_order.flavour == FUZZ_SMP || fuzz_order.flavour == FUZZ_PV_SMP)
        vcpu_start(1, second, 0);
    while (is_left(f))
        make_one(f);
    stop = true;
    fuzz_state.finished = 1;
    return 0;
}
