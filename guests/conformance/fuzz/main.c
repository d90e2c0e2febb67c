/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor: makes fuzzing domains until enough calls were made, and sees
 * that nothing but they suffers.
 *
 * Options: calls=N, seed=N of the first domain, class=pv, flavour=N for only
 * one, first=N and trace=N to begin with, and to print from, call N of a
 * domain.
 */

#include <string.h>

#include <abi/event_channel.h>
#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "fuzz/fuzz.h"

#define USUAL_CALLS      1000000UL
#define CALLS_A_DOMAIN   20000UL
#define LOOK_NS          20000000UL  /* between two looks at a domain */
#define BLOCKED_NS       40000000UL  /* without a call: it waits for ever, */
#define STUCK_NS         150000000UL /* or turns in a circle */
#define WITNESS_LIMIT_NS 10000000000UL
#define LOOKS_A_CHECK    8U /* of all frames */
#define WARM_CALLS       3000UL
#define PORTS_LOOKED_AT  64U

/* Records of the hypervisor are in pools, which keep a frame or two. */
#define SLACK_FRAMES 16U

static const char *const flavour_names[FUZZ_FLAVOURS] = {
    "alone", "pair", "smp", "device", "control", "pv", "pv pair", "pv smp"};

/* Percent of all calls of a class; making domains is slow, and so are two CPUs
 * at once where there are not two. */
static const uint64_t flavour_share[FUZZ_FLAVOURS] = {45, 32, 10, 5,
                                                      8,  45, 50, 5};

static const struct child_limits usual_limits = {
    .extra_pages = 256,
    .unpromised = 64,
    .max_ports = 63,
    .grant_frames = 4,
    .maptrack_max = 40,
    .grant_window = 32,
};

static struct child witness;
static evtchn_port_t witness_port, exception_port;
static uint64_t rounds_asked, slowest_ns, log_position;
static unsigned int failures;
static bool verbose;

static struct {
    uint64_t domains, calls, returned, shut_down, crashed, stuck, checks;
    uint64_t made[FUZZ_OPS], good[FUZZ_OPS];
} total;

/* A fuzzing domain as it runs. */
struct subject {
    struct child child;
    uint64_t made, changed_at;
    bool ended;
};

static void failed(const char *what, uint64_t value)
{
    failures++;
    print("fuzz: FAILED: %s (%lu)\n", what, value);
}

/* --- The witness -----------------------------------------------------------
 */

static void witness_look(struct witness_state *state)
{
    if (!child_peek(&witness, &witness_state, state, sizeof(*state)))
        failed("the witness cannot be read", 0);
}

static void witness_begin(void)
{
    struct witness_state state = {0};
    uint64_t limit = now_ns() + WITNESS_LIMIT_NS;

    if (!child_start(&witness, NULL, witness_child, 0)) {
        failed("there is no witness", 0);
        return;
    }
    while (state.port == 0 && now_ns() < limit) {
        sleep_until(now_ns() + 1000000);
        witness_look(&state);
    }
    witness_port = port_bind(witness.domid, state.port);
    if (witness_port == 0)
        failed("the witness is not there", state.port);
    port_clear(witness_port);
    /* Binding has made the other end pending: its first round. */
    rounds_asked = 1;
}

static bool wait_port(evtchn_port_t port, uint64_t until)
{
    struct sched_poll poll = {
        .ports = hypercall_ptr(&port), .nr_ports = 1, .timeout = until};

    while (!port_pending(port) && now_ns() < until)
        hypercall_sched_op(SCHEDOP_poll, &poll);
    return port_pending(port);
}

static void witness_check(void)
{
    struct witness_state state = {0};
    uint64_t begun = now_ns(), took;

    port_clear(witness_port);
    witness_look(&state);
    if (state.rounds > rounds_asked)
        failed("the witness was called by somebody else", state.rounds);
    rounds_asked = state.rounds + 1;
    if (port_send(witness_port) != 0 ||
        !wait_port(witness_port, begun + WITNESS_LIMIT_NS)) {
        failed("the witness does not answer", rounds_asked);
        return;
    }
    took = now_ns() - begun;
    if (took > slowest_ns)
        slowest_ns = took;
    witness_look(&state);
    if (state.errors != 0)
        failed("the witness' memory or time is broken", state.errors);
}

/* Nobody makes ports for the supervisor but itself: it has two. */
static void check_ports(void)
{
    for (evtchn_port_t port = 1; port < PORTS_LOOKED_AT; port++) {
        struct evtchn_status s = port_status(port);

        if (port == witness_port || port == exception_port ||
            s.status == EVTCHNSTAT_closed || s.status == ~0U)
            continue;
        print("# port %u: status %u, of domain %u\n", port, s.status,
              s.u.unbound.dom);
        failed("the supervisor has a port that it did not make", port);
    }
}

/* --- The hypervisor's own opinion -------------------------------------------
 */

static bool has_word(const char *line, const char *end, const char *word)
{
    size_t size = strlen(word);

    for (; line + size <= end; line++)
        if (memcmp(line, word, size) == 0)
            return true;
    return false;
}

static void check_lines(const char *text, uint32_t size)
{
    const char *end = text + size;

    while (text < end) {
        const char *line = text;

        while (text < end && *text != '\n')
            text++;
        /* The emulator's clocks drift when its host has no time. */
        if (has_word(line, text, "] error: ") ||
            (has_word(line, text, "] warning: ") &&
             !has_word(line, text, "] warning: time: ")))
            failed("the hypervisor complains", log_position);
        total.checks += has_word(line, text, " types and counts are as ");
        text++;
    }
}

/* All frames of the machine; what is wrong is a panic. */
static void check_frames(void)
{
    struct control_op op = {.cmd = CONTROL_OP_debug_key,
                            .u.debug_key = {.key = 'f'}};

    if (control(&op) != 0)
        failed("the debug key cannot be pressed", 'f');
}

static void log_check(void)
{
    static char text[8192];
    struct control_op op = {.cmd = CONTROL_OP_log_read};

    if (is_pv())
        check_frames();
    do {
        op.u.log_read = (struct control_log_read){
            .position = log_position,
            .buffer = hypercall_ptr(text),
            .size = sizeof(text),
        };
        if (control(&op) != 0) {
            failed("the log cannot be read", log_position);
            return;
        }
        log_position = op.u.log_read.position;
        check_lines(text, op.u.log_read.count);
    } while (op.u.log_read.count == sizeof(text));
}

/* --- One fuzzing domain ------------------------------------------------------
 */

static bool look(struct subject *s)
{
    struct control_domain_info *i = &s->child.info;
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .domid = s->child.domid,
        .u.list = {.buffer = hypercall_ptr(i), .room = 1},
    };

    if (control(&op) != 0 || op.u.list.count != 1 ||
        i->domid != s->child.domid) {
        failed("a domain has gone", s->child.domid);
        return false;
    }
    if (i->used_pages > i->max_pages || i->ports_used > i->ports_max ||
        i->grant_frames_used > i->grant_frames_max ||
        i->maptrack_used > i->maptrack_max)
        failed("a domain has more than it may", s->child.domid);
    return true;
}

static uint64_t made_by(struct subject *s)
{
    uint64_t made[FUZZ_VCPUS] = {0}, sum = 0;

    child_peek(&s->child, fuzz_state.made, made, sizeof(made));
    /* It may have overwritten what it says of itself. */
    for (unsigned int v = 0; v < FUZZ_VCPUS; v++)
        if (made[v] - fuzz_order.first <= fuzz_order.calls)
            sum += made[v] - fuzz_order.first;
    return sum;
}

/* The last @count, the last one last: the one that may still be made. */
static void print_last(const struct fuzz_state *state, unsigned int vcpu,
                       unsigned int count)
{
    for (unsigned int i = FUZZ_RING - count + 1; i <= FUZZ_RING; i++) {
        const struct fuzz_call *c =
            &state->last[vcpu][(state->made[vcpu] + i) % FUZZ_RING];

        if (c->nr != 0 || c->result != 0)
            print("# vCPU %u call %lu: %lx(%lx, %lx, %lx, %lx, %lx) = %ld\n",
                  vcpu, c->number, c->nr, c->args[0], c->args[1], c->args[2],
                  c->args[3], c->args[4], c->result);
    }
}

/* What it did goes into the sums; what it should not have had is a failure. */
static void account(struct subject *s, bool tell)
{
    static struct fuzz_state state;

    memset(&state, 0, sizeof(state));
    if (!child_peek(&s->child, &fuzz_state, &state, sizeof(state)))
        return;
    for (unsigned int i = 0; i < fuzz_op_count(); i++) {
        /* It may have overwritten these. */
        if (state.op_made[i] > FUZZ_VCPUS * fuzz_order.calls ||
            state.op_good[i] > state.op_made[i])
            continue;
        total.made[i] += state.op_made[i];
        total.good[i] += state.op_good[i];
    }
    if (!tell && (!verbose || state.finished))
        return;
    print("# d%u, seed %lu, call %lu: flags %x, reason %u %s\n", s->child.domid,
          state.seed, state.made[0], s->child.info.flags,
          s->child.info.shutdown_reason, s->child.info.crash_reason);
    child_print(&s->child);
    for (unsigned int v = 0; v < FUZZ_VCPUS; v++)
        print_last(&state, v, tell ? FUZZ_RING : 1);
}

/* True when it has ended, or will do nothing more. */
static bool has_ended(struct subject *s)
{
    uint64_t made, now = now_ns();

    if (!look(s))
        return true;
    if ((s->child.info.flags & (CONTROL_DOM_shutdown | CONTROL_DOM_dying))) {
        uint64_t finished = 0;

        child_peek(&s->child, &fuzz_state.finished, &finished,
                   sizeof(finished));
        if (finished)
            total.returned++;
        else if (s->child.info.shutdown_reason == SHUTDOWN_crash)
            total.crashed++;
        else
            total.shut_down++;
        return true;
    }
    made = made_by(s);
    if (made != s->made) {
        s->made = made;
        s->changed_at = now;
    } else if (now - s->changed_at > (s->child.info.flags & CONTROL_DOM_blocked
                                          ? BLOCKED_NS
                                          : STUCK_NS)) {
        total.stuck++;
        return true;
    }
    return false;
}

static uint32_t rights_of(enum fuzz_flavour flavour)
{
    switch (flavour) {
    case FUZZ_DEVICE:
        return DOMAIN_RIGHT_DEVICE | DOMAIN_RIGHT_CONSOLE;
    case FUZZ_CONTROL:
        return DOMAIN_RIGHT_CONTROL;
    case FUZZ_ALONE:
    case FUZZ_PAIR:
    case FUZZ_SMP:
    case FUZZ_PV_ALONE:
    case FUZZ_PV_PAIR:
    case FUZZ_PV_SMP:
    case FUZZ_FLAVOURS:
        break;
    }
    return 0;
}

static uint32_t vcpus_of(enum fuzz_flavour flavour)
{
    if (flavour == FUZZ_PV_SMP)
        return FUZZ_VCPUS_MAX;
    return flavour == FUZZ_SMP ? FUZZ_VCPUS + 1 : 1;
}

static bool begin(struct subject *s, uint64_t seed)
{
    struct child_limits limits = usual_limits;

    memset(s, 0, sizeof(*s));
    fuzz_order.seed = seed;
    limits.rights = rights_of(fuzz_order.flavour);
    limits.vcpus = vcpus_of(fuzz_order.flavour);
    limits.pv = is_pv();
    if (!child_make(&s->child, &limits, fuzz_child, 0)) {
        failed("no domain can be made, seed", seed);
        return false;
    }
    return true;
}

static void unpause(struct subject *s)
{
    struct control_op op = {.cmd = CONTROL_OP_unpause, .domid = s->child.domid};

    s->changed_at = now_ns();
    if (control(&op) != 0)
        failed("a domain cannot be started", s->child.domid);
}

/* What a privileged domain has made ends with it. */
static void destroy_others(const struct subject *s, unsigned int count)
{
    struct control_domain_info info;
    struct control_op op = {.cmd = CONTROL_OP_list, .domid = 1};

    for (;;) {
        struct child other = {.made = true};
        bool known = false;

        op.u.list =
            (struct control_list){.buffer = hypercall_ptr(&info), .room = 1};
        if (control(&op) != 0 || op.u.list.count == 0)
            return;
        for (unsigned int i = 0; i < count; i++)
            known |= info.domid == s[i].child.domid;
        other.domid = info.domid;
        if (!known && info.domid != witness.domid)
            child_destroy(&other);
    }
}

static uint64_t end(struct subject *s, bool tell)
{
    uint64_t made = made_by(s);

    account(s, tell);
    child_destroy(&s->child);
    total.domains++;
    total.calls += made;
    return made;
}

static void wait_all(struct subject *s, unsigned int count)
{
    unsigned int left = count, looks = 0;

    while (left > 0 && failures == 0) {
        port_clear(exception_port);
        for (unsigned int i = 0; i < count; i++) {
            if (!s[i].ended && has_ended(&s[i])) {
                s[i].ended = true;
                left--;
            }
        }
        witness_check();
        if (is_pv() && ++looks % LOOKS_A_CHECK == 0)
            check_frames();
        if (left > 0)
            wait_port(exception_port, now_ns() + LOOK_NS);
    }
}

static bool is_pair(enum fuzz_flavour flavour)
{
    return flavour == FUZZ_PAIR || flavour == FUZZ_PV_PAIR;
}

/* One domain, or two at once, of @seed on; returns how many calls they made. */
static uint64_t run(enum fuzz_flavour flavour, uint64_t seed, uint64_t calls)
{
    unsigned int count = is_pair(flavour) ? 2 : 1, made = 0;
    static struct subject subjects[2];
    uint64_t sum = 0;

    fuzz_order.flavour = flavour;
    fuzz_order.calls = calls;
    fuzz_order.witness = witness.domid;
    for (; made < count; made++)
        if (!begin(&subjects[made], seed + made))
            break;
    for (unsigned int i = 0; made == 2 && i < 2; i++)
        child_poke(&subjects[i].child, (void *)(uintptr_t)&fuzz_peer,
                   &subjects[1 - i].child.domid, sizeof(domid_t));
    for (unsigned int i = 0; i < made; i++)
        unpause(&subjects[i]);
    wait_all(subjects, made);
    if (flavour == FUZZ_CONTROL)
        destroy_others(subjects, made);
    log_check();
    check_ports();
    for (unsigned int i = 0; i < made; i++)
        sum += end(&subjects[i], failures != 0);
    return sum;
}

/* --- All of it ---------------------------------------------------------------
 */

static void run_flavour(enum fuzz_flavour flavour, uint64_t calls,
                        uint64_t *seed)
{
    uint64_t made = 0, begun = now_ns(), domains = total.domains;

    while (made < calls && failures == 0) {
        uint64_t share =
            calls - made < CALLS_A_DOMAIN ? calls - made : CALLS_A_DOMAIN;

        made += run(flavour, *seed, share);
        *seed += 2;
    }
    print("# %s: %lu calls by %lu domains in %lu ms\n", flavour_names[flavour],
          made, total.domains - domains, (now_ns() - begun) / 1000000);
}

static struct control_host_info host(void)
{
    struct control_op op = {.cmd = CONTROL_OP_host_info};

    if (control(&op) != 0)
        failed("no host_info", 0);
    return op.u.host_info;
}

static void check_leaks(const struct control_host_info *before)
{
    struct control_host_info after = host();

    print("# pages free: %lu before, %lu after; promised: %lu, %lu\n",
          before->free_pages, after.free_pages, before->unreserved_pages,
          after.unreserved_pages);
    if (after.free_pages + SLACK_FRAMES < before->free_pages)
        failed("pages were lost", before->free_pages - after.free_pages);
    if (after.unreserved_pages + SLACK_FRAMES < before->unreserved_pages)
        failed("promises were lost",
               before->unreserved_pages - after.unreserved_pages);
    if (after.domain_count != before->domain_count)
        failed("domains are left", after.domain_count);
}

static void print_totals(void)
{
    for (unsigned int i = 0; i < fuzz_op_count(); i++)
        print("# op %s: %lu made, %lu good\n", fuzz_op(i)->name, total.made[i],
              total.good[i]);
    print("# all frames checked: %lu times\n", total.checks);
    print("# slowest answer of the witness: %lu us\n", slowest_ns / 1000);
    print("# domains: %lu; to the end %lu, shut down %lu, crashed %lu, stuck "
          "%lu\n",
          total.domains, total.returned, total.shut_down, total.crashed,
          total.stuck);
    print("fuzz: %lu calls, seed %lu: %s\n", total.calls,
          option_number("seed", 1), failures ? "FAILED" : "passed");
}

static bool is_wanted(enum fuzz_flavour flavour)
{
    const char *class = option("class");
    bool pv = class && class[0] == 'p';

    return option_number("flavour", flavour) == flavour &&
           pv == (flavour >= FUZZ_PV_ALONE);
}

static uint64_t wanted_share(void)
{
    uint64_t sum = 0;

    for (enum fuzz_flavour v = 0; v < FUZZ_FLAVOURS; v++)
        sum += is_wanted(v) ? flavour_share[v] : 0;
    return sum;
}

_Noreturn void guest_main(void)
{
    uint64_t calls = option_number("calls", USUAL_CALLS);
    uint64_t seed = option_number("seed", 1), warm = 1UL << 60;
    struct control_host_info before;

    fuzz_order.first = option_number("first", 0);
    fuzz_order.trace = option_number("trace", ~0UL);
    verbose = option_number("verbose", 0) != 0;
    exception_port = port_bind_virq(VIRQ_DOM_EXC, 0);
    witness_begin();
    for (enum fuzz_flavour v = 0; v < FUZZ_FLAVOURS; v++)
        if (is_wanted(v))
            run(v, warm++, WARM_CALLS);
    memset(&total, 0, sizeof(total));
    before = host();
    for (enum fuzz_flavour v = 0; v < FUZZ_FLAVOURS && failures == 0; v++)
        if (is_wanted(v))
            run_flavour(v, calls * flavour_share[v] / wanted_share(), &seed);
    witness_check();
    check_leaks(&before);
    print_totals();
    machine_end(failures ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}
