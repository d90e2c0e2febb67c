/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest of class pv may have in its descriptor tables. */

#pragma once

/*
 * Make *@descriptor, eight bytes of a GDT or LDT that is to be used, harmless:
 * segments lose rings below 3.  False: it is one that no guest may have.
 */
bool __must_check descriptor_fix(uint64_t *descriptor);
