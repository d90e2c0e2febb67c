/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of guests: making them whole or not at all, ending them without
 * leaving anything, and what happens when one ends by itself.
 *
 *                create                    by itself: its policy
 *     (nothing) --------> paused, running -----------------------> shut down
 *         ^                    |                                    |    |
 *         |                    | destroy               destroy,     |    |
 * restart
 *         '--------------------'-----------------------preserve+----'    v
 *                                  destroy                          a new
 * domain
 *
 * One thread at a time changes anything here; the others wait.  Threads only.
 */

#ifndef DOMAIN_LIFECYCLE_H
#define DOMAIN_LIFECYCLE_H

#include <stdbool.h>

#include <abi/domid.h>

#include "config/domain_config.h"

struct guest;

/* Follow the ends of domains; @self is the id of this one. */
int lifecycle_start(domid_t self);

/*
 * Make a domain and start it, unless @paused.  NULL: @error is a sentence that
 * says why not, and nothing is left of it.
 */
struct guest *lifecycle_create(const struct domain_config *config, bool paused,
                               char error[CONFIG_ERROR_BYTES]);

/*
 * End @guest at once and wait until nothing is left of it; @guest is gone
 * then, unless this fails: @error says why.
 */
bool lifecycle_destroy(struct guest *guest, char error[CONFIG_ERROR_BYTES]);

bool lifecycle_pause(struct guest *guest, char error[CONFIG_ERROR_BYTES]);
bool lifecycle_unpause(struct guest *guest, char error[CONFIG_ERROR_BYTES]);

/*
 * Ask it to suspend itself, where it stays until it is resumed or destroyed;
 * its kernel must be one that can go on afterwards.
 */
bool lifecycle_suspend(struct guest *guest, char error[CONFIG_ERROR_BYTES]);
bool lifecycle_resume(struct guest *guest, char error[CONFIG_ERROR_BYTES]);

/* Ask it to end, or to start anew: "poweroff", "reboot". */
bool lifecycle_ask(struct guest *guest, const char *how,
                   char error[CONFIG_ERROR_BYTES]);

#endif /* DOMAIN_LIFECYCLE_H */
