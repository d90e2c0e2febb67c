/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains that a test makes (Cairn only; the guest must be privileged), or on
 * Xen the second of two that xl made, see pair.h.
 *
 * A child is a copy of this guest as it is now, in class light (or pv: then on
 * Cairn only) and without any right, that runs one function.  It prints into a
 * buffer of its own, which the parent reads and prints when the child has
 * ended, so that its failures become the running case's.  What ends it - the
 * function's end, a crash - is what the parent looks at.
 */

#ifndef FRAMEWORK_CHILD_H
#define FRAMEWORK_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/control.h>
#include <abi/domid.h>

/* What the child may be given; 0: the usual. */
struct child_limits {
    domid_t domid;         /* its number, any */
    uint64_t extra_pages;  /* RAM behind the image, 256 */
    uint64_t unpromised;   /* further pages that are not reserved, 0 */
    uint32_t max_ports;    /* 64 */
    uint32_t grant_frames; /* 2 */
    uint32_t maptrack_max; /* 32 */
    uint32_t grant_window; /* 16 pages */
    uint32_t weight;       /* 256 */
    uint32_t vcpus;        /* 1 */
    uint32_t rights;       /* DOMAIN_RIGHT_*, 0 */
    bool pv;               /* of class pv, with all of its RAM populated */
};

struct child {
    domid_t domid;
    bool made;
    uint64_t *mfn;                   /* class pv: its frames, by page number */
    struct control_domain_info info; /* as child_wait() last saw it */
    uint64_t result;                 /* what its function returned */
    bool finished;                   /* it returned at all */
};

typedef uint64_t child_fn(uint64_t argument);

/*
 * First in a case that runs one function at a time in an ordinary child, and
 * leaves nothing that the next case would find there: it runs on Xen, too.
 */
#define NEEDS_CHILD                                                            \
    do {                                                                       \
        if (!child_possible())                                                 \
            SKIP("a second domain is needed: xl makes a pair");                \
    } while (0)
bool child_possible(void);

/* Whether domains of class pv can be made: not with spec-ctrl=xpti. */
bool child_pv_possible(void);

/* In a child: end, as if its function had returned @result. */
_Noreturn void child_return(uint64_t result);

/* The number that the next child will have, @wanted where it may be chosen. */
domid_t child_domid(domid_t wanted);

/* A child's function that never ends; it takes events if @unmasked. */
uint64_t child_spin(uint64_t unmasked);

/* In a child: who started it. */
extern domid_t parent_domid;

/* The most a child may run before child_wait() gives up. */
#define CHILD_TIMEOUT_NS 20000000000UL

/*
 * Make a child that runs @fn(@argument), and start it.  False: noted as an
 * error of the case.  @limits may be NULL.
 */
bool child_start(struct child *child, const struct child_limits *limits,
                 child_fn *fn, uint64_t argument);

/* The same, but left paused. */
bool child_make(struct child *child, const struct child_limits *limits,
                child_fn *fn, uint64_t argument);

/*
 * Bounds of its processor time; what stays as it is is CHILD_KEEP, and 0 for
 * the mask of CPUs.
 */
#define CHILD_KEEP CONTROL_SCHED_KEEP
long child_schedule(struct child *child, uint32_t weight, uint32_t cap,
                    uint32_t reserved, uint64_t cpus);

/* Wait for its end, print what it printed; false: it never ended. */
bool child_wait(struct child *child);

/* What it has printed so far. */
void child_print(struct child *child);

/* Take it away. */
void child_destroy(struct child *child);

/* All three: true if the function returned. */
bool child_run(struct child *child, child_fn *fn, uint64_t argument);

/*
 * The case fails unless @fn ends by a crash of the child, with a reason, while
 * this domain goes on.  On Xen the case is only noted ("alone: N"), and the
 * image is started anew for each such call: with "alone=1" the first crashes
 * this domain itself, and so on.
 */
void child_must_crash(child_fn *fn, uint64_t argument);

/* Read and write a variable of the child, which has ours' address. */
bool child_peek(struct child *child, const void *ours, void *to, uint32_t size);
bool child_poke(struct child *child, void *ours, const void *from,
                uint32_t size);

/*
 * For child.c: RAM, image, tables and start_info of a child of class pv that
 * has @pages; -ENOMEM: more than there is room to keep a list of.
 */
long child_pv_fill(struct child *child, uint64_t pages);
long child_pv_start(struct child *child, uint64_t pages, uint64_t rip,
                    uint64_t rsp);
void child_pv_forget(struct child *child);

/* Copy our page, or any other, to page @pfn of a child. */
long child_copy_page(const struct child *child, uint64_t pfn, const void *page);

/* One control operation; @op's cmd, domid and u are filled in. */
long control(struct control_op *op);

/* Pages free in the machine. */
uint64_t free_pages(void);

#endif /* FRAMEWORK_CHILD_H */
