/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pinning: from the moment an entry is checked until its use ends.
 *
 *     entry:   permit_access --pin--> reading, writing set --last unpin-->
 * clear record:  pins 0        --pin--> frame, domid fixed   --last unpin--> 0
 *
 * Each pin holds a reference to the frame, and one of type FRAME_WRITABLE if
 * it is for writing.
 */

#ifndef GRANT_ACTIVE_H
#define GRANT_ACTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/grant_table.h>

#include "lib/compiler.h"

struct domain;
struct frame;
struct grant_active;

/* What was pinned; valid as long as the granter is held. */
struct grant_pin {
    struct grant_entry_v1 *entry;
    struct grant_active *active;
    struct frame *frame;
    bool write;
};

/*
 * Pin entry @ref of @granter for @user, as @pin->write says.  GNTST_okay and
 * the rest of @pin, or the status to answer: bad_gntref, no such entry;
 * general_error, it does not let @user do that; bad_page, it names no RAM of
 * @granter; eagain, the page has no frame and none is free; no_space, no
 * record to be had; bad_domain, @granter is dying.
 */
int16_t __must_check grant_pin(struct domain *granter, grant_ref_t ref,
                               domid_t user, struct grant_pin *pin);

/* Undo a grant_pin() of entry @ref.  With its grant_pin: active_near.h. */
void grant_unpin_ref(struct domain *granter, grant_ref_t ref, bool write,
                     struct frame *frame);

#endif /* GRANT_ACTIVE_H */
