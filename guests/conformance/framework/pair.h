/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two domains that xl made of the same image (Xen only).
 *
 * On the command line, "peer=N" says which domain the other one is and
 * "role=child" which of the two does as it is told.  The parent lends a page
 * with its order; the child runs the function that it names, which is at the
 * same address in both, and answers there.  child.h's functions use this
 * where control_op cannot make a domain.
 */

#ifndef FRAMEWORK_PAIR_H
#define FRAMEWORK_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>

/* The reference that carries the order: no case may touch it. */
#define PAIR_REF 500U

/* There is a peer that does as it is told. */
bool pair_has_child(void);

/* The other domain's number. */
domid_t pair_peer(void);

/* This is the child: obey until it is told to end. */
bool pair_is_child(void);
_Noreturn void pair_obey(void);

/* The parent: have @fn(@argument) run there. */
bool pair_start(uint64_t (*fn)(uint64_t), uint64_t argument);

/* What came of it.  False: no answer within @timeout_ns. */
struct pair_answer {
    uint64_t result;
    unsigned int failures;
};
bool pair_wait(struct pair_answer *answer, uint64_t timeout_ns);

/* The parent: the child may end. */
void pair_end(void);

#endif /* FRAMEWORK_PAIR_H */
