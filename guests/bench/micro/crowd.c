/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does what one domain does depend on how many others there are?  Events to
 * other domains, waking them, finding them and copying from them, with two of
 * them in the machine, and again with as many as the command line asks for.
 * Class light, so on Cairn only.
 *
 * A domain of the crowd has a page of text, one of data, and sleeps.
 */

#include "micro/measure.h"

#include <stdbool.h>
#include <string.h>

#include <abi/control.h>
#include <abi/cpuid.h>
#include <abi/errno.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/machine.h"
#include "framework/ports.h"
#include "framework/print.h"

#include "micro/member.h"

#define MEMBER_BASE  0x40000000UL
#define MEMBER_PAGES 2U /* text, data */
#define DATA_GFN     1U
#define LENT_REF     1U

/* Beyond it ports need the FIFO ABI, which this guest does not speak. */
#define WIRED_MAX 4000U

/* Long enough for all that can run to run and sleep again. */
#define SETTLE_NS 100000000UL

/* Somebody of the crowd, and our port to it. */
struct member {
    domid_t domid;
    evtchn_port_t port;
};

/* The one whom the operations below are about. */
static struct member sleeper, paused;
static struct sched_poll wait_for_answer;
static struct gnttab_copy copying;
static struct evtchn_status status;
PAGES(target, 1);
PAGES(text, 1);

static bool must(const char *what, long rc)
{
    if (rc != 0)
        print("crowd: %s: %ld\n", what, rc);
    return rc == 0;
}

static bool create(struct member *m)
{
    struct control_op op = {
        .cmd = CONTROL_OP_create,
        .domid = DOMID_INVALID,
        .u.create = {.class = CAIRN_CLASS_LIGHT,
                     .vcpu_count = 1,
                     .virt_base = MEMBER_BASE,
                     .reserved_pages = MEMBER_PAGES,
                     .max_pages = MEMBER_PAGES,
                     .max_ports = 8,
                     .grant_frames = 1,
                     .maptrack_max = 1,
                     .grant_window = 1,
                     .weight = 256},
    };
    long rc = control(&op);

    m->domid = op.domid;
    return must("create", rc);
}

/* The port of @m that we may bind to. */
static bool wire(struct member *m, evtchn_port_t *theirs)
{
    struct evtchn_alloc_unbound op = {.dom = m->domid,
                                      .remote_dom = DOMID_SELF};

    if (!must("alloc_unbound",
              hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op)))
        return false;
    *theirs = op.port;
    m->port = port_bind(m->domid, op.port);
    return must("bind", m->port ? 0 : port_error);
}

static bool copy_page(const struct member *m, uint64_t gfn, const void *page,
                      uint32_t size)
{
    struct control_op op = {
        .cmd = CONTROL_OP_copy_to,
        .domid = m->domid,
        .u.copy = {.gfn = gfn, .buffer = hypercall_ptr(page), .size = size},
    };

    return must("copy_to", control(&op));
}

static bool fill(const struct member *m, evtchn_port_t theirs)
{
    uint64_t data = MEMBER_BASE + DATA_GFN * PAGE_SIZE;
    struct member_data contents = {
        .poll = {.ports = data + MEMBER_PORT, .nr_ports = 1},
        .pending = MEMBER_BASE + MEMBER_PAGES * PAGE_SIZE +
                   offsetof(struct shared_info, evtchn_pending),
        .port = {.port = theirs},
    };
    struct control_op region = {
        .cmd = CONTROL_OP_set_region,
        .domid = m->domid,
        .u.set_region = {.gfn = 0, .count = 1, .prot = LIGHT_PROT_execute},
    };
    struct control_op start = {
        .cmd = CONTROL_OP_set_start,
        .domid = m->domid,
        .u.set_start = {.rip = MEMBER_BASE,
                        .rsp = data + PAGE_SIZE,
                        .rsi = data},
    };
    struct control_op grant = {
        .cmd = CONTROL_OP_seed_grant,
        .domid = m->domid,
        .u.seed_grant = {.ref = LENT_REF, .to = own_domid, .gfn = DATA_GFN},
    };

    return must("set_region", control(&region)) &&
           copy_page(m, 0, text, PAGE_SIZE) &&
           copy_page(m, DATA_GFN, &contents, sizeof(contents)) &&
           must("set_start", control(&start)) &&
           must("seed_grant", control(&grant));
}

static bool unpause(const struct member *m)
{
    struct control_op op = {.cmd = CONTROL_OP_unpause, .domid = m->domid};

    return must("unpause", control(&op));
}

static bool make(struct member *m, bool is_wired, bool is_started)
{
    evtchn_port_t theirs = 1;

    return create(m) && (!is_wired || wire(m, &theirs)) && fill(m, theirs) &&
           (!is_started || unpause(m));
}

OPERATION(send)
{
    return port_send(paused.port);
}

OPERATION(round_trip)
{
    long rc = port_send(sleeper.port);

    return rc != 0 ? rc : hypercall_sched_op(SCHEDOP_poll, &wait_for_answer);
}

OPERATION(look_up)
{
    return hypercall_event_channel_op(EVTCHNOP_status, &status);
}

OPERATION(copy)
{
    return hypercall_grant_table_op(GNTTABOP_copy, &copying, 1);
}

static void clear_answer(void)
{
    port_clear(sleeper.port);
}

static long check_answer(long rc)
{
    return rc != 0 || port_pending(sleeper.port) ? rc : 1;
}

static void name_member(void)
{
    status = (struct evtchn_status){.dom = paused.domid, .port = 1};
}

static void prepare_copy(void)
{
    copying = (struct gnttab_copy){
        .source = {.u.ref = LENT_REF, .domid = paused.domid},
        .dest = {.u.gmfn = frame_of(target), .domid = DOMID_SELF},
        .len = 64,
        .flags = GNTCOPY_source_gref,
    };
}

static long check_copy(long rc)
{
    return rc != 0 ? rc : copying.status;
}

/* Names as they are printed: what is measured, and in which crowd. */
static void measure_pair(const char *names[4])
{
    const struct operation operations[] = {
        {names[0], send, NULL, NULL},
        {names[1], round_trip, clear_answer, check_answer},
        {names[2], look_up, name_member, NULL},
        {names[3], copy, prepare_copy, check_copy},
    };

    sleep_until(now_ns() + SETTLE_NS);
    wait_for_answer = (struct sched_poll){.ports = hypercall_ptr(&sleeper.port),
                                          .nr_ports = 1};
    for (unsigned int i = 0; i < 4; i++)
        measure(&operations[i]);
}

static bool make_pair(void)
{
    return make(&sleeper, true, true) && make(&paused, true, false);
}

void measure_crowd(unsigned int count)
{
    static const char *few[] = {"few_send", "few_wake", "few_look_up",
                                "few_copy"};
    static const char *first[] = {"first_send", "first_wake", "first_look_up",
                                  "first_copy"};
    static const char *last[] = {"last_send", "last_wake", "last_look_up",
                                 "last_copy"};
    struct member other;
    unsigned int made = 2;

    target[0] = 1;
    memcpy(text, member_code, (size_t)(member_code_end - member_code));
    if (!make_pair())
        return;
    measure_pair(few);
    for (; made + 2 < count; made++) {
        if (!make(&other, made < WIRED_MAX, true))
            return;
    }
    measure_pair(first);
    if (!make_pair())
        return;
    measure_pair(last);
    print("@@ crowd of %u\n", made + 2);
}
