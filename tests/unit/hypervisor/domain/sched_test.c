/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler over simulated time: the real run queues with their alarms, on
 * one CPU or several, with vCPUs that run, sleep and wake by a script.
 */

/* LINK: hypervisor/domain/sched.c hypervisor/domain/runstate.c */
/* LINK: hypervisor/domain/balance.c hypervisor/domain/share.c */
/* LINK: hypervisor/lib/heap.c */
/* LINK: tests/unit/doubles/turns.c */

#include "unit/test.h"

#include "arch/x86_64/smp.h"
#include "core/time.h"
#include "domain/domain.h"
#include "domain/memory.h"
#include "domain/sched.h"
#include "domain/vcpu.h"
#include "doubles/turns.h"

#define VCPUS 200U
#define MS    1000000ULL

char unit_test_cpu_area[CPU_AREA_SIZE];
DEFINE_PER_CPU(unsigned int, cpu_id);
DEFINE_PER_CPU(bool, slow_return);
DEFINE_PER_CPU(const uint8_t *, upcall_bytes);
const uint8_t upcall_due[2];

static uint64_t now;
static int locks;

/* What another CPU does before the lock after the next one is taken. */
static void (*meanwhile)(void);
static unsigned int locks_until;

uint64_t time_now(void)
{
    return now;
}

void spin_lock_init(struct spinlock *lock, enum lock_rank rank)
{
    lock->rank = (uint8_t)rank;
    lock->serving = lock->next = 0;
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    if (meanwhile && locks_until-- == 0) {
        void (*act)(void) = meanwhile;

        meanwhile = NULL;
        act();
    }
    EXPECT_EQ(lock->next++, lock->serving);
    locks++;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    lock->serving++;
    locks--;
}

void timer_init(struct timer *t, void (*expired)(struct timer *t))
{
    *t = (struct timer){.expired = expired};
}

/* Each belongs to the CPU it is set on. */
void timer_set(struct timer *t, uint64_t deadline)
{
    t->armed = true;
    t->cpu = (uint8_t)cpus_current;
    t->node.key = deadline;
}

void timer_cancel(struct timer *t)
{
    t->armed = false;
}

void assert_failed(const char *file, int line, const char *belief)
{
    test_report(false, true, file, (unsigned int)line, belief);
    abort();
}

/* Runstate areas are not used here. */
void memory_unpin(const struct domain *d, const void *at)
{
    (void)d;
    if (at)
        abort();
}

/* --- The simulation ------------------------------------------------------ */

/* What one does: runs for run_ns and sleeps for sleep_ns; 0: runs for ever. */
struct script {
    uint64_t run_ns, sleep_ns;
    uint64_t left_ns, wakes_at;
    uint64_t ran_ns, latency_max, woken_at;
    bool waits_to_run;
    unsigned int on; /* the CPU it runs on, and whether it does */
    bool runs;
};

static struct domain domains[VCPUS];
static struct vcpu vcpu[VCPUS], *pointers[VCPUS];
static struct script script[VCPUS];
static unsigned int count, switches, steps;

/* Whose registers each CPU has. */
static struct vcpu *loaded[CPU_MAX];

#define THE_QUEUE per_cpu(run_queue, 0)

static unsigned int index_of(const struct vcpu *v)
{
    return (unsigned int)(v - vcpu);
}

/* One more vCPU of @d; it is up. */
static void add_to(struct domain *d, uint64_t run_ns, uint64_t sleep_ns)
{
    struct vcpu *v = &vcpu[count];

    memset(v, 0, sizeof(*v));
    v->domain = d;
    v->id = d->vcpu_count;
    v->state = VCPU_OFFLINE;
    v->runstate = RUNSTATE_offline;
    v->runstate_since = now;
    v->affinity = ~0ULL;
    script[count] = (struct script){
        .run_ns = run_ns, .sleep_ns = sleep_ns, .left_ns = run_ns};
    pointers[count] = v;
    if (!d->vcpu)
        d->vcpu = &pointers[count];
    d->vcpu_count++;
    count++;
    vcpu_set_weight(v, d->weight, 1);
    vcpu_up(v);
    share_divide(d);
}

/* A domain of one vCPU. */
static void add(uint32_t weight, uint64_t run_ns, uint64_t sleep_ns)
{
    domains[count].weight = weight;
    add_to(&domains[count], run_ns, sleep_ns);
}

/* References are taken only by who goes on with a vCPU that it let go. */
void domain_put(struct domain *d)
{
    EXPECT_EQ(d->refs, 1);
    d->refs--;
}

void context_drop(void)
{
    REQUIRE(loaded[cpus_current] && loaded[cpus_current]->loaded);
    EXPECT_EQ(loaded[cpus_current]->domain->refs, current ? 0 : 1);
    loaded[cpus_current]->loaded = false;
    loaded[cpus_current] = NULL;
}

/* What context_load() does, and that no other CPU has the same vCPU. */
static void load(struct vcpu *v)
{
    EXPECT_TRUE(v->loaded);
    if (loaded[cpus_current] == v)
        return;
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++)
        EXPECT_TRUE(loaded[cpu] != v);
    if (loaded[cpus_current])
        context_drop();
    loaded[cpus_current] = v;
}

static void note_start(struct vcpu *v)
{
    struct script *s = &script[index_of(v)];

    if (s->waits_to_run && now - s->woken_at > s->latency_max)
        s->latency_max = now - s->woken_at;
    s->waits_to_run = false;
}

/* schedule(), without waiting in it. */
static void choose_if_due(unsigned int cpu)
{
    struct vcpu *before = per_cpu(current_vcpu, cpu);

    cpus_current = cpu;
    while (this_cpu(need_resched) || !current) {
        bool due = this_cpu(need_resched);

        this_cpu(need_resched) = false;
        if (!sched_choose()) {
            if (!sched_steal() && !due)
                break;
            continue;
        }
        load(current);
        if (sched_evict())
            continue;
        sched_balance();
    }
    if (current && current != before) {
        switches++;
        note_start(current);
    }
    cpus_current = 0;
}

static void choose_all(void)
{
    bool again;

    do {
        again = false;
        for (unsigned int cpu = 0; cpu < cpu_count; cpu++)
            choose_if_due(cpu);
        for (unsigned int cpu = 0; cpu < cpu_count; cpu++)
            again |= per_cpu(need_resched, cpu);
    } while (again);
}

static struct script *running(unsigned int cpu)
{
    struct vcpu *v = per_cpu(current_vcpu, cpu);

    return v ? &script[index_of(v)] : NULL;
}

/* When something happens next, if nobody does anything before @until. */
static uint64_t next_event(uint64_t until)
{
    uint64_t at = until;

    for (unsigned int cpu = 0; cpu < cpu_count; cpu++) {
        const struct timer *alarm = &per_cpu(run_queue, cpu).alarm;
        const struct script *s = running(cpu);

        if (alarm->armed && alarm->node.key < at)
            at = alarm->node.key;
        if (s && s->run_ns && now + s->left_ns < at)
            at = now + s->left_ns;
    }
    for (unsigned int i = 0; i < count; i++)
        if (vcpu[i].state == VCPU_BLOCKED && script[i].wakes_at &&
            script[i].wakes_at < at)
            at = script[i].wakes_at;
    return at > now ? at : now;
}

static void advance(uint64_t to)
{
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++) {
        struct script *s = running(cpu);

        if (!s)
            continue;
        s->ran_ns += to - now;
        if (s->run_ns)
            s->left_ns -= to - now;
    }
    now = to;
}

static void wake(unsigned int i)
{
    script[i].wakes_at = 0;
    script[i].woken_at = now;
    script[i].waits_to_run = true;
    /* The event comes to some CPU or other. */
    cpus_current = i % cpu_count;
    vcpu_wake(&vcpu[i]);
    cpus_current = 0;
}

static void happen_on(unsigned int cpu)
{
    struct timer *alarm = &per_cpu(run_queue, cpu).alarm;
    struct script *s = running(cpu);

    cpus_current = cpu;
    if (alarm->armed)
        EXPECT_EQ(alarm->cpu, cpu);
    if (alarm->armed && alarm->node.key <= now) {
        alarm->armed = false;
        alarm->expired(alarm);
    }
    if (s && s->run_ns && s->left_ns == 0 && current->state == VCPU_RUNNING) {
        s->left_ns = s->run_ns;
        s->wakes_at = now + s->sleep_ns;
        vcpu_block(current);
    }
    cpus_current = 0;
}

static void happen(void)
{
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++)
        happen_on(cpu);
    for (unsigned int i = 0; i < count; i++)
        if (vcpu[i].state == VCPU_BLOCKED && script[i].wakes_at &&
            script[i].wakes_at <= now)
            wake(i);
}

static void simulate(uint64_t ns)
{
    uint64_t until = now + ns;

    while (now < until) {
        choose_all();
        advance(next_event(until));
        happen();
        steps++;
    }
}

static void with_cpus(unsigned int cpus)
{
    cpus_make(cpus);
    idle_cpus = 0;
    memset(loaded, 0, sizeof(loaded));
    for (unsigned int cpu = 0; cpu < cpus; cpu++) {
        cpus_current = cpu;
        this_cpu(cpu_id) = cpu;
        sched_init();
        choose_if_due(cpu);
    }
    cpus_current = 0;
}

void setup(void)
{
    memset(domains, 0, sizeof(domains));
    now = 1000 * MS;
    count = switches = steps = 0;
    with_cpus(1);
}

/* What is reserved is for all domains, so it is given back. */
void teardown(void)
{
    EXPECT_EQ(locks, 0);
    for (unsigned int i = 0; i < VCPUS; i++)
        share_give_back(&domains[i]);
}

static void restart_clocks(void)
{
    for (unsigned int i = 0; i < count; i++)
        script[i].ran_ns = script[i].latency_max = 0;
}

/* Of one CPU, in thousandths. */
static void expect_part(unsigned int i, uint64_t total, uint64_t thousandths,
                        uint64_t tolerance)
{
    uint64_t want = total * thousandths / 1000, got = script[i].ran_ns;
    uint64_t off = got > want ? got - want : want - got;

    if (off * 100 > want * tolerance)
        printf("vcpu %u ran %lu of %lu ns\n", i, got, total);
    EXPECT_TRUE(off * 100 <= want * tolerance);
}

static void expect_share(unsigned int i, uint64_t total, uint64_t percent)
{
    expect_part(i, total, percent * 10, 5);
}

TEST("three that never sleep get the processor as their weights 1:2:4")
{
    add(128, 0, 0);
    add(256, 0, 0);
    add(512, 0, 0);
    simulate(7000 * MS);
    expect_share(0, 7000 * MS, 14);
    expect_share(1, 7000 * MS, 28);
    expect_share(2, 7000 * MS, 57);
}

TEST("equal weights get equal shares though one sleeps for moments")
{
    add(256, 0, 0);
    add(256, 2 * MS, 1);
    simulate(4000 * MS);
    expect_share(0, 4000 * MS, 50);
    expect_share(1, 4000 * MS, 50);
}

TEST("the smallest and the largest weight are no special case")
{
    add(1, 0, 0);
    add(DOMAIN_WEIGHT_MAX, 0, 0);
    simulate(2000 * MS);
    EXPECT_TRUE(script[0].ran_ns < 20 * MS);
    EXPECT_TRUE(script[0].ran_ns > 0);
}

TEST("one that runs alone is never interrupted")
{
    add(256, 0, 0);
    simulate(1000 * MS);
    EXPECT_FALSE(THE_QUEUE.alarm.armed);
    EXPECT_EQ(switches, 1);
    EXPECT_EQ(script[0].ran_ns, 1000 * MS);
}

TEST("the slice timer stops when nobody waits any more")
{
    add(256, 0, 0);
    add(256, 1 * MS, 1000 * MS);
    simulate(8 * MS); /* Its turn was at 5 ms, to last until 10 ms. */
    EXPECT_EQ(vcpu[1].state, VCPU_BLOCKED);
    EXPECT_FALSE(THE_QUEUE.alarm.armed);
}

TEST("one that sleeps most of the time runs as soon as it wakes")
{
    add(256, 0, 0);
    add(256, 0, 0);
    add(256, MS / 10, 9 * MS);
    simulate(2000 * MS);
    EXPECT_EQ(script[2].latency_max, 0);
    EXPECT_TRUE(script[2].ran_ns > 2000 * MS / 100);
}

TEST("one that wakes after an hour gets no more than its share from then on")
{
    add(256, 0, 0);
    add(256, 1, 3600 * 1000 * MS);
    simulate(3600 * 1000 * MS + 10 * MS);
    script[1].run_ns = 0; /* From now on it never sleeps. */
    script[0].ran_ns = script[1].ran_ns = 0;
    vcpu_wake(&vcpu[1]);
    simulate(1000 * MS);
    expect_share(0, 1000 * MS, 50);
    expect_share(1, 1000 * MS, 50);
}

TEST("one that ran alone for an hour does not pay for it")
{
    add(256, 0, 0);
    simulate(3600 * 1000 * MS);
    add(256, 0, 0);
    script[0].ran_ns = 0;
    simulate(1000 * MS);
    expect_share(0, 1000 * MS, 50);
    expect_share(1, 1000 * MS, 50);
}

TEST("nobody waits longer than a slice and a credit of everybody else's")
{
    for (unsigned int i = 0; i < 8; i++)
        add(256, 7 * MS + i * 1000, 3 * MS);
    simulate(5000 * MS);
    for (unsigned int i = 0; i < 8; i++)
        EXPECT_TRUE(script[i].latency_max <=
                    (8 - 1) * (SCHED_SLICE_NS + SCHED_CREDIT_NS));
}

TEST("a pair that wake each other do not preempt at every event")
{
    add(256, 10000, 10000);
    add(256, 10000, 10000);
    add(256, 0, 0);
    simulate(1000 * MS);
    for (unsigned int i = 0; i < 3; i++)
        EXPECT_TRUE(script[i].ran_ns > 300 * MS / 10);
}

TEST("a yield lets those who wait go first, and costs nothing alone")
{
    add(256, 0, 0);
    simulate(1 * MS);
    vcpu_yield(&vcpu[0]);
    EXPECT_FALSE(this_cpu(need_resched));

    add(256, 0, 0); /* It is far behind, and yields all the same. */
    simulate(MS / 10);
    for (int i = 0; i < 10; i++) {
        struct vcpu *before = current;

        vcpu_yield(before);
        EXPECT_TRUE(this_cpu(need_resched));
        choose_if_due(0);
        EXPECT_TRUE(current != before);
        simulate(1000);
    }
}

TEST("one that is woken before it has left the processor goes on")
{
    add(256, 0, 0);
    simulate(1 * MS);
    vcpu_block(&vcpu[0]);
    EXPECT_EQ(vcpu[0].state, VCPU_BLOCKED);
    vcpu_wake(&vcpu[0]);
    choose_if_due(0);
    EXPECT_PTR(current, &vcpu[0]);
    EXPECT_EQ(vcpu[0].state, VCPU_RUNNING);
    EXPECT_EQ(THE_QUEUE.length, 0);
}

TEST("nobody to run means nobody is current")
{
    add(256, 0, 0);
    simulate(1 * MS);
    vcpu_block(&vcpu[0]);
    choose_if_due(0);
    EXPECT_PTR(current, NULL);
    EXPECT_FALSE(THE_QUEUE.alarm.armed);
}

static void hold_all(void)
{
    for (unsigned int i = 0; i < count; i++)
        vcpu_hold(&vcpu[i], true);
}

static void release_all(void)
{
    for (unsigned int i = 0; i < count; i++)
        vcpu_hold(&vcpu[i], false);
}

TEST("a held vCPU leaves the processor and the queue, and comes back")
{
    add(256, 0, 0);
    add(256, 0, 0);
    simulate(20 * MS);
    hold_all();
    choose_if_due(0);
    EXPECT_PTR(current, NULL);
    EXPECT_EQ(THE_QUEUE.length, 0);
    EXPECT_EQ(vcpu[0].state, VCPU_RUNNABLE);

    release_all();
    release_all(); /* Twice queues nobody twice. */
    EXPECT_EQ(THE_QUEUE.length, 2);
    simulate(20 * MS);
    EXPECT_TRUE(current != NULL);
}

TEST("one that wakes while it is held runs only when it is released")
{
    add(256, 1 * MS, 1000 * MS);
    simulate(2 * MS);
    EXPECT_EQ(vcpu[0].state, VCPU_BLOCKED);
    hold_all();
    vcpu_wake(&vcpu[0]);
    EXPECT_EQ(vcpu[0].state, VCPU_RUNNABLE);
    EXPECT_EQ(THE_QUEUE.length, 0);
    release_all();
    EXPECT_EQ(THE_QUEUE.length, 1);
}

TEST("one that blocks while it is held is blocked when it is released")
{
    add(256, 0, 0);
    simulate(1 * MS);
    vcpu_block(&vcpu[0]);
    hold_all();
    release_all();
    EXPECT_EQ(vcpu[0].state, VCPU_BLOCKED);
    EXPECT_EQ(THE_QUEUE.length, 0);
}

TEST("down takes a vCPU away from wherever it is")
{
    add(256, 0, 0);
    add(256, 0, 0);
    simulate(1 * MS);
    vcpu_down(&vcpu[0]);
    vcpu_down(&vcpu[1]);
    choose_if_due(0);
    EXPECT_PTR(current, NULL);
    vcpu_wake(&vcpu[0]);
    EXPECT_EQ(vcpu[0].state, VCPU_OFFLINE);
    vcpu_up(&vcpu[0]);
    choose_if_due(0);
    EXPECT_PTR(current, &vcpu[0]);
}

TEST("a change of weight counts from then on")
{
    add(256, 0, 0);
    add(256, 0, 0);
    simulate(1000 * MS);
    vcpu_set_weight(&vcpu[1], 768, 1);
    script[0].ran_ns = script[1].ran_ns = 0;
    simulate(4000 * MS);
    expect_share(0, 4000 * MS, 25);
    expect_share(1, 4000 * MS, 75);
}

TEST("a change of weight does not count for what ran before")
{
    uint64_t before;

    add(256, 0, 0);
    choose_if_due(0);
    now += 100 * MS;
    before = vcpu[0].vtime;
    vcpu_set_weight(&vcpu[0], 1, 1);
    EXPECT_EQ(vcpu[0].vtime - before, 100 * MS);
}

TEST("runstate times add up to the time that passed")
{
    struct vcpu_runstate_info info;
    uint64_t begin = now, sum = 0;

    add(256, 3 * MS, 2 * MS);
    add(256, 0, 0);
    simulate(100 * MS);
    vcpu_runstate(&vcpu[0], &info);
    for (int i = 0; i < RUNSTATE_COUNT; i++)
        sum += info.time[i];
    EXPECT_EQ(sum, now - begin);
    EXPECT_EQ(info.time[RUNSTATE_running], script[0].ran_ns);
    EXPECT_TRUE(info.time[RUNSTATE_blocked] > 0);
    EXPECT_TRUE(info.time[RUNSTATE_runnable] > 0);
    EXPECT_EQ(vcpu_cpu_time(&vcpu[0]), script[0].ran_ns);
    EXPECT_EQ(vcpu_cpu_time(&vcpu[1]), script[1].ran_ns);
}

/* --- Several CPUs --------------------------------------------------------- */

static void add_many(unsigned int n, uint32_t weight)
{
    while (n--)
        add(weight, 0, 0);
}

/* Each of @n equals gets its part of @cpus, over so long that it is @each. */
static void expect_equal_parts(unsigned int cpus, unsigned int n, uint64_t each)
{
    uint64_t total = each * n / cpus;

    with_cpus(cpus);
    add_many(n, 256);
    simulate(1000 * MS);
    restart_clocks();
    simulate(total);
    for (unsigned int i = 0; i < n; i++)
        expect_part(i, total, 1000 * cpus / n, 5);
}

TEST("three on two CPUs get two thirds each")
{
    with_cpus(2);
    add_many(3, 256);
    simulate(100 * MS);
    restart_clocks();
    simulate(3000 * MS);
    for (unsigned int i = 0; i < 3; i++)
        expect_part(i, 3000 * MS, 667, 2);
}

TEST("a hundred on one CPU get a hundredth each")
{
    expect_equal_parts(1, 100, 200 * MS);
}

TEST("a hundred on two CPUs get a fiftieth each")
{
    expect_equal_parts(2, 100, 200 * MS);
}

TEST("a hundred on four CPUs get a twenty-fifth each")
{
    expect_equal_parts(4, 100, 200 * MS);
}

TEST("a hundred on eight CPUs get their part")
{
    expect_equal_parts(8, 100, 200 * MS);
}

TEST("numbers that do not divide are made up for by moving")
{
    static const unsigned int cpus[] = {2, 3, 4, 4, 8}, n[] = {5, 4, 5, 7, 9};

    for (unsigned int i = 0; i < 5; i++) {
        count = 0;
        memset(domains, 0, sizeof(domains));
        expect_equal_parts(cpus[i], n[i], 1000 * MS);
    }
}

TEST("weights count over several CPUs")
{
    with_cpus(2);
    add(256, 0, 0);
    add(256, 0, 0);
    add(512, 0, 0);
    add(256, 0, 0);
    add(256, 0, 0);
    simulate(200 * MS);
    restart_clocks();
    simulate(6000 * MS);
    expect_part(0, 6000 * MS, 333, 5);
    expect_part(1, 6000 * MS, 333, 5);
    expect_part(2, 6000 * MS, 667, 5);
    expect_part(3, 6000 * MS, 333, 5);
    expect_part(4, 6000 * MS, 333, 5);
}

TEST("one whose weight is more than a CPU gets one, and the others the rest")
{
    with_cpus(2);
    add(10000, 0, 0);
    add_many(3, 256);
    simulate(3600 * 1000 * MS);
    restart_clocks();
    simulate(3000 * MS);
    expect_part(0, 3000 * MS, 1000, 2);
    for (unsigned int i = 1; i < 4; i++)
        expect_part(i, 3000 * MS, 333, 5);
}

TEST("after it is an ordinary one, all are equal at once")
{
    with_cpus(2);
    add(10000, 0, 0);
    add_many(3, 256);
    simulate(3600 * 1000 * MS);
    vcpu_set_weight(&vcpu[0], 256, 1);
    simulate(200 * MS);
    restart_clocks();
    simulate(4000 * MS);
    for (unsigned int i = 0; i < 4; i++)
        expect_part(i, 4000 * MS, 500, 5);
}

TEST("a light one that had a CPU for itself for an hour shares at once")
{
    with_cpus(2);
    add(1, 0, 0);
    add(256, 0, 0);
    simulate(3600 * 1000 * MS);
    add_many(4, 256);
    simulate(500 * MS);
    restart_clocks();
    simulate(5000 * MS);
    for (unsigned int i = 1; i < 6; i++)
        expect_part(i, 5000 * MS, 400, 5);
}

TEST("an idle CPU takes over who waits elsewhere")
{
    with_cpus(4);
    add_many(4, 256);
    simulate(20 * MS);
    restart_clocks();
    simulate(100 * MS);
    for (unsigned int i = 0; i < 4; i++)
        EXPECT_EQ(script[i].ran_ns, 100 * MS);
    EXPECT_EQ(idle_cpus, 0);
}

/* Of two, the one that waits for CPU 0. */
static void hold_the_other(void)
{
    vcpu_hold(per_cpu(current_vcpu, 0) == &vcpu[0] ? &vcpu[1] : &vcpu[0], true);
}

TEST("an idle CPU that nobody comes to after all is idle again")
{
    with_cpus(2);
    add_many(2, 256);
    vcpu_set_affinity(&vcpu[0], 1);
    vcpu_set_affinity(&vcpu[1], 1);
    simulate(2 * MS);
    EXPECT_EQ(idle_cpus, 2);
    vcpu[0].affinity = vcpu[1].affinity = ~0ULL;
    meanwhile = hold_the_other;
    locks_until = 1;
    sched_balance();
    EXPECT_TRUE(!meanwhile);
    EXPECT_TRUE(per_cpu(need_resched, 1) || idle_cpus);
    choose_all();
    EXPECT_EQ(idle_cpus, 2);
}

TEST("no CPU idles while somebody waits, whoever sleeps when")
{
    with_cpus(3);
    for (unsigned int i = 0; i < 9; i++)
        add(256, (1 + i) * MS, (9 - i) * MS);
    simulate(1000 * MS);
    for (unsigned int i = 0; i < 500; i++) {
        unsigned int waiting = 0, idle = 0;

        simulate(7777777);
        choose_all();
        for (unsigned int cpu = 0; cpu < 3; cpu++) {
            waiting += per_cpu(run_queue, cpu).length;
            idle += !per_cpu(current_vcpu, cpu);
        }
        EXPECT_TRUE(!idle || !waiting);
    }
}

TEST("one that is alone on its CPU is not interrupted, nor moved")
{
    with_cpus(4);
    add_many(3, 256);
    simulate(10 * MS);
    switches = steps = 0;
    simulate(1000 * MS);
    EXPECT_EQ(switches, 0);
    EXPECT_EQ(steps, 1);
}

TEST("a sleeper comes back to the CPU it was on, if that is free")
{
    with_cpus(4);
    add(256, 1 * MS, 5 * MS);
    simulate(2 * MS);
    for (int i = 0; i < 20; i++) {
        uint8_t was = vcpu[0].cpu;

        simulate(6 * MS);
        EXPECT_EQ(vcpu[0].cpu, was);
    }
}

/* It may meet one that has come from another CPU because it is behind. */
TEST("a sleeper waits a slice at most beside a hundred busy ones on four CPUs")
{
    with_cpus(4);
    add_many(100, 256);
    add(256, MS / 10, 9 * MS);
    simulate(500 * MS);
    restart_clocks();
    simulate(5000 * MS);
    EXPECT_TRUE(script[100].latency_max <= SCHED_SLICE_NS);
    EXPECT_TRUE(script[100].ran_ns > 5000 * MS / 100);
}

TEST("and not at all on one CPU, if it wants less than its share")
{
    add_many(100, 256);
    add(256, MS / 20, 9 * MS);
    simulate(500 * MS);
    restart_clocks();
    simulate(5000 * MS);
    EXPECT_TRUE(script[100].latency_max <= SCHED_GRANULARITY_NS);
}

TEST("who may run on one CPU only does, and shares it")
{
    with_cpus(2);
    add_many(3, 256);
    vcpu_set_affinity(&vcpu[0], 2);
    vcpu_set_affinity(&vcpu[1], 2);
    choose_all();
    simulate(100 * MS);
    restart_clocks();
    for (int i = 0; i < 100; i++) {
        simulate(20 * MS);
        EXPECT_EQ(vcpu[0].cpu, 1);
        EXPECT_EQ(vcpu[1].cpu, 1);
    }
    expect_part(0, 2000 * MS, 500, 5);
    expect_part(1, 2000 * MS, 500, 5);
    expect_part(2, 2000 * MS, 1000, 1);
}

TEST("one that runs where it no longer may goes on elsewhere at once")
{
    with_cpus(2);
    add(256, 0, 0);
    choose_all();
    for (int i = 0; i < 10; i++) {
        uint8_t was = vcpu[0].cpu;

        vcpu_set_affinity(&vcpu[0], was ? 1 : 2);
        choose_all();
        EXPECT_TRUE(vcpu[0].cpu != was);
        EXPECT_EQ(vcpu[0].state, VCPU_RUNNING);
        simulate(MS);
    }
    EXPECT_EQ(script[0].ran_ns, 10 * MS);
}

TEST("one that sleeps where it no longer may wakes elsewhere")
{
    with_cpus(2);
    add(256, 1 * MS, 1 * MS);
    simulate(1 * MS + MS / 2);
    EXPECT_EQ(vcpu[0].state, VCPU_BLOCKED);
    vcpu_set_affinity(&vcpu[0], vcpu[0].cpu ? 1 : 2);
    simulate(1 * MS);
    EXPECT_EQ(vcpu[0].state, VCPU_RUNNING);
    EXPECT_EQ(1U << vcpu[0].cpu, vcpu[0].affinity);
}

/* --- Of a domain ---------------------------------------------------------- */

static struct control_set_sched keep(void)
{
    return (struct control_set_sched){.weight = CONTROL_SCHED_KEEP,
                                      .cap = CONTROL_SCHED_KEEP,
                                      .reserved = CONTROL_SCHED_KEEP,
                                      .vcpu = CONTROL_SCHED_KEEP};
}

static int set_cap(unsigned int i, uint32_t percent)
{
    struct control_set_sched s = keep();

    s.cap = percent;
    return domain_set_sched(&domains[i], &s);
}

static int set_reserved(unsigned int i, uint32_t percent)
{
    struct control_set_sched s = keep();

    s.reserved = percent;
    return domain_set_sched(&domains[i], &s);
}

TEST("the vCPUs of a domain share its weight")
{
    with_cpus(1);
    domains[0].weight = 256;
    add_to(&domains[0], 0, 0);
    add_to(&domains[0], 0, 0);
    add_to(&domains[0], 0, 0);
    add(256, 0, 0);
    simulate(100 * MS);
    restart_clocks();
    simulate(3000 * MS);
    for (unsigned int i = 0; i < 3; i++)
        expect_part(i, 3000 * MS, 167, 5);
    expect_part(3, 3000 * MS, 500, 5);

    vcpu_down(&vcpu[1]);
    share_divide(&domains[0]);
    simulate(100 * MS);
    restart_clocks();
    simulate(3000 * MS);
    expect_part(0, 3000 * MS, 250, 5);
    expect_part(3, 3000 * MS, 500, 5);
}

TEST("a cap holds though nobody else wants the processor")
{
    static const uint32_t caps[] = {1, 10, 25, 50, 75, 99};

    add(256, 0, 0);
    for (unsigned int i = 0; i < 6; i++) {
        EXPECT_EQ(set_cap(0, caps[i]), 0);
        simulate(100 * MS);
        restart_clocks();
        simulate(2000 * MS);
        expect_part(0, 2000 * MS, caps[i] * 10, 2);
    }
    EXPECT_EQ(set_cap(0, 0), 0);
    simulate(20 * MS);
    steps = 0;
    restart_clocks();
    simulate(1000 * MS);
    EXPECT_EQ(script[0].ran_ns, 1000 * MS);
    EXPECT_EQ(steps, 1); /* and no alarm is left */
}

TEST("what a capped domain leaves is others'")
{
    add(256, 0, 0);
    add(256, 0, 0);
    EXPECT_EQ(set_cap(0, 20), 0);
    simulate(100 * MS);
    restart_clocks();
    simulate(2000 * MS);
    expect_part(0, 2000 * MS, 200, 3);
    expect_part(1, 2000 * MS, 800, 3);
}

TEST("a cap is for all vCPUs of a domain together")
{
    with_cpus(4);
    domains[0].weight = 256;
    for (int i = 0; i < 4; i++)
        add_to(&domains[0], 0, 0);
    EXPECT_EQ(set_cap(0, 150), 0);
    simulate(100 * MS);
    restart_clocks();
    simulate(2000 * MS);
    script[0].ran_ns += script[1].ran_ns + script[2].ran_ns + script[3].ran_ns;
    expect_part(0, 2000 * MS, 1500, 5);
}

TEST("a cap that is set late does not count what ran before")
{
    add(256, 0, 0);
    simulate(3600 * 1000 * MS);
    EXPECT_EQ(set_cap(0, 50), 0);
    restart_clocks();
    simulate(1000 * MS);
    expect_part(0, 1000 * MS, 500, 3);
}

TEST("an idle capped domain needs no alarm")
{
    add(256, 1 * MS, 100000 * MS);
    EXPECT_EQ(set_cap(0, 50), 0);
    simulate(20 * MS);
    EXPECT_EQ(vcpu[0].state, VCPU_BLOCKED);
    EXPECT_FALSE(THE_QUEUE.alarm.armed);
}

static bool is_throttled(const struct vcpu *v)
{
    return v->in_later && !v->in_run;
}

TEST("a throttled vCPU may be held, taken down and freed of its cap")
{
    add(256, 0, 0);
    EXPECT_EQ(set_cap(0, 1), 0);
    simulate(7 * MS);
    EXPECT_TRUE(is_throttled(&vcpu[0]));
    vcpu_hold(&vcpu[0], true);
    EXPECT_FALSE(vcpu[0].in_run || vcpu[0].in_later);
    vcpu_hold(&vcpu[0], false);
    EXPECT_TRUE(is_throttled(&vcpu[0]));
    vcpu_down(&vcpu[0]);
    EXPECT_FALSE(vcpu[0].in_run || vcpu[0].in_later);
    vcpu_up(&vcpu[0]);
    simulate(20 * MS);
}

TEST("a reservation holds against any weight of others")
{
    add(1, 0, 0);
    for (unsigned int i = 0; i < 20; i++)
        add(60000, 0, 0);
    EXPECT_EQ(set_reserved(0, 30), 0);
    simulate(200 * MS);
    restart_clocks();
    simulate(2000 * MS);
    expect_part(0, 2000 * MS, 300, 5);
    for (unsigned int i = 1; i < 21; i++)
        expect_part(i, 2000 * MS, 35, 20);
}

TEST("a reservation helps one that waits since long before")
{
    add(65535, 0, 0);
    add(1, 0, 0);
    simulate(1000 * MS);
    EXPECT_TRUE(vcpu[1].in_run);
    EXPECT_EQ(set_reserved(1, 40), 0);
    simulate(200 * MS);
    restart_clocks();
    simulate(2000 * MS);
    expect_part(1, 2000 * MS, 400, 5);
}

TEST("reservations hold against each other, up to what can be reserved")
{
    for (unsigned int i = 0; i < 12; i++)
        add(1 + 5000 * i, 0, 0);
    EXPECT_EQ(set_reserved(0, 40), 0);
    EXPECT_EQ(set_reserved(1, 30), 0);
    EXPECT_EQ(set_reserved(2, 21), -ENOSPC);
    EXPECT_EQ(set_reserved(2, 20), 0);
    EXPECT_EQ(set_reserved(3, 1), -ENOSPC);
    simulate(200 * MS);
    restart_clocks();
    simulate(4000 * MS);
    EXPECT_TRUE(script[0].ran_ns >= 4000 * MS * 39 / 100);
    EXPECT_TRUE(script[1].ran_ns >= 4000 * MS * 29 / 100);
    EXPECT_TRUE(script[2].ran_ns >= 4000 * MS * 19 / 100);
    EXPECT_TRUE(script[11].ran_ns > 0);

    EXPECT_EQ(set_reserved(0, 10), 0);
    EXPECT_EQ(set_reserved(3, 30), 0);
    EXPECT_EQ(set_reserved(4, 1), -ENOSPC);
}

TEST("one with a reservation that wakes does not wait for the others' slices")
{
    for (unsigned int i = 0; i < 100; i++)
        add(256, 0, 0);
    add(1, 2 * MS, 8 * MS);
    EXPECT_EQ(set_reserved(100, 30), 0);
    simulate(500 * MS);
    restart_clocks();
    simulate(2000 * MS);
    EXPECT_TRUE(script[100].latency_max <=
                SHARE_PATIENCE_NS + SCHED_GRANULARITY_NS);
    expect_part(100, 2000 * MS, 2000 / 11, 3);
}

TEST("after a reservation is gone its weight counts at once")
{
    add_many(4, 256);
    EXPECT_EQ(set_reserved(0, 80), 0);
    simulate(3600 * 1000 * MS);
    EXPECT_EQ(set_reserved(0, 0), 0);
    simulate(500 * MS);
    restart_clocks();
    simulate(4000 * MS);
    for (unsigned int i = 0; i < 4; i++)
        expect_part(i, 4000 * MS, 250, 5);
}

TEST("bounds that make no sense are refused and change nothing")
{
    struct control_set_sched s;

    add(256, 0, 0);
    domains[0].vcpu_count = 1;
#define REFUSED(member, value, error)                                          \
    do {                                                                       \
        s = keep();                                                            \
        s.member = (value);                                                    \
        EXPECT_EQ(domain_set_sched(&domains[0], &s), (error));                 \
    } while (0)
    REFUSED(weight, 0, -EINVAL);
    REFUSED(weight, DOMAIN_WEIGHT_MAX + 1, -EINVAL);
    REFUSED(cap, 100 * CPU_MAX + 1, -EINVAL);
    REFUSED(reserved, 101, -EINVAL);
    REFUSED(reserved, 91, -ENOSPC);
    REFUSED(affinity, 2, -EINVAL); /* There is no such CPU. */
    REFUSED(vcpu, 1, -ENOENT);
    EXPECT_EQ(set_cap(0, 10), 0);
    REFUSED(reserved, 11, -EINVAL);
    EXPECT_EQ(domains[0].weight, 256);
    EXPECT_EQ(vcpu[0].affinity, ~0ULL);
    domains[0].dying = true;
    REFUSED(weight, 1, -ESRCH);
}

/* --- Everything at once --------------------------------------------------- */

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

static void do_something(struct vcpu *v)
{
    cpus_current = draw(cpu_count);
    switch (draw(8)) {
    case 0:
        vcpu_hold(v, true);
        break;
    case 1:
    case 2:
        vcpu_hold(v, false);
        break;
    case 3:
        vcpu_down(v);
        break;
    case 4:
    case 5:
        vcpu_up(v);
        break;
    case 6:
        vcpu_set_affinity(v, 1 + draw((1U << cpu_count) - 1));
        break;
    case 7:
        vcpu_wake(v);
        break;
    }
    cpus_current = 0;
}

static void expect_in_place(const struct vcpu *v)
{
    bool is_current = false;

    for (unsigned int cpu = 0; cpu < cpu_count; cpu++)
        is_current |= per_cpu(current_vcpu, cpu) == v;
    EXPECT_FALSE(v->travels);
    EXPECT_EQ(v->state == VCPU_RUNNING, is_current);
    EXPECT_EQ(v->in_run || v->in_later, v->state == VCPU_RUNNABLE && !v->held);
    if (v->state == VCPU_RUNNING)
        EXPECT_TRUE(!v->held && v->affinity >> v->cpu & 1);
}

TEST("whatever is done to vCPUs on four CPUs, each stays in one place")
{
    with_cpus(4);
    for (unsigned int i = 0; i < 12; i++)
        add(1 + 100 * i, i % 3 ? 3 * MS : 0, i * MS);
    EXPECT_EQ(set_cap(1, 30), 0);
    EXPECT_EQ(set_reserved(2, 30), 0);
    random_state = 4711;
    for (unsigned int n = 0; n < 20000; n++) {
        do_something(&vcpu[draw(count)]);
        if (draw(3))
            continue;
        simulate(1 + draw(2 * MS));
        choose_all();
        for (unsigned int i = 0; i < count; i++)
            expect_in_place(&vcpu[i]);
    }
}
