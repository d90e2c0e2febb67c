/* SPDX-License-Identifier: BSD-2-Clause */
/* A fuzzing domain. */

#include "fuzz/fuzz.h"

#include "framework/print.h"
#include "framework/test.h"

struct fuzz_order fuzz_order;
struct fuzz_state fuzz_state;
volatile domid_t fuzz_peer;

PAGES(arenas, ARENA_PAGES *FUZZ_VCPUS);

static struct fuzzer fuzzers[FUZZ_VCPUS];

uint64_t fuzz_child(uint64_t unused)
{
    struct fuzzer *f = &fuzzers[0];

    (void)unused;
    if (fuzz_order.trace != ~0UL)
        print_sink = NULL;
    f->arena = arenas;
    f->number = fuzz_order.first;
    values_init();
    make_init();
    fuzz_state.seed = fuzz_order.seed;
    fuzz_state.domid = own_domid;
    fuzz_state.magic = FUZZ_MAGIC;
    while (f->number < fuzz_order.first + fuzz_order.calls)
        make_one(f);
    fuzz_state.finished = 1;
    return 0;
}
