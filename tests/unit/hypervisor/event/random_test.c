/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations of three domains on their ports, against a model that is
 * nothing but a table of what each port should be.
 */

/* LINK: hypervisor/event/table.c hypervisor/event/bind.c */
/* LINK: hypervisor/event/close.c hypervisor/event/send.c */
/* LINK: hypervisor/event/virq.c */
/* LINK: hypervisor/event/poll.c hypervisor/event/status.c */
/* LINK: hypervisor/event/fifo.c hypervisor/event/fifo_pages.c */
/* LINK: tests/unit/hypervisor/event/world.c */

#include "unit/test.h"

#include "doubles/check.h"
#include "event/table.h"
#include "hypervisor/event/world.h"

CHECK_MAIN

#define STEPS 60000

/* Few ports are used, so that operations meet. */
#define PORTS 80U

struct model_port {
    enum evtchn_state state;
    bool pending;
    domid_t peer; /* of UNBOUND and INTERDOMAIN */
    evtchn_port_t peer_port;
    uint32_t virq, vcpu;
};

static struct model_port model[WORLD_DOMAINS][WORLD_MAX_PORT + 1];

/* Domains that use FIFO, and ports that their guest has masked. */
static bool is_fifo[WORLD_DOMAINS];
static bool masked[WORLD_DOMAINS][WORLD_MAX_PORT + 1];
static uint64_t seed;
static int step_number;
static bool differs;

/* Quick where it is equal, which is nearly always. */
static void same(int64_t got, int64_t want, const char *what)
{
    if (got == want || differs)
        return;
    differs = true;
    printf("step %d: ", step_number);
    test_equal(got, want, what, __FILE__, __LINE__);
}
#define SAME(got, want) same((int64_t)(got), (int64_t)(want), #got)

static uint32_t roll(uint32_t sides)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % sides;
}

/* One that is linked still is not given before others. */
static evtchn_port_t lowest_free(domid_t d)
{
    for (evtchn_port_t p = 1; p <= WORLD_MAX_PORT; p++)
        if (model[d][p].state == EVTCHN_FREE &&
            !(is_fifo[d] && *world_word(d, p) & EVTCHN_WORD_LINKED))
            return p;
    return 0;
}

static void set(domid_t d, evtchn_port_t port, struct model_port value)
{
    value.pending |= model[d][port].pending;
    model[d][port] = value;
}

static void alloc(domid_t d)
{
    evtchn_port_t want = lowest_free(d), port = 0;
    domid_t peer = (domid_t)roll(WORLD_DOMAINS);

    SAME(evtchn_bind(&world[d], EVTCHN_UNBOUND, peer, 0, &port), 0);
    SAME(port, want);
    set(d, want, (struct model_port){.state = EVTCHN_UNBOUND, .peer = peer});
}

static void bind(domid_t d)
{
    domid_t remote = (domid_t)roll(WORLD_DOMAINS);
    evtchn_port_t far = roll(PORTS), want = lowest_free(d), port = 0;
    const struct model_port *m = &model[remote][far];
    bool ok = m->state == EVTCHN_UNBOUND && m->peer == d;

    SAME(evtchn_bind_interdomain(&world[d], &world[remote], far, &port),
         ok ? 0 : -EINVAL);
    if (!ok)
        return;
    SAME(port, want);
    set(d, want,
        (struct model_port){.state = EVTCHN_INTERDOMAIN,
                            .peer = remote,
                            .peer_port = far,
                            .pending = true});
    set(remote, far,
        (struct model_port){.state = EVTCHN_INTERDOMAIN,
                            .peer = d,
                            .peer_port = want,
                            .vcpu = model[remote][far].vcpu});
}

static bool virq_is_bound(domid_t d, uint32_t virq, uint32_t vcpu)
{
    for (evtchn_port_t p = 1; p <= WORLD_MAX_PORT; p++)
        if (model[d][p].state == EVTCHN_VIRQ && model[d][p].virq == virq &&
            (model[d][p].vcpu == vcpu || !virq_is_per_vcpu(virq)))
            return true;
    return false;
}

static void bind_virq(domid_t d)
{
    uint32_t virq = roll(4), vcpu = roll(WORLD_VCPUS);
    evtchn_port_t want = lowest_free(d), port = 0;
    int rc = 0;

    if (!virq_is_per_vcpu(virq) && vcpu)
        rc = -EINVAL;
    else if (virq_is_bound(d, virq, vcpu))
        rc = -EEXIST;
    SAME(evtchn_bind(&world[d], EVTCHN_VIRQ, virq, vcpu, &port), rc);
    if (rc == 0)
        set(d, want,
            (struct model_port){
                .state = EVTCHN_VIRQ, .virq = virq, .vcpu = vcpu});
}

static void bind_ipi(domid_t d)
{
    evtchn_port_t want = lowest_free(d), port = 0;
    uint32_t vcpu = roll(WORLD_VCPUS);

    SAME(evtchn_bind(&world[d], EVTCHN_IPI, 0, vcpu, &port), 0);
    SAME(port, want);
    set(d, want, (struct model_port){.state = EVTCHN_IPI, .vcpu = vcpu});
}

static void close_port(domid_t d)
{
    evtchn_port_t port = roll(PORTS);
    struct model_port *m = &model[d][port];
    bool used = m->state != EVTCHN_FREE;

    SAME(evtchn_close(&world[d], port), used ? 0 : -EINVAL);
    if (m->state == EVTCHN_INTERDOMAIN) {
        struct model_port *far = &model[m->peer][m->peer_port];

        far->state = EVTCHN_UNBOUND;
        far->peer = d;
    }
    if (used)
        *m = (struct model_port){.state = EVTCHN_FREE};
}

static void send(domid_t d)
{
    evtchn_port_t port = roll(PORTS);
    const struct model_port *m = &model[d][port];
    bool ok = m->state == EVTCHN_UNBOUND || m->state == EVTCHN_INTERDOMAIN ||
              m->state == EVTCHN_IPI;

    SAME(evtchn_send(&world[d], port), ok ? 0 : -EINVAL);
    if (m->state == EVTCHN_INTERDOMAIN)
        model[m->peer][m->peer_port].pending = true;
    if (m->state == EVTCHN_IPI)
        model[d][port].pending = true;
}

static void move(domid_t d)
{
    evtchn_port_t port = roll(PORTS);
    struct model_port *m = &model[d][port];
    uint32_t vcpu = roll(WORLD_VCPUS);
    bool ok = m->state == EVTCHN_UNBOUND || m->state == EVTCHN_INTERDOMAIN ||
              (m->state == EVTCHN_VIRQ && !virq_is_per_vcpu(m->virq));

    SAME(evtchn_bind_vcpu(&world[d], port, vcpu), ok ? 0 : -EINVAL);
    if (ok)
        m->vcpu = vcpu;
}

static void handled(domid_t d, evtchn_port_t port)
{
    SAME(model[d][port].pending, true);
    SAME(masked[d][port], false);
    model[d][port].pending = false;
}

/* Everything that is pending and not masked is in a queue: none is lost. */
static void consume_fifo(domid_t d)
{
    for (unsigned int i = 0; i < WORLD_VCPUS; i++)
        world_fifo_take(d, i, handled);
    for (evtchn_port_t p = 1; p <= WORLD_MAX_PORT; p++)
        SAME(model[d][p].pending && !masked[d][p], false);
}

static void consume(domid_t d)
{
    struct shared_info *s = world[d].shared_info;

    if (is_fifo[d]) {
        consume_fifo(d);
        return;
    }

    memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
    for (unsigned int i = 0; i < WORLD_VCPUS; i++) {
        world[d].vcpu[i]->info->evtchn_upcall_pending = 0;
        world[d].vcpu[i]->info->evtchn_pending_sel = 0;
    }
    for (evtchn_port_t p = 1; p <= WORLD_MAX_PORT; p++)
        model[d][p].pending = false;
}

static void reset(domid_t d)
{
    while (evtchn_reset(&world[d]) == -EAGAIN)
        ;
    for (evtchn_port_t p = 1; p <= WORLD_MAX_PORT; p++) {
        struct model_port *m = &model[d][p];

        if (m->state == EVTCHN_INTERDOMAIN && m->peer != d) {
            model[m->peer][m->peer_port].state = EVTCHN_UNBOUND;
            model[m->peer][m->peer_port].peer = d;
        }
        *m = (struct model_port){.state = EVTCHN_FREE};
    }
    is_fifo[d] = false;
    memset(masked[d], 0, sizeof(masked[d]));
}

/* FIFO: the guest masks a port by itself, and has it unmasked. */
static void mask(domid_t d)
{
    evtchn_port_t port = 1 + roll(PORTS - 1);

    if (!is_fifo[d] || model[d][port].state == EVTCHN_FREE)
        return;
    masked[d][port] = roll(2);
    if (masked[d][port])
        *world_word(d, port) |= EVTCHN_WORD_MASKED;
    else
        SAME(evtchn_unmask(&world[d], port), 0);
}

static void set_priority(domid_t d)
{
    evtchn_port_t port = roll(PORTS);
    uint32_t priority = roll(17);
    int rc = priority < EVTCHN_FIFO_PRIORITIES ? 0 : -EINVAL;

    if (model[d][port].state != EVTCHN_FREE)
        SAME(evtchn_set_priority(&world[d], port, priority),
             is_fifo[d] ? rc : -ENOSYS);
}

/* What is pending stays so. */
static void switch_to_fifo(domid_t d)
{
    if (is_fifo[d])
        return;
    for (evtchn_port_t p = 0; p <= WORLD_MAX_PORT; p++)
        *world_word(d, p) = 0;
    memset(world_control(d, 0), 0, 4096);
    world_fifo(d);
    is_fifo[d] = true;
}

static void compare_port(domid_t d, evtchn_port_t port)
{
    const struct evtchn *chn = table_find(world[d].events, port);
    const struct model_port *m = &model[d][port];

    SAME(world_state(d, port), m->state);
    SAME(world_pending(d, port), m->pending);
    if (m->state == EVTCHN_FREE || !chn)
        return;
    SAME(evtchn_vcpu(chn), m->vcpu);
    if (m->state == EVTCHN_INTERDOMAIN) {
        SAME((uintptr_t)chn->peer, (uintptr_t)world[m->peer].events);
        SAME(chn->detail, m->peer_port);
    }
}

/* And what follows from the bits: none is pending without its upcall. */
static void compare(domid_t d)
{
    uint32_t used = 0, counted, max;

    for (evtchn_port_t p = 1; p <= WORLD_MAX_PORT; p++) {
        compare_port(d, p);
        used += model[d][p].state != EVTCHN_FREE;
    }
    evtchn_counts(&world[d], &counted, &max);
    SAME(counted, used);
}

static void step(void)
{
    domid_t d = (domid_t)roll(WORLD_DOMAINS);
    bool room = lowest_free(d) < PORTS;

    if (roll(8) == 0)
        mask(d);
    switch (roll(13)) {
    case 0:
    case 1:
        if (room)
            alloc(d);
        break;
    case 2:
    case 3:
    case 4:
        if (room)
            bind(d);
        break;
    case 5:
        if (room)
            bind_virq(d);
        break;
    case 6:
        if (room)
            bind_ipi(d);
        break;
    case 7:
        close_port(d);
        break;
    case 8:
    case 9:
        send(d);
        break;
    case 10:
        move(d);
        break;
    case 11:
        set_priority(d);
        break;
    default:
        if (roll(200) == 0)
            reset(d);
        else if (roll(40) == 0)
            switch_to_fifo(d);
        else if (roll(10) == 0)
            consume(d);
        break;
    }
}

static void walk(uint64_t from)
{
    seed = from;
    memset(model, 0, sizeof(model));
    memset(is_fifo, 0, sizeof(is_fifo));
    memset(masked, 0, sizeof(masked));
    world_make();
    differs = false;
    for (step_number = 0; step_number < STEPS && !differs; step_number++) {
        step();
        if (step_number % 10 == 0)
            compare((domid_t)roll(WORLD_DOMAINS));
    }
    for (domid_t d = 0; d < WORLD_DOMAINS; d++)
        compare(d);
    EXPECT_FALSE(differs);
    world_end();
}

TEST("random operations leave every port as the model says: seed 1")
{
    walk(1);
}

TEST("random operations leave every port as the model says: seed 2")
{
    walk(20261123);
}
