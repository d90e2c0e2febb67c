/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs asking each other.
 *
 * A CPU has one request under way at most, since it waits for it: a record of
 * its own.  Those it asks find it by the bit it sets in their mask of askers;
 * each does it once, because it takes the bits out of the mask first.
 *
 * One vector serves for requests and kicks.  An IPI is sent unless one is on
 * its way: the target takes ipi_on_way back before it looks at what is asked,
 * so what is asked after that look brings an IPI of its own.
 */

#include "arch/x86_64/smp.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/regs.h"

unsigned int cpu_count = 1;

struct request {
    void (*run)(uintptr_t arg);
    uintptr_t arg;
    uint64_t left; /* CPUs that have not done it */
};

static DEFINE_PER_CPU(struct request, request);
static DEFINE_PER_CPU(uint64_t,
                      askers); /* CPUs whose request is for this one */
static DEFINE_PER_CPU(bool, ipi_on_way);

/* The CPU that ends the machine's run. */
#define NOBODY CPU_MAX
static unsigned int stopper = NOBODY;
static uint64_t stopped;

/* About a second; a CPU that takes no NMI in that time is lost. */
#define STOP_WAITS 10000000U

static void send_ipi(unsigned int cpu)
{
    if (atomic_exchange(&per_cpu(ipi_on_way, cpu), true))
        return;
    this_cpu(cpu_counts).ipis_sent++;
    lapic_send_cpu(cpu, VECTOR_IPI);
}

void cpu_take_ipi(void)
{
    (void)atomic_exchange(&this_cpu(ipi_on_way), false);
    cpus_serve();
}

/* The interrupt alone makes another CPU pass the way back to its guest. */
void cpu_kick(unsigned int cpu)
{
    if (cpu == this_cpu(cpu_id))
        return_slowly();
    else
        send_ipi(cpu);
}

void cpus_serve(void)
{
    uint64_t me, asking;

    if (likely(!atomic_read(&this_cpu(askers))))
        return;
    me = cpu_bit(this_cpu(cpu_id));
    for (asking = atomic_exchange(&this_cpu(askers), 0); asking;
         asking &= asking - 1) {
        struct request *r =
            &per_cpu(request, (unsigned int)__builtin_ctzll(asking));

        r->run(r->arg);
        /* The last that is done with the record, which may be gone then. */
        __atomic_fetch_and(&r->left, ~me, __ATOMIC_RELEASE);
    }
}

void cpus_run(uint64_t cpus, void (*run)(uintptr_t arg), uintptr_t arg)
{
    struct request *r = &this_cpu(request);
    uint64_t me = cpu_bit(this_cpu(cpu_id)), others = cpus & ~me;

    assert(!(cpus & ~cpus_all()));
    r->run = run;
    r->arg = arg;
    atomic_write(&r->left, others);
    for (; others; others &= others - 1) {
        unsigned int cpu = (unsigned int)__builtin_ctzll(others);

        atomic_or(&per_cpu(askers, cpu), me);
        send_ipi(cpu);
    }
    if (cpus & me)
        run(arg);
    while (__atomic_load_n(&r->left, __ATOMIC_ACQUIRE)) {
        cpus_serve();
        cpu_relax();
    }
}

static void __noreturn stop_here(void)
{
    atomic_or(&stopped, cpu_bit(this_cpu(cpu_id)));
    cpu_halt();
}

void cpus_stop(void)
{
    unsigned int me = this_cpu(cpu_id), first = NOBODY;
    uint64_t others = cpus_all() & ~cpu_bit(me);

    if (!atomic_cmpxchg(&stopper, &first, me)) {
        if (first != me)
            stop_here();
        return;
    }
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++)
        if (others & cpu_bit(cpu))
            lapic_send_cpu(cpu, LAPIC_NMI);
    for (unsigned int i = 0; i < STOP_WAITS; i++) {
        if (!(others & ~atomic_read(&stopped)))
            return;
        cpu_relax();
    }
}

/* No lock may be taken here, so none of those that mean nothing is logged. */
void cpu_take_nmi(void)
{
    unsigned int first = atomic_read(&stopper);

    this_cpu(cpu_counts).nmi++;
    if (first != NOBODY && first != this_cpu(cpu_id))
        stop_here();
}
