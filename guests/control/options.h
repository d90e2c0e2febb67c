/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers on the control domain's command line. */

#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

/* That of option @name; @otherwise without it, or with one above @max. */
uint32_t option_number(const char *name, uint32_t otherwise, uint32_t max);

#endif /* OPTIONS_H */
