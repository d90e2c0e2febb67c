/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains from creation to end, on the real memory, event and grant rooms:
 * what a domain took comes back, also when its creation fails half way.
 */

/* LINK: hypervisor/domain/domain.c hypervisor/domain/table.c */
/* LINK: hypervisor/domain/life.c hypervisor/domain/vcpu.c */
/* LINK: hypervisor/domain/memory.c tests/unit/doubles/no_pv.c */
/* LINK: hypervisor/domain/runstate.c */
/* LINK: hypervisor/domain/sched.c */
/* LINK: hypervisor/domain/balance.c hypervisor/domain/share.c */
/* LINK: hypervisor/event/table.c hypervisor/event/bind.c */
/* LINK: hypervisor/event/close.c hypervisor/event/send.c */
/* LINK: hypervisor/event/virq.c */
/* LINK: hypervisor/event/fifo.c hypervisor/event/fifo_pages.c */
/* LINK: hypervisor/grant/active.c */
/* LINK: hypervisor/grant/map.c hypervisor/grant/maptrack.c */
/* LINK: hypervisor/grant/table.c hypervisor/lib/heap.c */
/* LINK: hypervisor/memory/light.c */
/* LINK: hypervisor/memory/light_pages.c hypervisor/memory/light_window.c */
/* LINK: hypervisor/memory/space.c */
/* LINK: hypervisor/memory/tlb_batch.c hypervisor/memory/pool.c */
/* LINK: hypervisor/memory/frame.c hypervisor/memory/buddy.c */
/* LINK: tests/unit/doubles/machine.c */
/* LINK: tests/unit/doubles/smp.c */

#include "unit/test.h"

#include <abi/cpuid.h>

#include <setjmp.h>

#include "core/panic.h"
#include "core/time.h"
#include "domain/domain.h"
#include "domain/vcpu.h"
#include "domain/memory.h"
#include "domain/sched.h"
#include "domain/upcalls.h"
#include "doubles/machine.h"
#include "event/evtchn.h"
#include "event/upcalls.h"
#include "memory/frame.h"
#include "memory/light.h"

#define FRAMES 4096U

struct tsc_scale tsc_scale = {.mul = 0x80000000, .shift = 1};
uint32_t tsc_khz = 1000000;
uint64_t tsc_at_boot = 42, wallclock_at_boot = 0x123456789;

bool percpu_slow_return;
const uint8_t *percpu_upcall_bytes;
const uint8_t upcall_due[2];

static unsigned int quiesced, released;
static bool release_takes_time;

/* --- Doubles ---------------------------------------------------------------
 */

uint64_t time_now(void)
{
    static uint64_t now;

    return ++now;
}

/* Each vCPU has two: after so many of them all memory is gone; 0: never. */
static unsigned int exhaust_after;
static void exhaust(void);

void timer_init(struct timer *t, void (*expired)(struct timer *t))
{
    *t = (struct timer){.expired = expired};
    if (exhaust_after && --exhaust_after == 0)
        exhaust();
}

void timer_set(struct timer *t, uint64_t deadline)
{
    t->node.key = deadline;
    t->armed = true;
}

void timer_cancel(struct timer *t)
{
    t->armed = false;
}

void timer_cancel_wait(struct timer *t)
{
    t->armed = false;
}

void context_forget(struct vcpu *v)
{
    (void)v;
}

void context_drop(void)
{
}

void fault_stop_waiting(struct vcpu *v)
{
    list_del(&v->memory_waiter);
}

void fault_repeat_call(gfn_t g)
{
    (void)g;
}

void upcall_devices_quiesce(struct domain *d)
{
    (void)d;
    quiesced++;
}

bool upcall_devices_release(struct domain *d)
{
    (void)d;
    released++;
    return !release_takes_time || released > 3;
}

void upcall_pirq_closed(struct domain *d, uint32_t pirq, uint32_t port)
{
    (void)d, (void)pirq, (void)port;
}

/* The end of the machine: back into the test. */
static jmp_buf machine_end;
static bool went_off;

void machine_power_off(void)
{
    went_off = true;
    longjmp(machine_end, 1);
}

void machine_reset(void)
{
    went_off = false;
    longjmp(machine_end, 1);
}

/* --- The world -------------------------------------------------------------
 */

static struct frame_totals before;
static struct domain *control; /* the initial domain */
static evtchn_port_t exception_port;

static struct domain_config small(void)
{
    return (struct domain_config){
        .domid = DOMID_INVALID,
        .create =
            {
                .class = CAIRN_CLASS_LIGHT,
                .vcpu_count = 2,
                .virt_base = 0,
                .reserved_pages = 16,
                .max_pages = 64,
                .max_ports = 100,
                .grant_frames = 4,
                .maptrack_max = 32,
                .grant_window = 64,
                .weight = 256,
                .uuid = {1, 2, 3},
            },
    };
}

static struct domain *make(void)
{
    struct domain_config config = small();
    struct domain *d = NULL;

    REQUIRE(domain_create(&config, &d) == 0);
    return d;
}

static void destroy(struct domain *d)
{
    int quanta = 0;

    while (domain_destroy(d) == -EAGAIN)
        REQUIRE(quanta++ < 1000);
    domain_put(d);
}

/* As the initial domain's own vCPU sees it. */
static bool told_of_change(void)
{
    uint64_t *pending = control->shared_info->evtchn_pending;
    bool told = pending[0] >> exception_port & 1;

    pending[0] = 0;
    control->vcpu[0]->info->evtchn_pending_sel = 0;
    control->vcpu[0]->info->evtchn_upcall_pending = 0;
    return told;
}

static void make_control(void)
{
    struct domain_config config = small();

    config.domid = 0;
    config.create.rights = DOMAIN_RIGHT_CONTROL | DOMAIN_RIGHT_POWER;
    REQUIRE(domain_create(&config, &control) == 0);
    initial_domain = control;
    REQUIRE(evtchn_bind(control, EVTCHN_VIRQ, VIRQ_DOM_EXC, 0,
                        &exception_port) == 0);
}

void setup(void)
{
    static bool made;

    if (!made) {
        machine_make(FRAMES);
        frames_add(mfn(MACHINE_FIRST), FRAMES);
        sched_init();
        make_control();
        made = true;
    }
    quiesced = released = 0;
    release_takes_time = false;
    percpu_current_vcpu = NULL;
    (void)told_of_change();
    before = frame_totals();
}

static void expect_all_back(void)
{
    struct frame_totals now;

    now = frame_totals();
    EXPECT_EQ(now.free, before.free);
    EXPECT_EQ(now.unreserved, before.unreserved);
}

void teardown(void)
{
    EXPECT_EQ(machine_locks_held(), 0);
    EXPECT_EQ(domain_count(), 1);
    expect_all_back();
}

TEST("a domain that was made and destroyed leaves no frame behind")
{
    struct domain *d = make();

    EXPECT_EQ(domain_count(), 2);
    destroy(d);
}

TEST("what a domain populated comes back, and its promise")
{
    struct domain *d = make();
    struct frame *f;

    for (uint64_t g = 1; g < 20; g++) {
        REQUIRE(light_get_frame(d->space, gfn(g), LIGHT_WRITE, false, &f) == 0);
        frame_put(f);
    }
    destroy(d);
}

/* Frames taken away, so that so many are left. */
static struct frame *taken[FRAMES];
static unsigned int taken_count;

static void leave_frames(unsigned int left)
{
    struct frame_totals t;
    struct frame *f;

    taken_count = 0;
    for (;;) {
        t = frame_totals();
        if (t.free <= left)
            return;
        f = frame_alloc(DOMID_XEN, FRAME_METADATA);
        if (!f)
            return;
        taken[taken_count++] = f;
    }
}

static void give_back(void)
{
    while (taken_count)
        frame_put(taken[--taken_count]);
}

/* Small objects taken away, so that no frame has room for one more. */
#define SIZES   7U
#define OBJECTS 512U
static void *objects[SIZES][OBJECTS];
static unsigned int object_count[SIZES];

static void exhaust(void)
{
    leave_frames(0);
    for (unsigned int i = 0; i < SIZES; i++) {
        void *object;

        object_count[i] = 0;
        while ((object = pool_alloc(32UL << i)) != NULL)
            objects[i][object_count[i]++] = object;
    }
}

static void recover(void)
{
    give_back();
    for (unsigned int i = 0; i < SIZES; i++)
        while (object_count[i])
            pool_free(objects[i][--object_count[i]], 32UL << i);
}

TEST("a creation whose later parts find no memory undoes the earlier ones")
{
    struct domain_config config = small();

    for (unsigned int vcpus = 1; vcpus <= 4; vcpus++) {
        for (unsigned int after = 1; after <= 2 * vcpus; after++) {
            struct domain *d;

            config.create.vcpu_count = vcpus;
            exhaust_after = after;
            EXPECT_EQ(domain_create(&config, &d), -ENOMEM);
            exhaust_after = 0;
            recover();
            EXPECT_EQ(domain_count(), 1);
            expect_all_back();
        }
    }
}

TEST("a creation that runs out of memory at any point undoes all it did")
{
    struct domain_config config = small();
    unsigned int failures = 0;

    for (unsigned int left = 0; left < 160; left++) {
        struct domain *d = NULL;
        struct frame_totals t;
        int rc;

        leave_frames(left);
        t = frame_totals();
        rc = domain_create(&config, &d);
        if (rc == 0) {
            destroy(d);
        } else {
            struct frame_totals now;

            failures++;
            EXPECT_EQ(rc, -ENOMEM);
            now = frame_totals();
            EXPECT_EQ(now.unreserved, t.unreserved);
            EXPECT_EQ(domain_count(), 1);
        }
        give_back();
    }
    EXPECT_TRUE(failures > 5);
    EXPECT_TRUE(failures < 160);
}

TEST("each bad number in a configuration is refused, and nothing is left")
{
    struct domain_config bad[16];
    unsigned int n = 0;
    struct domain *d;

    for (unsigned int i = 0; i < 16; i++)
        bad[i] = small();
    bad[n++].create.class = CAIRN_CLASS_PV;
    bad[n++].create.vcpu_count = 0;
    bad[n++].create.vcpu_count = DOMAIN_VCPUS_MAX + 1;
    bad[n++].create.virt_base = 0x800;
    bad[n++].create.virt_base = 0xffff800000000000;
    bad[n++].create.max_pages = 0;
    bad[n++].create.max_pages = 1ULL << 60;
    bad[n++].create.reserved_pages = 65;
    bad[n++].create.max_ports = 0;
    bad[n++].create.max_ports = EVTCHN_FIFO_PORTS;
    bad[n++].create.grant_frames = 0;
    bad[n++].create.grant_frames = LIGHT_GRANT_FRAMES_MAX + 1;
    bad[n++].create.weight = 0;
    bad[n++].create.weight = DOMAIN_WEIGHT_MAX + 1;
    bad[n++].domid = DOMAIN_MAX;
    for (unsigned int i = 0; i < n; i++)
        EXPECT_TRUE(domain_create(&bad[i], &d) < 0);
    bad[0] = small();
    bad[0].domid = 0;
    EXPECT_EQ(domain_create(&bad[0], &d), -EEXIST);
}

TEST("a new domain has its upcalls masked, a time, and a wall clock")
{
    struct domain *d = make();
    const struct vcpu_time_info *t = &d->shared_info->vcpu_info[1].time;

    for (int i = 0; i < LEGACY_MAX_VCPUS; i++)
        EXPECT_EQ(d->shared_info->vcpu_info[i].evtchn_upcall_mask, 1);
    EXPECT_EQ(t->version, 2);
    EXPECT_EQ(t->tsc_timestamp, 42);
    EXPECT_EQ(t->system_time, 0);
    EXPECT_EQ(t->tsc_to_system_mul, 0x80000000);
    EXPECT_EQ(t->tsc_shift, 1);
    EXPECT_EQ(d->shared_info->wc_version, 2);
    EXPECT_EQ(d->shared_info->wc_sec, 0x23456789);
    EXPECT_EQ(d->shared_info->wc_sec_hi, 1);
    destroy(d);
}

static int set_start(struct domain *d, uint32_t vcpu, uint64_t rip,
                     uint64_t rsp, uint64_t rsi)
{
    struct control_set_start start = {
        .vcpu = vcpu, .rip = rip, .rsp = rsp, .rsi = rsi};

    return domain_set_start(d, &start);
}

TEST("a vCPU begins with the registers of the ABI")
{
    struct domain *d = make();
    const struct cpu_regs *r = &d->vcpu[0]->regs;

    REQUIRE(set_start(d, 0, 0x1000, 0x2000, 0x3000) == 0);
    EXPECT_EQ(r->rip, 0x1000);
    EXPECT_EQ(r->rsp, 0x2000);
    EXPECT_EQ(r->rsi, 0x3000);
    EXPECT_EQ(r->rflags, 0x202);
    EXPECT_EQ(r->cs, 0xe033);
    EXPECT_EQ(r->ss, 0xe02b);
    EXPECT_EQ(r->rax | r->rbx | r->rcx | r->rdx | r->rdi | r->rbp, 0);
    EXPECT_EQ(d->vcpu[0]->fpu[0] | d->vcpu[0]->fpu[1] << 8, 0x37f);
    EXPECT_EQ(d->vcpu[0]->fpu[24] | d->vcpu[0]->fpu[25] << 8, 0x1f80);
    destroy(d);
}

TEST("a domain starts once it has registers and its last pause is undone")
{
    struct domain *d = make();

    EXPECT_EQ(domain_unpause(d), -EINVAL);
    EXPECT_EQ(set_start(d, 2, 1, 2, 3), -ENOENT);
    REQUIRE(set_start(d, 0, 1, 2, 3) == 0);
    EXPECT_EQ(domain_pause(d), 0);
    EXPECT_EQ(domain_unpause(d), 0);
    EXPECT_EQ(d->vcpu[0]->state, VCPU_OFFLINE);
    EXPECT_EQ(domain_unpause(d), 0);
    EXPECT_EQ(d->vcpu[0]->state, VCPU_RUNNABLE);
    EXPECT_TRUE(d->vcpu[0]->in_run);
    EXPECT_EQ(d->vcpu[1]->state, VCPU_OFFLINE);
    EXPECT_EQ(domain_unpause(d), -EINVAL);
    EXPECT_EQ(set_start(d, 0, 1, 2, 3), -EBUSY);
    destroy(d);
}

static struct domain *running(void)
{
    struct domain *d = make();

    REQUIRE(set_start(d, 0, 1, 2, 3) == 0);
    REQUIRE(domain_unpause(d) == 0);
    return d;
}

TEST("a paused domain is off the queue until each pause is undone")
{
    struct domain *d = running();

    EXPECT_EQ(domain_pause(d), 0);
    EXPECT_EQ(domain_pause(d), 0);
    EXPECT_FALSE(d->vcpu[0]->in_run);
    EXPECT_EQ(domain_unpause(d), 0);
    EXPECT_FALSE(d->vcpu[0]->in_run);
    EXPECT_EQ(domain_unpause(d), 0);
    EXPECT_TRUE(d->vcpu[0]->in_run);
    destroy(d);
}

TEST("a shutdown stops the domain, tells the control domain once, and stays")
{
    struct domain *d = running();

    EXPECT_EQ(domain_shutdown(d, SHUTDOWN_soft_reset + 1), -EINVAL);
    EXPECT_FALSE(told_of_change());
    EXPECT_TRUE(d->vcpu[0]->in_run);
    EXPECT_EQ(domain_shutdown(d, SHUTDOWN_reboot), 0);
    EXPECT_TRUE(told_of_change());
    EXPECT_FALSE(d->vcpu[0]->in_run);
    EXPECT_EQ(d->shutdown_reason, SHUTDOWN_reboot);
    EXPECT_EQ(domain_shutdown(d, SHUTDOWN_poweroff), 0);
    EXPECT_FALSE(told_of_change());
    EXPECT_EQ(d->shutdown_reason, SHUTDOWN_reboot);

    EXPECT_EQ(domain_pause(d), 0);
    EXPECT_EQ(domain_unpause(d), 0);
    EXPECT_FALSE(d->vcpu[0]->in_run);
    destroy(d);
}

TEST("one that suspended itself goes on with 1 in rax, each time, and no other")
{
    struct domain *d = running();

    EXPECT_EQ(domain_resume(d), -EINVAL);
    for (int round = 0; round < 2; round++) {
        d->vcpu[0]->regs.rax = 0;
        EXPECT_EQ(domain_shutdown(d, SHUTDOWN_suspend), 0);
        EXPECT_TRUE(told_of_change());
        EXPECT_FALSE(d->vcpu[0]->in_run);
        /* A pause that came meanwhile holds. */
        EXPECT_EQ(domain_pause(d), 0);
        EXPECT_EQ(domain_resume(d), 0);
        EXPECT_EQ(d->vcpu[0]->regs.rax, 1);
        EXPECT_FALSE(d->vcpu[0]->in_run);
        EXPECT_EQ(domain_unpause(d), 0);
        EXPECT_TRUE(d->vcpu[0]->in_run);
        EXPECT_EQ(domain_resume(d), -EINVAL);
    }
    EXPECT_EQ(domain_shutdown(d, SHUTDOWN_crash), 0);
    EXPECT_EQ(domain_resume(d), -EINVAL);
    EXPECT_FALSE(d->vcpu[0]->in_run);
    destroy(d);
}

TEST("a shutdown code given early is the reason of the end")
{
    struct domain *d = running();

    EXPECT_EQ(domain_set_shutdown_code(d, SHUTDOWN_soft_reset + 1), -EINVAL);
    EXPECT_EQ(domain_set_shutdown_code(d, SHUTDOWN_watchdog), 0);
    EXPECT_EQ(domain_set_shutdown_code(d, SHUTDOWN_reboot), 0);
    EXPECT_EQ(domain_shutdown(d, SHUTDOWN_poweroff), 0);
    EXPECT_EQ(d->shutdown_reason, SHUTDOWN_watchdog);
    destroy(d);
}

TEST("who is resumed has no shutdown code any more")
{
    struct domain *d = running();

    EXPECT_EQ(domain_set_shutdown_code(d, SHUTDOWN_suspend), 0);
    EXPECT_EQ(domain_shutdown(d, SHUTDOWN_poweroff), 0);
    EXPECT_EQ(d->shutdown_reason, SHUTDOWN_suspend);
    EXPECT_EQ(domain_resume(d), 0);
    EXPECT_EQ(domain_shutdown(d, SHUTDOWN_reboot), 0);
    EXPECT_EQ(d->shutdown_reason, SHUTDOWN_reboot);
    destroy(d);
}

TEST("one whose last vCPU went down to suspend it has one up when it goes on")
{
    struct domain *d = running();

    EXPECT_EQ(domain_set_shutdown_code(d, SHUTDOWN_suspend), 0);
    domain_vcpu_down(d->vcpu[0]);
    EXPECT_EQ(d->shutdown_reason, SHUTDOWN_suspend);
    EXPECT_EQ(d->vcpu[0]->state, VCPU_OFFLINE);
    EXPECT_EQ(domain_resume(d), 0);
    EXPECT_TRUE(d->vcpu[0]->in_run);
    EXPECT_EQ(d->vcpu[0]->regs.rax, 1);
    destroy(d);
}

TEST("a crash keeps its first reason and stops the domain's devices")
{
    struct domain *d = running();

    domain_crash(d, "number %d", 17);
    domain_crash(d, "later");
    EXPECT_STR(d->crash_reason, "number 17");
    EXPECT_EQ(d->shutdown_reason, SHUTDOWN_crash);
    EXPECT_TRUE(d->is_shutdown);
    EXPECT_TRUE(quiesced > 0);
    EXPECT_TRUE(told_of_change());
    destroy(d);
}

TEST("the end of a domain with the power right is the machine's")
{
    if (setjmp(machine_end) == 0)
        EXPECT_EQ(domain_shutdown(control, SHUTDOWN_poweroff), 0);
    EXPECT_TRUE(went_off);
    control->is_shutdown = false;
    if (setjmp(machine_end) == 0)
        EXPECT_EQ(domain_shutdown(control, SHUTDOWN_crash), 0);
    EXPECT_FALSE(went_off);
    control->is_shutdown = false;
}

TEST("a dying domain is not found by its name, but by whoever walks the list")
{
    struct domain *d = running(), *found;

    EXPECT_EQ(domain_destroy(d), -EAGAIN);
    EXPECT_PTR(domain_get(d->domid), NULL);
    found = domain_get_next(d->domid);
    EXPECT_PTR(found, d);
    domain_put(found);
    EXPECT_EQ(d->vcpu[0]->state, VCPU_OFFLINE);
    (void)told_of_change();
    destroy(d);
    EXPECT_TRUE(told_of_change());
}

TEST("devices are let go before memory, however long that takes")
{
    struct domain *d = running();
    uint64_t used;

    release_takes_time = true;
    for (int i = 0; i < 3; i++) {
        used = d->space->table_pages;
        EXPECT_EQ(domain_destroy(d), -EAGAIN);
        EXPECT_EQ(d->space->table_pages, used);
    }
    EXPECT_EQ(released, 3);
    destroy(d);
}

TEST("neither the initial domain nor the caller's own can be destroyed")
{
    struct domain *d = running();

    EXPECT_EQ(domain_destroy(control), -EINVAL);
    percpu_current_vcpu = d->vcpu[0];
    EXPECT_EQ(domain_destroy(d), -EINVAL);
    percpu_current_vcpu = NULL;
    destroy(d);
}

TEST("a reference keeps the record of a destroyed domain, not its memory")
{
    struct domain *d = running();

    domain_hold(d);
    destroy(d);
    EXPECT_EQ(domain_count(), 1);
    EXPECT_EQ(d->end, DOMAIN_END_STEPS);
    EXPECT_EQ(domain_destroy(d), 0);
    domain_put(d);
}

static void *address_in(const struct frame *f, uint32_t offset)
{
    return (char *)mfn_to_virt(frame_to_mfn(f)) + offset;
}

TEST("a registered vcpu_info holds its page until the end")
{
    struct domain *d = running();
    struct vcpu *v = d->vcpu[1];
    struct frame *f;

    REQUIRE(memory_get(d, 5, true, &f) == 0);
    v->info->evtchn_pending_sel = 6;
    EXPECT_EQ(vcpu_move_info(v, address_in(f, 128)), 0);
    EXPECT_PTR(v->info, address_in(f, 128));
    EXPECT_EQ(v->info->evtchn_pending_sel, ~0LL);
    EXPECT_EQ(v->info->evtchn_upcall_pending, 1);
    EXPECT_EQ(v->info->time.system_time, 0);
    EXPECT_EQ(v->info->time.tsc_to_system_mul, 0x80000000);
    EXPECT_EQ(vcpu_move_info(v, address_in(f, 0)), -EINVAL);
    destroy(d);
}

/* Its page would be pinned for each, and let go for none. */
TEST("a vcpu_info does not move to where it is, however often that is asked")
{
    struct domain *d = running();
    struct vcpu *v = d->vcpu[1];
    struct vcpu_info *info = v->info;

    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(vcpu_move_info(v, info), -EINVAL);
        EXPECT_EQ(info->evtchn_pending_sel, 0);
    }
    EXPECT_PTR(v->info, info);
    destroy(d);
}

/* They read where it is, and write there later; no lock of its domain is held.
 */
TEST("a vcpu_info stays where it is as long as others can send events")
{
    struct domain *d = running();
    struct vcpu *v = d->vcpu[1];
    struct vcpu_info *info;
    struct frame *f;

    REQUIRE(memory_get(d, 5, true, &f) == 0);
    REQUIRE(vcpu_move_info(v, address_in(f, 128)) == 0);
    info = v->info;
    domain_hold(d);
    release_takes_time = true; /* so events are not at their end yet, either */
    EXPECT_EQ(domain_destroy(d), -EAGAIN);
    EXPECT_PTR(v->info, info);
    EXPECT_EQ(f->refs, 2);
    destroy(d);
    EXPECT_EQ(f->refs, 0);
    domain_put(d);
}

TEST("a runstate area is kept up to date, and let go when another is given")
{
    struct domain *d = running();
    struct vcpu *v = d->vcpu[0];
    struct vcpu_runstate_info *area;
    struct frame *f;

    REQUIRE(memory_get(d, 5, true, &f) == 0);
    area = address_in(f, 64);
    vcpu_set_runstate_area(v, area, NULL);
    EXPECT_EQ(area->state, RUNSTATE_runnable);
    EXPECT_EQ(domain_pause(d), 0);
    EXPECT_EQ(area->state, RUNSTATE_offline);
    EXPECT_TRUE(area->time[RUNSTATE_runnable] > 0);
    vcpu_set_runstate_area(v, NULL, NULL);
    EXPECT_EQ(f->refs, 1);
    destroy(d);
}

TEST("a timer set far beyond sense fires soon, 0 stops it")
{
    struct domain *d = running();
    struct vcpu *v = d->vcpu[0];

    vcpu_set_timer(v, 5000);
    EXPECT_EQ(v->timer.node.key, 5000);
    vcpu_set_timer(v, 0);
    EXPECT_FALSE(v->timer.armed);
    vcpu_set_timer(v, ~0ULL);
    EXPECT_TRUE(v->timer.node.key < 1000000000);
    EXPECT_TRUE(v->timer.armed);
    destroy(d);
}
