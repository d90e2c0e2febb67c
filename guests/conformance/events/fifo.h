/* SPDX-License-Identifier: BSD-2-Clause */
/* The FIFO ABI as a guest uses it: its pages, and taking what is queued. */

#ifndef EVENTS_FIFO_H
#define EVENTS_FIFO_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event_channel.h>

#define FIFO_PAGES_MAX (EVTCHN_FIFO_PORTS / EVTCHN_FIFO_PAGE_PORTS)

/* Control blocks lie so far apart in one page. */
#define FIFO_CONTROL_BYTES 128U

long fifo_init_control(uint64_t gfn, uint32_t offset, uint32_t vcpu);
long fifo_expand_array(uint64_t gfn);
long fifo_set_priority(evtchn_port_t port, uint32_t priority);

/* Frames of the page with the control blocks, and of the words' pages. */
uint64_t fifo_control_frame(void);
uint64_t fifo_word_frame(unsigned int page);

/*
 * Switch to FIFO: control blocks for @vcpus, @pages of words that are not
 * masked.  False: it cannot be, and the case has failed.
 */
bool fifo_begin(unsigned int vcpus, unsigned int pages);

/* Close all ports, and back to 2-level. */
void fifo_end(void);

volatile uint32_t *fifo_word(evtchn_port_t port);
volatile struct evtchn_fifo_control *fifo_control(unsigned int vcpu);

/* Forget all that is queued, and what a hostile case left behind. */
void fifo_clean(void);

/*
 * Take what vCPU @vcpu has queued, as a guest must while others send: a port
 * that is pending and not masked is not pending any more, and passed to @fn.
 * Returns how many there were.
 */
unsigned int fifo_take(unsigned int vcpu, void (*fn)(evtchn_port_t port));

#endif /* EVENTS_FIFO_H */
