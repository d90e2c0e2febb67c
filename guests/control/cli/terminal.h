/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prompt on the machine's console.
 *
 * Lines are edited in the loop's context and carried out, one after the other,
 * by a thread.  What is typed meanwhile is kept for the next prompt.  While a
 * guest's console is attached, all keys but Ctrl-] go to the guest.
 */

#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

/* Show the first prompt and take commands from now on.  -ABI_ENOMEM. */
int terminal_start(void);

#endif /* CLI_TERMINAL_H */
