/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: the unit of ownership.
 *
 *   create -> paused --unpause--> runs --shutdown/crash--> shut down
 *                                   |                         |
 *                                   '-------- destroy --------'--> dying
 *   dying: no longer found by domain_get; what it owns is given back piece by
 *   piece; the record itself goes with the last reference.
 *
 * Each room keeps its own structure; this one holds pointers to them.
 * Fields: (c) constant after creation, (d) guarded by lock, (a) atomic,
 * (l) guarded by the list lock.
 */

#pragma once

#include <abi/control.h>
#include <abi/sched.h>
#include <abi/shared_info.h>

#include "core/lock.h"
#include "core/time.h"

struct device_owner;
struct evtchn_table;
struct grant_table;
struct light_space;
struct pv_space;
struct vcpu;

/*
 * Most vCPUs: those of a light domain have their vcpu_info in shared_info;
 * further ones of class pv need one registered before they can start.
 */
#define LIGHT_VCPUS_MAX  LEGACY_MAX_VCPUS
#define DOMAIN_VCPUS_MAX 128U

/* Most domains: the 16-bit ids below the reserved ones, and id 0. */
#define DOMAIN_MAX 32752U

/* Weights of the scheduler: 1 .. this. */
#define DOMAIN_WEIGHT_MAX 65535U

/* Steps of giving back what a domain owns: life.c. */
#define DOMAIN_END_STEPS 6U

/* How far a domain's processor time is paid for; domain/sched.h. */
struct meter {
    uint32_t percent;    /* (d) of one CPU; 0: none */
    uint64_t paid_until; /* (a) system time */
};

/* SCHEDOP_watchdog. */
struct watchdog {
    struct timer timer;
    struct domain *domain; /* (c) */
    bool runs;             /* (d) */
};

struct domain {
    domid_t domid;                   /* (c) */
    uint32_t class;                  /* (c) CAIRN_CLASS_* */
    uint32_t rights;                 /* (c) DOMAIN_RIGHT_* */
    uint32_t refs;                   /* (a) */
    struct shared_info *shared_info; /* (c) the guest writes this page too */
    struct evtchn_table *events;     /* (c) */
    struct grant_table *grants;      /* (c) */
    struct light_space *space;       /* (c) class pv: one without pages */
    struct pv_space *pv;             /* (c) class light: NULL */
    uint64_t assists;                /* (a) a bit of each VMASST_TYPE_* */
    uint64_t shared_info_gfn;        /* guarded by the space's lock; pv: mfn */
    struct device_owner *devices;    /* device room's; NULL: none assigned */
    struct vcpu **vcpu;              /* (c) vcpu_count of them */
    uint32_t vcpu_count;             /* (c) */
    uint32_t vcpu_room;              /* (c) pointers at vcpu */
    uint32_t vcpus_released;         /* (d) of class pv, at its end */

    uint64_t reserved_pages; /* (c) promised at creation */

    struct spinlock lock;
    bool dying;               /* (d) */
    bool is_shutdown;         /* (d) */
    bool started;             /* (d) was unpaused once */
    bool has_shutdown_code;   /* (d) reason below came early */
    uint32_t end;             /* (d) steps of destruction that are done */
    uint32_t shutdown_reason; /* (d) SHUTDOWN_* */
    uint32_t pause_count;     /* (d) vCPUs run only at 0 */
    bool ending;              /* (a) a quantum of it is done */
    bool metered;             /* (d) it has one of these two */
    struct meter cap, reserved;
    uint32_t weight; /* (d) its vCPUs share it */
    struct watchdog watchdog[SCHED_WATCHDOGS];
    uint64_t console_paid_until;             /* (d) see console_io */
    uint8_t uuid[16];                        /* (c) */
    char crash_reason[CONTROL_REASON_BYTES]; /* (d) */
};

extern struct domain *initial_domain;

struct domain_config {
    domid_t domid; /* wanted, or DOMID_INVALID */
    struct control_create create;
    uint64_t module_pages; /* windows only the initial domain has */
    uint64_t mmio_pages;
};

/*
 * Make a domain, paused once, empty.  The caller owns a reference.  Errors as
 * control_op create.
 */
int __must_check domain_create(const struct domain_config *config,
                               struct domain **created);

/*
 * Begin the end: stop its vCPUs for good, then give back what it owns, at
 * most a quantum a call.  0: all gone; -EAGAIN: call again; -EINVAL: it is
 * the initial domain, or the caller's own.
 */
int __must_check domain_destroy(struct domain *d);

/* Look a domain up and hold it; NULL if there is none or it is dying. */
struct domain *__must_check domain_get(domid_t domid);

/* DOMID_SELF means @self. */
struct domain *__must_check domain_get_or_self(domid_t domid,
                                               struct domain *self);

/* The first domain, dying ones included, with an id of at least @from; held. */
struct domain *__must_check domain_get_next(domid_t from);

/* One more reference to a domain that the caller knows to be there. */
static inline void domain_hold(struct domain *d)
{
    (void)atomic_add(&d->refs, 1);
}

void domain_put(struct domain *d);

uint32_t domain_count(void);

/*
 * The table of domains by id, for those who make and unmake them: ids are
 * reused in turn, so that a name of a domain that is gone means nobody for as
 * long as possible.
 *
 * Keep an id for a domain in the making: @wanted, or with DOMID_INVALID the
 * next free one.  -EEXIST, -ENOSPC; -EINVAL: no such id.
 */
int __must_check table_take_id(domid_t wanted, domid_t *domid);

/* domain_get() finds @d under its id.  NULL: nobody, and the id is free. */
void table_set(domid_t domid, struct domain *d);

/*
 * Counted: a domain's vCPUs run only when every pause is undone.  The first
 * start needs registers for vCPU 0 (-EINVAL), as an unpause needs a pause.
 */
int __must_check domain_pause(struct domain *d);
int __must_check domain_unpause(struct domain *d);

/*
 * Kept as the reason of a later shutdown or crash: SCHEDOP_shutdown_code.
 * -EINVAL: no such reason.
 */
int domain_set_shutdown_code(struct domain *d, uint32_t reason);

/*
 * @d stops for @reason: the machine's end if it has DOMAIN_RIGHT_POWER, else
 * its vCPUs stop and VIRQ_DOM_EXC tells the control domain.  -EINVAL: no such
 * reason.
 */
int domain_shutdown(struct domain *d, uint32_t reason);

/*
 * -EINVAL: it has not ended, or not by SHUTDOWN_suspend; -EAGAIN: a vCPU of it
 * has not left its CPU yet.
 */
int __must_check domain_resume(struct domain *d);

/* The guest broke its side so that no answer can be given: stop it, say why. */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);

/*
 * Before the first start: the registers a vCPU begins with, and in class pv its
 * tables, which are pinned.
 */
int __must_check domain_set_start(struct domain *d,
                                  const struct control_set_start *start);

/*
 * A vCPU comes on line, -EINVAL without registers; or goes off it, and the
 * domain shuts down when it was the last.
 */
int __must_check domain_vcpu_up(struct vcpu *v);
void domain_vcpu_down(struct vcpu *v);

/* -EINVAL, -ENOENT, -ENOSPC as control_op set_sched. */
int __must_check domain_set_sched(struct domain *d,
                                  const struct control_set_sched *sched);

/*
 * After a pause: wait a little for its vCPUs to leave their CPUs.  False: call
 * again, from a continuation.
 */
bool __must_check domain_is_off(struct domain *d);

/* SCHEDOP_watchdog: an id, 0, -ENOSPC or -EINVAL. */
void watchdogs_init(struct domain *d);
int domain_watchdog(struct domain *d, uint32_t id, uint32_t seconds);

/* All but what the event and grant rooms know. */
void domain_info(struct domain *d, struct control_domain_info *info);

/*
 * Who may do what to others: one table, and one function that asks it.
 *
 * A right is a bit of struct domain.rights (DOMAIN_RIGHT_*).  What a domain
 * does to itself needs none.
 */

/* X-macro: POLICY(operation, the right it needs), which is its value. */
#define POLICIES(POLICY)                                                       \
    POLICY(host_info, CONTROL)      /* control_op host_info */                 \
    POLICY(create, CONTROL)         /* control_op create */                    \
    POLICY(destroy, CONTROL)        /* control_op destroy */                   \
    POLICY(pause, CONTROL)          /* control_op pause, unpause */            \
    POLICY(build, CONTROL)          /* set_region, set_start, seed_grant */    \
    POLICY(copy, CONTROL)           /* control_op copy_to, copy_from */        \
    POLICY(list, CONTROL)           /* control_op list */                      \
    POLICY(shutdown, CONTROL)       /* shutdown, SCHEDOP_remote_shutdown */    \
    POLICY(log_read, CONTROL)       /* control_op log_read */                  \
    POLICY(module, CONTROL)         /* control_op module */                    \
    POLICY(set_sched, CONTROL)      /* control_op set_sched */                 \
    POLICY(debug_key, CONTROL)      /* control_op debug_key */                 \
    POLICY(other_ports, CONTROL)    /* alloc_unbound, status, reset of d */    \
    POLICY(other_memory, CONTROL)   /* memory_op's questions about d */        \
    POLICY(last_memory, CONTROL)    /* the last of the metadata reserve */     \
    POLICY(device, DEVICE)          /* device_op, all of it */                 \
    POLICY(machine_address, DEVICE) /* dev_bus_addr of a grant mapping */      \
    POLICY(machine_map, DEVICE)     /* memory_op machine_memory_map */         \
    POLICY(console, CONSOLE)        /* console_io read, unlimited write */     \
    POLICY(power, POWER)            /* its shutdown is the machine's */

enum policy_operation {
#define POLICY_ENUM_(operation, right)                                         \
    POLICY_##operation = DOMAIN_RIGHT_##right,
    POLICIES(POLICY_ENUM_)
#undef POLICY_ENUM_
};

static inline bool policy_allows(const struct domain *d,
                                 enum policy_operation operation)
{
    return d->rights & operation;
}
