/* SPDX-License-Identifier: BSD-2-Clause */
/* Timing operations: see measure.h. */

#include "micro/measure.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "framework/machine.h"
#include "framework/print.h"

#include "micro/entry.h"

/* Rounds before those that count: what is made once has been made then. */
#define WARM_UP 16U
/* An odd number, so that the median is one of them. */
#define SAMPLES_MAX 1001U

static uint64_t samples[SAMPLES_MAX];
static unsigned int sample_count = SAMPLES_MAX;
static uint64_t overhead;

static __attribute__((noipa)) uint64_t time_once(long (*run)(void), long *rc)
{
    uint64_t start = rdtsc();

    *rc = run();
    return rdtsc() - start;
}

/* Shell's sort: a thousand numbers, nearly all of them equal. */
static void sort_samples(void)
{
    for (unsigned int gap = sample_count / 2; gap != 0; gap /= 2) {
        for (unsigned int i = gap; i < sample_count; i++) {
            uint64_t moved = samples[i];
            unsigned int to = i;

            for (; to >= gap && samples[to - gap] > moved; to -= gap)
                samples[to] = samples[to - gap];
            samples[to] = moved;
        }
    }
}

/* Fills `samples`, sorted; returns the first result that was not 0. */
static long take_samples(const struct operation *op)
{
    long first_wrong = 0;

    for (unsigned int i = 0; i < WARM_UP + sample_count; i++) {
        uint64_t ticks;
        long rc;

        if (op->before)
            op->before();
        ticks = time_once(op->run, &rc);
        if (op->after)
            rc = op->after(rc);
        if (first_wrong == 0)
            first_wrong = rc;
        if (i >= WARM_UP)
            samples[i - WARM_UP] = ticks;
    }
    sort_samples();
    return first_wrong;
}

static uint64_t net(uint64_t ticks)
{
    return ticks > overhead ? ticks - overhead : 0;
}

/* Whether the command line asks for it: "only=NAME", or nothing. */
static bool is_picked(const char *name)
{
    const char *only = option("only");
    size_t size = strlen(name);

    return !only || (strncmp(only, name, size) == 0 &&
                     (only[size] == '\0' || only[size] == ' '));
}

static long zero(long rc)
{
    (void)rc;
    return 0;
}

void measure_init(void)
{
    static const struct operation nothing = {
        .name = "nothing", .run = micro_nothing, .after = zero};

    sample_count = (unsigned int)option_number("samples", SAMPLES_MAX);
    if (sample_count < 1 || sample_count > SAMPLES_MAX)
        sample_count = SAMPLES_MAX;
    take_samples(&nothing);
    overhead = samples[sample_count / 2];
    measure(&nothing);
}

void measure(const struct operation *op)
{
    long rc;

    if (!is_picked(op->name))
        return;
    rc = take_samples(op);
    print("@ %s n=%u min=%lu med=%lu max=%lu rc=%ld\n", op->name, sample_count,
          net(samples[0]), net(samples[sample_count / 2]),
          net(samples[sample_count - 1]), rc);
}
