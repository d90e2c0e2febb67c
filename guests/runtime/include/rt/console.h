/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain's console: the ring the builder gave, else the hypervisor's own
 * console.  stdout and stderr go here; stdin comes from here.
 */

#ifndef RT_CONSOLE_H
#define RT_CONSOLE_H

#include <stddef.h>

/*
 * Print.  Never waits: what does not fit into the ring is kept up to a limit,
 * then dropped with a note of how much.  "\n" becomes "\r\n" on the
 * hypervisor's console only, which does so itself.
 */
void rt_console_write(const char *text, size_t size);

/*
 * Have what goes to stdout and stderr passed to @fn, which prints it by
 * rt_console_write(); for a program with a prompt to keep whole.  NULL: no
 * more.
 */
void rt_console_on_stdout(void (*fn)(const char *text, size_t size));

/*
 * Have typed bytes passed to @fn, from the loop's context, instead of to
 * stdin.  NULL: back to stdin.
 */
void rt_console_on_input(void (*fn)(void *arg, const char *text, size_t size),
                         void *arg);

/*
 * Take up to @size bytes for stdin; waits for the first (threads only).
 */
size_t rt_console_read(char *text, size_t size);

#endif /* RT_CONSOLE_H */
