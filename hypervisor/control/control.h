/* SPDX-License-Identifier: BSD-2-Clause */
/* What start-up tells the control room. */

#pragma once

/* The next module lies at @g; @string stays where it is. */
void module_add(gfn_t g, uint64_t bytes, const char *string);
