/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a port pending, FIFO ABI. */

#include "event/table.h"

/*
 * How often a guest may change a word under our hands.  It has no reason to
 * more than twice while the word is busy; each of the 63 other CPUs may set
 * it pending once.
 */
#define LINK_TRIES 66

bool fifo_is_linked(const struct fifo *f, evtchn_port_t port)
{
    const uint32_t *word = f ? fifo_word(f, port) : NULL;

    return word && atomic_read(word) & EVTCHN_WORD_LINKED;
}

/*
 * Let @word, of what was the last port of its queue, link to @port.  False:
 * the guest has taken it out, or does not let us.
 */
static bool link_behind(uint32_t *word, evtchn_port_t port)
{
    uint32_t seen = atomic_read(word);

    for (int i = 0; i < LINK_TRIES && seen & EVTCHN_WORD_LINKED; i++) {
        uint32_t linked =
            (seen & ~(EVTCHN_WORD_BUSY | EVTCHN_WORD_LINK_MASK)) | port;

        if (atomic_cmpxchg(word, &seen, linked))
            return true;
        if (!(seen & EVTCHN_WORD_BUSY))
            seen = atomic_or(word, EVTCHN_WORD_BUSY) | EVTCHN_WORD_BUSY;
    }
    if (seen & EVTCHN_WORD_BUSY)
        (void)atomic_and(word, ~EVTCHN_WORD_BUSY);
    return false;
}

/* Put @port at the end of its queue.  True: the queue was empty. */
static bool enqueue(struct evtchn_table *t, evtchn_port_t port, uint32_t queue,
                    struct evtchn_fifo_control *control)
    __must_hold(t->fifo->lock)
{
    struct fifo *f = t->fifo;
    struct evtchn *chn = table_at(t, port);
    evtchn_port_t *tail = &f->tail[queue];
    bool linked;

    /* It was the last of a queue that is empty now: nothing comes after it. */
    if (f->tail[chn->last_queue] == port)
        f->tail[chn->last_queue] = 0;
    chn->last_queue = (uint16_t)queue;

    linked = *tail && link_behind(fifo_word(f, *tail), port);
    if (!linked)
        atomic_write(&control->head[queue % EVTCHN_FIFO_PRIORITIES], port);
    *tail = port;
    return !linked;
}

static void link_port(struct evtchn_table *t, evtchn_port_t port,
                      uint32_t *word)
{
    uint32_t queue = atomic_read(&table_at(t, port)->queue);
    uint32_t vcpu = queue / EVTCHN_FIFO_PRIORITIES;
    struct evtchn_fifo_control *control = atomic_read(&t->fifo->control[vcpu]);
    uint32_t ready = 1U << queue % EVTCHN_FIFO_PRIORITIES;
    bool was_empty = false;

    /* The vCPU may have none yet: the port is linked when it is sent again. */
    if (!control)
        return;
    spin_lock(&t->fifo->lock);
    if (!(atomic_or(word, EVTCHN_WORD_LINKED) & EVTCHN_WORD_LINKED))
        was_empty = enqueue(t, port, queue, control);
    spin_unlock(&t->fifo->lock);

    if (was_empty && !(atomic_or(&control->ready, ready) & ready))
        evtchn_upcall(t->domain->vcpu[vcpu]);
}

/*
 * A port without a word waits for it.  The bit is set before the end is looked
 * at again, and expand_array moves the end before it looks for bits: one of
 * the two sees the other.
 */
void fifo_set_pending(struct evtchn_table *t, evtchn_port_t port)
{
    uint32_t *word = fifo_word(t->fifo, port);

    if (!word) {
        (void)bit_test_and_set(t->waiting, port);
        word = fifo_word(t->fifo, port);
        if (!word || !bit_test_and_clear(t->waiting, port))
            return;
    }
    if (!(atomic_or(word, EVTCHN_WORD_PENDING) &
          (EVTCHN_WORD_MASKED | EVTCHN_WORD_LINKED)))
        link_port(t, port, word);
}

void fifo_clear_pending(struct evtchn_table *t, evtchn_port_t port)
{
    uint32_t *word = fifo_word(t->fifo, port);

    (void)bit_test_and_clear(t->waiting, port);
    if (word)
        (void)atomic_and(word, ~EVTCHN_WORD_PENDING);
}

bool fifo_is_pending(const struct evtchn_table *t, evtchn_port_t port)
{
    const uint32_t *word = fifo_word(t->fifo, port);

    return word ? atomic_read(word) & EVTCHN_WORD_PENDING
                : bit_test(t->waiting, port);
}

void fifo_unmask(struct evtchn_table *t, evtchn_port_t port)
{
    uint32_t *word = fifo_word(t->fifo, port);

    if (word && atomic_and(word, ~EVTCHN_WORD_MASKED) & EVTCHN_WORD_PENDING)
        fifo_set_pending(t, port);
}
