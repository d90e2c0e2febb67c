/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550, polled for output: the log must work when nothing else does. */

#include "core/console.h"

#include "arch/x86_64/cpu.h"

#define COM1 0x3f8

#define UART_DATA    0 /* with DLAB: divisor, low */
#define UART_IER     1 /* with DLAB: divisor, high */
#define UART_IIR_FCR 2
#define UART_LCR     3
#define UART_MCR     4
#define UART_LSR     5
#define UART_SCRATCH 7

#define IER_RECEIVED  0x01
#define FCR_ENABLE    0x07 /* FIFOs on and empty, interrupt at one byte */
#define LCR_8N1       0x03
#define LCR_DLAB      0x80
#define MCR_DTR_RTS   0x03
#define MCR_OUT2      0x08 /* lets the interrupt through on a PC */
#define LSR_RECEIVED  0x01
#define LSR_THR_EMPTY 0x20

#define DIVISOR_115200 1
#define FIFO_BYTES     16

/* A byte takes 87 us at 115200 baud, and a port read about 1 us. */
#define WAIT_READS 20000

static bool present;
static bool stuck; /* the last wait was in vain: wait no more until it moves */
static unsigned int room; /* bytes the FIFO takes for sure */

/* Xen's words for the line that ours is: so that the same ones start both. */
static bool is_our_port(struct text text)
{
    return text_is(text, "com1");
}
BOOT_OPTION_PARSED(console, "console", "console=com1, the only one there is",
                   is_our_port);

static bool is_our_line(struct text text)
{
    return text_is(text, "115200,8n1");
}
BOOT_OPTION_PARSED(com1, "com1", "com1=115200,8n1, as it always is",
                   is_our_line);

void uart_init(void)
{
    port_write8(COM1 + UART_SCRATCH, 0x5a);
    present = port_read8(COM1 + UART_SCRATCH) == 0x5a;
    if (!present)
        return;
    port_write8(COM1 + UART_IER, 0);
    port_write8(COM1 + UART_LCR, LCR_DLAB);
    port_write8(COM1 + UART_DATA, DIVISOR_115200);
    port_write8(COM1 + UART_IER, 0);
    port_write8(COM1 + UART_LCR, LCR_8N1);
    port_write8(COM1 + UART_IIR_FCR, FCR_ENABLE);
    port_write8(COM1 + UART_MCR, MCR_DTR_RTS | MCR_OUT2);
}

static bool wait_for_room(void)
{
    for (unsigned int i = 0; i < (stuck ? 1 : WAIT_READS); i++) {
        if (port_read8(COM1 + UART_LSR) & LSR_THR_EMPTY) {
            stuck = false;
            room = FIFO_BYTES;
            return true;
        }
        cpu_relax();
    }
    stuck = true;
    return false;
}

void uart_put(char c)
{
    if (!present || (!room && !wait_for_room()))
        return;
    room--;
    port_write8(COM1 + UART_DATA, (uint8_t)c);
}

bool uart_get(char *c)
{
    if (!present || !(port_read8(COM1 + UART_LSR) & LSR_RECEIVED))
        return false;
    *c = (char)port_read8(COM1 + UART_DATA);
    return true;
}

void uart_enable_interrupt(void)
{
    if (present)
        port_write8(COM1 + UART_IER, IER_RECEIVED);
}
