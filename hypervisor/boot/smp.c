/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the other CPUs (Intel SDM 3A, section 9.4.4: INIT, SIPI, SIPI).
 *
 * One at a time.  When it has arrived it does what the first CPU orders, until
 * that is to run.  One that fails to gets another INIT, which it never leaves
 * by itself: its area is the next one's.
 */

#include "boot/start.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/upcalls.h"
#include "boot/boot_info.h"
#include "core/acpi.h"
#include "core/spec_ctrl.h"
#include "domain/vcpu.h"
#include "memory/frame.h"

/* After an INIT, and from a SIPI to the next: the SDM's. */
#define INIT_NS    10000000U
#define STARTUP_NS 200000U

/* For each step: long, because a host may run all CPUs on a few of its own. */
#define ANSWER_NS 2000000000U

/* Page 0 holds what the firmware counts on; from 640 KiB on it is no RAM. */
#define LOW_START 0x1000U
#define LOW_END   0xa0000U

/* Questions of which the one that is answered fastest counts. */
#define CLOCK_ROUNDS 10

/*
 * Clocks may differ by so much.  No vCPU moves to another CPU in less time, so
 * no guest sees time go back.
 */
#define CLOCK_US 1

extern const char percpu_image[], percpu_image_end[];

static uint64_t max_cpus = CPU_MAX;
BOOT_OPTION(maxcpus, "maxcpus", "start at most so many CPUs", NULL, &max_cpus);

/* What the CPU that is being started shall do; NULL: it has done it. */
static void (*order)(void);
static uint64_t order_clock;
static bool is_different;

unsigned int boot_cpus_max(void)
{
    uint64_t count = MIN(MIN(acpi.cpu_count, CPU_MAX), max_cpus);

    return count ? (unsigned int)count : 1;
}

/* --- What the other does ------------------------------------------------ */

static void arrive(void)
{
    is_different = !cpu_features_match();
    if (is_different)
        return;
    cpu_enable_features();
    spec_init_cpu();
    lapic_init_cpu();
    sched_init(); /* Others may give it work as soon as it is counted. */
}

static void read_clock(void)
{
    order_clock = rdtsc_ordered();
}

static void adjust_clock(void)
{
    wrmsr(MSR_TSC_ADJUST, rdmsr(MSR_TSC_ADJUST) + order_clock);
}

static void done(void)
{
    __atomic_store_n(&order, NULL, __ATOMIC_RELEASE);
}

static void run(void)
{
    done();
    sched_start();
}

void upcall_start_cpu(void)
{
    void (*what)(void);

    for (descriptors_init_cpu(this_cpu(cpu_id));; cpu_relax()) {
        what = __atomic_load_n(&order, __ATOMIC_ACQUIRE);
        if (what) {
            what();
            done();
        }
    }
}

/* --- What the first one does -------------------------------------------- */

static bool wait_done(uint64_t ns)
{
    uint64_t end = time_now() + ns;

    while (__atomic_load_n(&order, __ATOMIC_ACQUIRE)) {
        if (time_now() > end)
            return false;
        cpu_relax();
    }
    return true;
}

static bool give(void (*what)(void))
{
    __atomic_store_n(&order, what, __ATOMIC_RELEASE);
    return wait_done(ANSWER_NS);
}

/* How far its TSC is ahead of ours; what the way there and back may hide is
 * taken to be in its favour. */
static bool compare_clocks(int64_t *ahead)
{
    uint64_t shortest = UINT64_MAX;

    for (int i = 0; i < CLOCK_ROUNDS; i++) {
        uint64_t start = rdtsc_ordered(), way;
        int64_t difference;

        if (!give(read_clock))
            return false;
        way = rdtsc_ordered() - start;
        if (way >= shortest)
            continue;
        shortest = way;
        difference = (int64_t)(order_clock - start);
        *ahead = MIN(difference, MAX(difference - (int64_t)way, 0));
    }
    return true;
}

static bool __noinline clock_is_right(int64_t ahead)
{
    int64_t bound = tsc_khz * CLOCK_US / 1000;

    return ahead <= bound && ahead >= -bound;
}

/* NULL, or what is wrong with the CPU that has arrived. */
static const char *set_clock(unsigned int cpu)
{
    int64_t ahead = 0;

    for (int tries = 0; tries < 2; tries++) {
        if (!compare_clocks(&ahead))
            return "stopped answering";
        if (clock_is_right(ahead))
            return NULL;
        log_warning("CPU %u: its TSC is %ld ticks %s", cpu,
                    ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead");
        order_clock = (uint64_t)-ahead;
        if (cpu_features.tsc_adjust && !give(adjust_clock))
            return "stopped answering";
    }
    return "has a TSC that cannot be set right";
}

static void prepare_area(unsigned int cpu)
{
    uintptr_t area = area_of(CPU_AREAS_BASE, cpu);

    memcpy((void *)(area + CPU_AREA_VARS), percpu_image,
           (size_t)(percpu_image_end - percpu_image));
    per_cpu(cpu_id, cpu) = cpu;
    order = arrive;
    atomic_exchange(&trampoline_stack,
                    area + CPU_AREA_STACK_TOP - sizeof(struct cpu_regs));
}

/* NULL, or why there is no CPU more. */
static const char *start(unsigned int cpu, uint32_t id, maddr_t page)
{
    const char *wrong;

    prepare_area(cpu);
    for (int i = 0; i < 2; i++) {
        lapic_send(id, LAPIC_STARTUP | (uint32_t)(page >> PAGE_SHIFT));
        if (wait_done(STARTUP_NS))
            break;
    }
    if (!wait_done(ANSWER_NS))
        return "does not answer";
    wrong = is_different ? "differs from the first one" : set_clock(cpu);
    if (wrong)
        return wrong;
    cpu_count = cpu + 1;
    if (give(run))
        return NULL;
    cpu_count = cpu;
    return "stopped answering";
}

/* The highest page that is RAM and where a CPU in real mode can begin. */
static maddr_t find_page(void)
{
    maddr_t page = 0;

    for (unsigned int i = 0; i < boot_info.ram_count; i++) {
        maddr_t last = MIN(boot_info.ram[i].end, LOW_END) - PAGE_SIZE;

        if (last >= MAX(boot_info.ram[i].start, LOW_START))
            page = last;
    }
    return page;
}

/* Without x2APIC mode not every ID can be addressed. */
static bool is_another(uint32_t id)
{
    return id != lapic_id() && id <= lapic_id_max();
}

static void send_all_init(void)
{
    for (unsigned int i = 0; i < acpi.cpu_count; i++)
        if (is_another(acpi.cpu_apic_id[i]))
            lapic_send(acpi.cpu_apic_id[i], LAPIC_INIT);
    order = arrive; /* None does. */
    (void)wait_done(INIT_NS);
}

void boot_cpus_start(void)
{
    maddr_t page = find_page();

    if (boot_cpus_max() == 1)
        return;
    if (!page) {
        log_warning("one CPU only: no memory below 640 KiB to start others");
        return;
    }
    memcpy(mfn_to_virt(maddr_to_mfn(page)), trampoline,
           (size_t)(trampoline_end - trampoline));
    send_all_init();
    for (unsigned int i = 0; i < acpi.cpu_count && cpu_count < boot_cpus_max();
         i++) {
        uint32_t id = acpi.cpu_apic_id[i];
        const char *wrong;

        if (!is_another(id))
            continue;
        wrong = start(cpu_count, id, page);
        if (wrong) {
            lapic_send(id, LAPIC_INIT);
            log_error("the CPU with local APIC %u is not used: it %s", id,
                      wrong);
        }
    }
    log_info("CPUs: %u of %u run", cpu_count, acpi.cpu_count);
}
