/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler over simulated time: the real run queue and its slice timer,
 * with vCPUs that run, sleep and wake by a script.
 */

/* LINK: hypervisor/domain/sched.c hypervisor/domain/runstate.c */
/* LINK: hypervisor/lib/heap.c */
/* LINK: tests/unit/doubles/smp.c */

#include "unit/test.h"

#include "core/time.h"
#include "domain/domain.h"
#include "domain/sched.h"
#include "domain/vcpu.h"
#include "memory/frame.h"

#define VCPUS 8U
#define MS    1000000ULL

char unit_test_cpu_area[CPU_AREA_SIZE];
unsigned int percpu_cpu_id;
bool percpu_slow_return;

static uint64_t now;
static int locks;

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

void timer_set(struct timer *t, uint64_t deadline)
{
    t->armed = true;
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
void *mfn_to_virt(mfn_t m)
{
    (void)m;
    abort();
}

mfn_t frame_to_mfn(const struct frame *f)
{
    (void)f;
    abort();
}

void frame_put_last(struct frame *f, uint32_t refs)
{
    (void)f, (void)refs;
    abort();
}

/* --- The simulation ------------------------------------------------------ */

/* What one does: runs for run_ns and sleeps for sleep_ns; 0: runs for ever. */
struct script {
    uint64_t run_ns, sleep_ns;
    uint64_t left_ns, wakes_at;
    uint64_t ran_ns, latency_max, woken_at;
    bool waits_to_run;
};

static struct domain domain;
static struct vcpu vcpu[VCPUS], *pointers[VCPUS];
static struct script script[VCPUS];
static unsigned int count, switches;

static void add(uint32_t weight, uint64_t run_ns, uint64_t sleep_ns)
{
    struct vcpu *v = &vcpu[count];

    memset(v, 0, sizeof(*v));
    v->domain = &domain;
    v->id = count;
    v->state = VCPU_OFFLINE;
    v->runstate = RUNSTATE_offline;
    v->runstate_since = now;
    vcpu_set_weight(v, weight);
    script[count] = (struct script){
        .run_ns = run_ns, .sleep_ns = sleep_ns, .left_ns = run_ns};
    pointers[count] = v;
    domain.vcpu_count = ++count;
    vcpu_up(v);
}

static void choose_if_due(void)
{
    struct vcpu *before = current;

    if (!percpu_need_resched && current)
        return;
    percpu_need_resched = false;
    (void)sched_choose();
    if (!current)
        return;
    switches += current != before;
    if (script[current->id].waits_to_run) {
        struct script *s = &script[current->id];

        s->waits_to_run = false;
        if (now - s->woken_at > s->latency_max)
            s->latency_max = now - s->woken_at;
    }
}

/* When something happens next, if nobody does anything before @until. */
static uint64_t next_event(uint64_t until)
{
    uint64_t at = until;

    if (percpu_run_queue.slice.armed && percpu_run_queue.slice.node.key < at)
        at = percpu_run_queue.slice.node.key;
    if (current && script[current->id].run_ns &&
        now + script[current->id].left_ns < at)
        at = now + script[current->id].left_ns;
    for (unsigned int i = 0; i < count; i++)
        if (vcpu[i].state == VCPU_BLOCKED && script[i].wakes_at &&
            script[i].wakes_at < at)
            at = script[i].wakes_at;
    return at > now ? at : now;
}

static void advance(uint64_t to)
{
    struct script *s = current ? &script[current->id] : NULL;

    if (s) {
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
    vcpu_wake(&vcpu[i]);
}

static void happen(void)
{
    struct timer *slice = &percpu_run_queue.slice;
    struct script *s = current ? &script[current->id] : NULL;

    if (slice->armed && slice->node.key <= now) {
        slice->armed = false;
        slice->expired(slice);
    }
    for (unsigned int i = 0; i < count; i++)
        if (vcpu[i].state == VCPU_BLOCKED && script[i].wakes_at &&
            script[i].wakes_at <= now)
            wake(i);
    if (s && s->run_ns && s->left_ns == 0 && current->state == VCPU_RUNNING) {
        s->left_ns = s->run_ns;
        s->wakes_at = now + s->sleep_ns;
        vcpu_block(current);
    }
}

static void simulate(uint64_t ns)
{
    uint64_t until = now + ns;

    while (now < until) {
        choose_if_due();
        advance(next_event(until));
        happen();
    }
}

void setup(void)
{
    memset(&percpu_run_queue, 0, sizeof(percpu_run_queue));
    memset(&domain, 0, sizeof(domain));
    domain.vcpu = pointers;
    percpu_current_vcpu = NULL;
    percpu_need_resched = false;
    now = 1000 * MS;
    count = switches = 0;
    sched_init();
}

void teardown(void)
{
    EXPECT_EQ(locks, 0);
}

static void expect_share(unsigned int i, uint64_t total, uint64_t percent)
{
    uint64_t want = total * percent / 100, got = script[i].ran_ns;
    uint64_t off = got > want ? got - want : want - got;

    if (off * 20 > want)
        printf("vcpu %u ran %lu of %lu ns\n", i, got, total);
    EXPECT_TRUE(off * 20 <= want); /* within 5 % */
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
    EXPECT_FALSE(percpu_run_queue.slice.armed);
    EXPECT_EQ(switches, 1);
    EXPECT_EQ(script[0].ran_ns, 1000 * MS);
}

TEST("the slice timer stops when nobody waits any more")
{
    add(256, 0, 0);
    add(256, 1 * MS, 1000 * MS);
    simulate(8 * MS); /* Its turn was at 5 ms, to last until 10 ms. */
    EXPECT_EQ(vcpu[1].state, VCPU_BLOCKED);
    EXPECT_FALSE(percpu_run_queue.slice.armed);
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
    for (unsigned int i = 0; i < VCPUS; i++)
        add(256, 7 * MS + i * 1000, 3 * MS);
    simulate(5000 * MS);
    for (unsigned int i = 0; i < VCPUS; i++)
        EXPECT_TRUE(script[i].latency_max <=
                    (VCPUS - 1) * (SCHED_SLICE_NS + SCHED_CREDIT_NS));
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
    EXPECT_FALSE(percpu_need_resched);

    add(256, 0, 0); /* It is far behind, and yields all the same. */
    simulate(MS / 10);
    for (int i = 0; i < 10; i++) {
        struct vcpu *before = current;

        vcpu_yield(before);
        EXPECT_TRUE(percpu_need_resched);
        choose_if_due();
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
    choose_if_due();
    EXPECT_PTR(current, &vcpu[0]);
    EXPECT_EQ(vcpu[0].state, VCPU_RUNNING);
    EXPECT_EQ(percpu_run_queue.length, 0);
}

TEST("nobody to run means nobody is current")
{
    add(256, 0, 0);
    simulate(1 * MS);
    vcpu_block(&vcpu[0]);
    choose_if_due();
    EXPECT_PTR(current, NULL);
    EXPECT_FALSE(percpu_run_queue.slice.armed);
}

TEST("a held vCPU leaves the processor and the queue, and comes back")
{
    add(256, 0, 0);
    add(256, 0, 0);
    simulate(20 * MS);
    domain_hold_vcpus(&domain);
    choose_if_due();
    EXPECT_PTR(current, NULL);
    EXPECT_EQ(percpu_run_queue.length, 0);
    EXPECT_EQ(vcpu[0].state, VCPU_RUNNABLE);

    domain_release_vcpus(&domain);
    domain_release_vcpus(&domain); /* Twice queues nobody twice. */
    EXPECT_EQ(percpu_run_queue.length, 2);
    simulate(20 * MS);
    EXPECT_TRUE(current != NULL);
}

TEST("one that wakes while it is held runs only when it is released")
{
    add(256, 1 * MS, 1000 * MS);
    simulate(2 * MS);
    EXPECT_EQ(vcpu[0].state, VCPU_BLOCKED);
    domain_hold_vcpus(&domain);
    vcpu_wake(&vcpu[0]);
    EXPECT_EQ(vcpu[0].state, VCPU_RUNNABLE);
    EXPECT_EQ(percpu_run_queue.length, 0);
    domain_release_vcpus(&domain);
    EXPECT_EQ(percpu_run_queue.length, 1);
}

TEST("one that blocks while it is held is blocked when it is released")
{
    add(256, 0, 0);
    simulate(1 * MS);
    vcpu_block(&vcpu[0]);
    domain_hold_vcpus(&domain);
    domain_release_vcpus(&domain);
    EXPECT_EQ(vcpu[0].state, VCPU_BLOCKED);
    EXPECT_EQ(percpu_run_queue.length, 0);
}

TEST("down takes a vCPU away from wherever it is")
{
    add(256, 0, 0);
    add(256, 0, 0);
    simulate(1 * MS);
    vcpu_down(&vcpu[0]);
    vcpu_down(&vcpu[1]);
    choose_if_due();
    EXPECT_PTR(current, NULL);
    vcpu_wake(&vcpu[0]);
    EXPECT_EQ(vcpu[0].state, VCPU_OFFLINE);
    vcpu_up(&vcpu[0]);
    choose_if_due();
    EXPECT_PTR(current, &vcpu[0]);
}

TEST("a change of weight counts from then on")
{
    add(256, 0, 0);
    add(256, 0, 0);
    simulate(1000 * MS);
    vcpu_set_weight(&vcpu[1], 768);
    script[0].ran_ns = script[1].ran_ns = 0;
    simulate(4000 * MS);
    expect_share(0, 4000 * MS, 25);
    expect_share(1, 4000 * MS, 75);
}

TEST("a change of weight does not count for what ran before")
{
    add(256, 0, 0);
    choose_if_due();
    now += 100 * MS;
    vcpu_set_weight(&vcpu[0], 1);
    EXPECT_EQ(vcpu[0].vtime, 100 * MS);
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
