/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550 at COM1, for the console only, which has its lock. */

#pragma once

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
