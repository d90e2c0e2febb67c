/* SPDX-License-Identifier: MIT */
/*
 * control_op(op): what only privileged domains may ask for: making, running,
 * inspecting and ending other domains.
 *
 * Common errors: -EFAULT, an argument could not be read or written; -EACCES,
 * a wrong version; -ENOSYS, an unknown command; -EPERM, the policy table does
 * not let this caller; -ESRCH, no such domain; -EINVAL, a bad argument; -EBUSY,
 * the domain has started and it is too late.
 *
 * A call that does much is made in pieces: what is marked "used up" says after
 * an error how far it came.
 */

#ifndef ABI_CONTROL_H
#define ABI_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

#define CONTROL_OP_VERSION 3U

/* X-macro: CONTROL_OP(number, name). */
#define CONTROL_OPS(CONTROL_OP)                                                \
    CONTROL_OP(1, host_info)                                                   \
    CONTROL_OP(2, create)                                                      \
    CONTROL_OP(3, destroy)                                                     \
    CONTROL_OP(4, pause)                                                       \
    CONTROL_OP(5, unpause)                                                     \
    CONTROL_OP(6, set_region)                                                  \
    CONTROL_OP(7, copy_to)                                                     \
    CONTROL_OP(8, copy_from)                                                   \
    CONTROL_OP(9, set_start)                                                   \
    CONTROL_OP(10, seed_grant)                                                 \
    CONTROL_OP(11, list)                                                       \
    CONTROL_OP(12, shutdown)                                                   \
    CONTROL_OP(13, log_read)                                                   \
    CONTROL_OP(14, module)                                                     \
    CONTROL_OP(15, set_sched)                                                  \
    CONTROL_OP(16, debug_key)                                                  \
    CONTROL_OP(17, vcpu_info)                                                  \
    CONTROL_OP(18, populate)                                                   \
    CONTROL_OP(19, resume)

enum control_op_number {
#define CONTROL_OP_NUMBER_(number, name) CONTROL_OP_##name = number,
    CONTROL_OPS(CONTROL_OP_NUMBER_)
#undef CONTROL_OP_NUMBER_
};

struct control_host_info {
    uint64_t total_pages;      /* OUT: RAM of the machine */
    uint64_t free_pages;       /* OUT: not in use */
    uint64_t unreserved_pages; /* OUT: neither in use nor promised */
    uint64_t uptime_ns;        /* OUT */
    uint32_t cpu_count;        /* OUT */
    uint32_t tsc_khz;          /* OUT */
    uint32_t domain_count;     /* OUT */
    uint32_t domain_max;       /* OUT */
};

/* What a domain may do to others; docs/abi/control.md has the table. */
#define DOMAIN_RIGHT_CONTROL 0x1U /* control_op, other domains' ports */
#define DOMAIN_RIGHT_DEVICE  0x2U /* device_op, machine addresses */
#define DOMAIN_RIGHT_CONSOLE 0x4U /* reading the machine's console */
#define DOMAIN_RIGHT_POWER   0x8U /* its shutdown is the machine's */

/*
 * Make an empty, paused domain.  -EPERM: a right that the caller lacks;
 * -ENOMEM: its reservation cannot be kept; -ENOSPC: no free domain id; -EEXIST:
 * that id is taken; -EOPNOTSUPP: a class that this hypervisor does not run.
 */
struct control_create {
    uint32_t class;          /* IN: CAIRN_CLASS_* */
    uint32_t vcpu_count;     /* IN: 1 .. 32; class pv: 1 .. 128 */
    uint64_t virt_base;      /* IN: address of gfn 0; class pv: 0 */
    uint64_t reserved_pages; /* IN: promised at once ("memory") */
    uint64_t max_pages;      /* IN: gfns of RAM ("maxmem") */
    uint32_t max_ports;      /* IN: highest event channel port allowed */
    uint32_t grant_frames;   /* IN: most frames of its grant table */
    uint32_t maptrack_max;   /* IN: most grants mapped at once */
    uint32_t grant_window;   /* IN: pages of its grant window; pv: 0 */
    uint32_t weight;         /* IN: processor share, 1 .. 65535, 256 usual */
    uint32_t rights;         /* IN: DOMAIN_RIGHT_*, of the caller's own */
    uint8_t uuid[16];        /* IN */
};

/* Before the first start only: protect gfns as LIGHT_PROT_*, text included. */
struct control_set_region {
    uint64_t gfn;   /* IN, used up */
    uint64_t count; /* IN, used up: pages */
    uint32_t prot;  /* IN */
};

/*
 * Copy between the caller and gfns of another domain.  copy_to text is
 * possible before the first start only (-EACCES).  At most
 * CONTROL_COPY_MAX bytes a call.
 */
#define CONTROL_COPY_MAX (1024U * 1024U)
struct control_copy {
    uint64_t gfn;    /* IN, used up: first page there */
    uint64_t buffer; /* IN, used up: address here */
    uint32_t offset; /* IN, used up: bytes into the first page, below 4096 */
    uint32_t size;   /* IN, used up: bytes */
};

/*
 * Registers at the start, before it; all others are 0.  In class pv also the
 * tables: a frame of the domain that is validated and pinned as L4.
 */
struct control_set_start {
    uint32_t vcpu; /* IN */
    uint64_t rip;  /* IN */
    uint64_t rsp;  /* IN */
    uint64_t rsi;  /* IN */
    uint64_t l4;   /* IN: mfn; class light: 0 */
};

/*
 * Class pv only, before the first start: give pfns a frame each, from what was
 * reserved.  In this class what is called gfn elsewhere is an mfn.  -ENOMEM: no
 * frame left, or it has its maximum.
 */
struct control_populate {
    uint64_t pfn;    /* IN, used up: first */
    uint64_t count;  /* IN, used up */
    uint64_t buffer; /* IN, used up: address of uint64_t[count], for the mfns */
};

/* Write grant entry @ref of the domain: @gfn for @to, readable and writable. */
struct control_seed_grant {
    uint32_t ref; /* IN: below GNTTAB_NR_RESERVED */
    domid_t to;   /* IN */
    uint64_t gfn; /* IN */
};

/* control_domain_info.flags */
#define CONTROL_DOM_dying    0x01U
#define CONTROL_DOM_shutdown 0x02U
#define CONTROL_DOM_paused   0x04U
#define CONTROL_DOM_blocked  0x08U
#define CONTROL_DOM_running  0x10U
#define CONTROL_DOM_initial  0x20U /* the initial domain */

#define CONTROL_REASON_BYTES 64

struct control_domain_info {
    domid_t domid;
    uint16_t class;           /* CAIRN_CLASS_* */
    uint32_t flags;           /* CONTROL_DOM_* */
    uint32_t shutdown_reason; /* SHUTDOWN_*, valid with the flag */
    uint32_t vcpu_count;
    uint64_t cpu_time_ns;
    uint64_t reserved_pages;
    uint64_t max_pages;
    uint64_t used_pages;   /* RAM pages populated now */
    uint64_t table_pages;  /* page tables */
    uint64_t record_bytes; /* the hypervisor's own records */
    uint32_t ports_used, ports_max;
    uint32_t grant_frames_used, grant_frames_max;
    uint32_t maptrack_used, maptrack_max;
    uint32_t weight;
    uint32_t cap;              /* percent of a CPU; 0: none */
    uint32_t reserved_percent; /* of a CPU */
    uint32_t pause_count;
    uint64_t shared_info; /* class pv: its mfn, for start_info; else 0 */
    uint8_t uuid[16];
    char crash_reason[CONTROL_REASON_BYTES]; /* text, "" if none */
};

/*
 * Domains with ids of at least op.domid (used up), ascending, as many as fit.
 */
struct control_list {
    uint64_t buffer; /* IN, used up: address of control_domain_info[room] */
    uint32_t room;   /* IN, used up */
    uint32_t count;  /* IN: 0; OUT */
};

struct control_shutdown {
    uint32_t
        reason; /* IN: SHUTDOWN_*: stop the domain at once, as if it asked */
};

/*
 * Read the hypervisor's log.  Positions are bytes since boot; an older one
 * than the ring still holds is moved up.
 */
struct control_log_read {
    uint64_t position; /* IN OUT */
    uint64_t buffer;   /* IN, used up */
    uint32_t size;     /* IN, used up */
    uint32_t count;    /* IN: 0; OUT: bytes copied */
};

/* Boot modules but the first.  -ENOENT: no such @index. */
#define CONTROL_MODULE_STRING 256
struct control_module {
    uint32_t index;  /* IN: 0 is the first after the initial domain */
    uint32_t gfn;    /* OUT: first page in the module window */
    uint64_t bytes;  /* OUT */
    uint64_t string; /* IN: address of char[CONTROL_MODULE_STRING], filled */
};

/*
 * Bounds of a domain's processor time.  -ENOSPC: more would be reserved than
 * there is; -ENOENT: no such vCPU.
 */
#define CONTROL_SCHED_KEEP (~0U) /* as it is */
struct control_set_sched {
    uint32_t weight;   /* IN: 1 .. 65535 or KEEP: share, among its vCPUs */
    uint32_t cap;      /* IN: most, in percent of a CPU; 0: none; KEEP */
    uint32_t reserved; /* IN: least, in percent of a CPU; KEEP */
    uint32_t vcpu;     /* IN: the one affinity is of; KEEP: all */
    uint64_t affinity; /* IN: CPUs it may run on, a bit each; 0: as it is */
};

/*
 * One vCPU, of those below control_domain_info.vcpu_count: -ENOENT.
 */
struct control_vcpu_info {
    uint32_t vcpu;  /* IN */
    uint32_t state; /* OUT: RUNSTATE_* */
    uint32_t cpu;   /* OUT: where it runs or ran last */
    uint32_t pad;
    uint64_t affinity;    /* OUT */
    uint64_t cpu_time_ns; /* OUT */
};

/*
 * resume has no arguments: a domain that has ended as SHUTDOWN_suspend goes on
 * where it was, and the call by which its vCPU 0 did returns 1.  -EINVAL: it
 * has not, or for another reason.
 */

/* A pause is over when none of the domain's vCPUs runs any more. */
struct control_pause {
    uint32_t counted; /* IN: 0 */
};

struct control_debug_key {
    uint32_t key; /* IN: what the key does goes to the log */
};

struct control_op {
    uint32_t cmd;     /* IN: CONTROL_OP_* */
    uint32_t version; /* IN: CONTROL_OP_VERSION */
    domid_t domid;    /* IN: subject; create: wanted or DOMID_INVALID, OUT */
    uint16_t pad[3];
    union {
        struct control_host_info host_info;
        struct control_create create;
        struct control_set_region set_region;
        struct control_copy copy;
        struct control_set_start set_start;
        struct control_seed_grant seed_grant;
        struct control_populate populate;
        struct control_list list;
        struct control_shutdown shutdown;
        struct control_log_read log_read;
        struct control_module module;
        struct control_set_sched set_sched;
        struct control_debug_key debug_key;
        struct control_vcpu_info vcpu_info;
        struct control_pause pause;
        uint8_t size[112];
    } u;
};

_Static_assert(sizeof(struct control_create) == 72, "ABI");
_Static_assert(sizeof(struct control_copy) == 24, "ABI");
_Static_assert(sizeof(struct control_set_start) == 40, "ABI");
_Static_assert(sizeof(struct control_domain_info) == 192, "ABI");
_Static_assert(sizeof(struct control_op) == 128, "ABI");

#endif /* ABI_CONTROL_H */
