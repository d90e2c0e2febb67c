/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's console: a 16550 at COM1, or nothing.
 *
 * Output interleaves by whole lines: what a domain writes is kept until its
 * newline (or until a bound), then printed at once, so that two writers never
 * share a line; the initial domain's prompt is the exception, printed as it
 * comes while nothing else is in the middle of a line.
 *
 * Input goes to the initial domain (VIRQ_CONSOLE, then console_read), until
 * Ctrl-A typed three times switches it to the debug keys and back.
 */

#pragma once

#include <abi/domid.h>

/* Raw bytes out, used by the log; polls the UART. */
void console_write(const char *bytes, size_t size);

/* The same without the lock, for a panic: its holder may never give it back. */
void console_write_panic(const char *bytes, size_t size);

/* What a domain writes: "(dN) " in front of each line but the initial's. */
void console_write_domain(domid_t domid, const char *bytes, size_t size);

/* Take at most @size bytes of typed input; 0 when there are none. */
size_t console_read(char *buffer, size_t size);

/* A byte was typed. */
void console_receive(char c);

/* A 16550 at COM1, for the console only, which has its lock. */

/* COM1's line at the interrupt controllers. */
#define UART_IRQ 4

/* Look for the UART and set 115200 8N1.  Without one, the rest does nothing. */
void uart_init(void);

/* Wait, for a bounded time, until there is room, and send. */
void uart_put(char c);

/* A received byte, if there is one. */
bool uart_get(char *c);

/* Let received bytes raise the interrupt. */
void uart_enable_interrupt(void);
