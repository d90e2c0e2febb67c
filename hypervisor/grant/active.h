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

/*
 * Pin entry @ref of @granter for @user.  GNTST_okay and the frame, or the
 * status to answer: bad_gntref, no such entry; general_error, it does not let
 * @user do that; bad_page, it names no RAM of @granter; eagain, the page has
 * no frame and none is free; no_space, no record to be had; bad_domain,
 * @granter is dying.
 */
int16_t __must_check grant_pin(struct domain *granter, grant_ref_t ref,
                               domid_t user, bool write, struct frame **frame);

/* Undo a grant_pin() of @frame. */
void grant_unpin(struct domain *granter, grant_ref_t ref, bool write,
                 struct frame *frame);

#endif /* GRANT_ACTIVE_H */
