/* SPDX-License-Identifier: MIT */
/*
 * event_channel_op: one-bit notifications between domains.
 *
 * Common errors: -EFAULT, the argument could not be read or written; -EINVAL,
 * a port that is out of range or in the wrong state; -ENOSPC, no free port.
 */

#ifndef ABI_EVENT_CHANNEL_H
#define ABI_EVENT_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

typedef uint32_t evtchn_port_t;

/* One selector word of 64 bits covers 64 pending words of 64 ports each. */
#define EVTCHN_2L_PORTS 4096U

/*
 * FIFO: a word for each port in pages that the guest registers, and for each
 * vCPU a control block, also the guest's, with the heads of 16 queues.  A port
 * that becomes pending is linked behind the last one of its queue.
 */
#define EVTCHN_FIFO_PORTS      131072U
#define EVTCHN_FIFO_LINK_BITS  17
#define EVTCHN_WORD_LINK_MASK  0x1ffffU    /* the next port, 0: end */
#define EVTCHN_WORD_BUSY       0x10000000U /* the link is being written */
#define EVTCHN_WORD_LINKED     0x20000000U
#define EVTCHN_WORD_MASKED     0x40000000U
#define EVTCHN_WORD_PENDING    0x80000000U
#define EVTCHN_FIFO_PAGE_PORTS 1024U
#define EVTCHN_FIFO_PRIORITIES 16U /* 0 comes first */
#define EVTCHN_FIFO_DEFAULT    7U

struct evtchn_fifo_control {
    uint32_t ready; /* a bit for each queue that has something */
    uint32_t _rsvd;
    uint32_t head[EVTCHN_FIFO_PRIORITIES];
};

#define EVTCHNOP_bind_interdomain 0
#define EVTCHNOP_bind_virq        1
#define EVTCHNOP_bind_pirq        2
#define EVTCHNOP_close            3
#define EVTCHNOP_send             4
#define EVTCHNOP_status           5
#define EVTCHNOP_alloc_unbound    6
#define EVTCHNOP_bind_ipi         7
#define EVTCHNOP_bind_vcpu        8
#define EVTCHNOP_unmask           9
#define EVTCHNOP_reset            10
#define EVTCHNOP_init_control     11
#define EVTCHNOP_expand_array     12
#define EVTCHNOP_set_priority     13
#define EVTCHNOP_reset_cont       14 /* a reset that goes on; the same */

/* Virtual interrupts; the first, DEBUG, XENPROF and XENPMU are per vCPU. */
#define VIRQ_TIMER    0
#define VIRQ_DEBUG    1
#define VIRQ_CONSOLE  2 /* input on the machine's console */
#define VIRQ_DOM_EXC  3 /* a domain shut down, crashed or is gone */
#define VIRQ_XENPROF  7
#define VIRQ_CON_RING 8  /* the log grew */
#define VIRQ_ENOMEM   12 /* a domain waits for memory */
#define VIRQ_XENPMU   13
#define VIRQ_COUNT    24

/* -EINVAL unless the remote port is unbound and reserved for the caller. */
struct evtchn_bind_interdomain {
    domid_t remote_dom;        /* IN */
    evtchn_port_t remote_port; /* IN */
    evtchn_port_t local_port;  /* OUT: pending once when it returns */
};

/* -EEXIST already bound; -ENOENT no such vCPU. */
struct evtchn_bind_virq {
    uint32_t virq;      /* IN */
    uint32_t vcpu;      /* IN */
    evtchn_port_t port; /* OUT */
};

struct evtchn_close {
    evtchn_port_t port; /* IN */
};

/* 0 also when the port has no peer yet: that event is dropped. */
struct evtchn_send {
    evtchn_port_t port; /* IN */
};

#define EVTCHNSTAT_closed      0
#define EVTCHNSTAT_unbound     1
#define EVTCHNSTAT_interdomain 2
#define EVTCHNSTAT_pirq        3
#define EVTCHNSTAT_virq        4
#define EVTCHNSTAT_ipi         5

/* -EPERM for another domain's port unless privileged. */
struct evtchn_status {
    domid_t dom;        /* IN */
    evtchn_port_t port; /* IN */
    uint32_t status;    /* OUT: EVTCHNSTAT_* */
    uint32_t vcpu;      /* OUT */
    union {             /* OUT by status */
        struct {
            domid_t dom;
        } unbound;
        struct {
            domid_t dom;
            evtchn_port_t port;
        } interdomain;
        uint32_t pirq;
        uint32_t virq;
    } u;
};

/* -EPERM for another domain's @dom unless privileged. */
struct evtchn_alloc_unbound {
    domid_t dom;        /* IN */
    domid_t remote_dom; /* IN */
    evtchn_port_t port; /* OUT */
};

struct evtchn_bind_ipi {
    uint32_t vcpu;      /* IN */
    evtchn_port_t port; /* OUT */
};

struct evtchn_bind_vcpu {
    evtchn_port_t port; /* IN */
    uint32_t vcpu;      /* IN */
};

struct evtchn_unmask {
    evtchn_port_t port; /* IN */
};

/* Closes all ports and goes back to 2-level. */
struct evtchn_reset {
    domid_t dom; /* IN */
};

/*
 * The control block of a vCPU; the first one switches the domain to FIFO.
 * -ENOENT no such vCPU; -EINVAL the page, the offset, or the vCPU has one.
 */
struct evtchn_init_control {
    uint64_t control_gfn; /* IN */
    uint32_t offset;      /* IN: of 8 bytes' alignment, within the page */
    uint32_t vcpu;        /* IN */
    uint8_t link_bits;    /* OUT: EVTCHN_FIFO_LINK_BITS */
    uint8_t _pad[7];
};

/*
 * The page with the words of the next 1024 ports.  -EOPNOTSUPP 2-level;
 * -ENOSPC all 128 pages are there; -EINVAL the page.
 */
struct evtchn_expand_array {
    uint64_t array_gfn; /* IN */
};

/* -ENOSYS 2-level. */
struct evtchn_set_priority {
    evtchn_port_t port; /* IN */
    uint32_t priority;  /* IN */
};

_Static_assert(sizeof(struct evtchn_bind_interdomain) == 12, "ABI");
_Static_assert(sizeof(struct evtchn_bind_virq) == 12, "ABI");
_Static_assert(sizeof(struct evtchn_status) == 24, "ABI");
_Static_assert(offsetof(struct evtchn_status, u) == 16, "ABI");
_Static_assert(sizeof(struct evtchn_alloc_unbound) == 8, "ABI");
_Static_assert(sizeof(struct evtchn_init_control) == 24, "ABI");
_Static_assert(offsetof(struct evtchn_init_control, link_bits) == 16, "ABI");
_Static_assert(sizeof(struct evtchn_fifo_control) == 72, "ABI");

#endif /* ABI_EVENT_CHANNEL_H */
