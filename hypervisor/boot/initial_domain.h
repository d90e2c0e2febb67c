/* SPDX-License-Identifier: BSD-2-Clause */
/* Building the initial domain from the first boot module. */

#ifndef BOOT_INITIAL_DOMAIN_H
#define BOOT_INITIAL_DOMAIN_H

/*
 * Build it and let it run, once sched_start() is called; the other modules
 * appear in its module window.  Panics, with what is wrong, if it cannot.
 */
void load_initial_domain(void);

#endif /* BOOT_INITIAL_DOMAIN_H */
