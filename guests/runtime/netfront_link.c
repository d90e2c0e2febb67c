/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection of a network frontend; see netfront_link.h. */

#include "netfront_link.h"

#include <stdlib.h>

#include <abi/errno.h>

#include <rt/event.h>
#include <rt/grant.h>
#include <rt/page.h>

/*
 * Receive buffers at first; a backend that uses them all up at once gets more.
 * Posting one costs no memory on Cairn before a frame comes.
 */
#define RX_BUFFERS_FIRST 8U

/* Pages that a backend still had mapped when we wanted them back. */
struct kept_page {
    struct kept_page *next;
    struct lent_page page;
};
static struct kept_page *kept;

static int lend(domid_t backend, bool readonly, struct lent_page *page)
{
    int rc;

    page->va = page_alloc(1);
    if (!page->va)
        return -ABI_ENOMEM;
    rc = rt_grant_give(backend, page->va, readonly, &page->ref);
    if (rc != 0) {
        page_free(page->va, 1);
        page->va = NULL;
    }
    return rc;
}

static void keep(struct lent_page page)
{
    struct kept_page *entry = malloc(sizeof(*entry));

    /* Without a record of it the page stays lent, which is safe. */
    if (!entry)
        return;
    entry->page = page;
    entry->next = kept;
    kept = entry;
}

static void take_back(struct lent_page *page)
{
    if (!page->va)
        return;
    if (rt_grant_end(page->ref) == 0)
        page_free(page->va, 1);
    else
        keep(*page);
    page->va = NULL;
}

/* An earlier backend may have let go by now. */
static void retry_kept(void)
{
    struct kept_page *list = kept;

    kept = NULL;
    while (list) {
        struct kept_page *next = list->next;

        take_back(&list->page);
        free(list);
        list = next;
    }
}

static void add_rx(struct netfront_link *link, uint32_t count)
{
    struct lent_page page;

    while (count-- > 0 && link->rx.page_count < RX_BUFFERS_MAX &&
           lend(link->backend, false, &page) == 0)
        front_rx_add_page(&link->rx, page);
}

bool netfront_link_more_tx(struct netfront_link *link)
{
    struct lent_page page;

    if (link->tx.broken || link->tx.page_count == TX_PAGES_MAX ||
        lend(link->backend, true, &page) != 0)
        return false;
    front_tx_add_page(&link->tx, page);
    return true;
}

void netfront_link_more_rx(struct netfront_link *link)
{
    add_rx(link, link->rx.page_count);
}

int netfront_link_open(struct netfront_link *link, domid_t backend,
                       void (*event)(void *arg), void *arg)
{
    int rc;

    retry_kept();
    link->backend = backend;
    link->port = 0;
    link->tx_page.va = link->rx_page.va = NULL;
    link->tx.page_count = link->rx.page_count = 0;

    rc = lend(backend, false, &link->tx_page);
    if (rc == 0)
        rc = lend(backend, false, &link->rx_page);
    if (rc == 0) {
        front_tx_init(&link->tx, (struct netif_tx_ring *)link->tx_page.va);
        front_rx_init(&link->rx, (struct netif_rx_ring *)link->rx_page.va);
        rc = rt_port_alloc_unbound(backend, &link->port);
    }
    if (rc == 0)
        rc = rt_port_bind(link->port, event, arg);
    if (rc == 0) {
        add_rx(link, RX_BUFFERS_FIRST);
        if (link->rx.page_count == 0)
            rc = -ABI_ENOMEM;
        front_rx_publish(&link->rx);
    }
    if (rc != 0)
        netfront_link_close(link);
    return rc;
}

void netfront_link_close(struct netfront_link *link)
{
    if (link->port)
        rt_port_close(link->port);
    link->port = 0;
    for (uint32_t i = 0; i < link->tx.page_count; i++)
        take_back(&link->tx.pages[i]);
    for (uint32_t i = 0; i < link->rx.page_count; i++)
        take_back(&link->rx.pages[i]);
    take_back(&link->tx_page);
    take_back(&link->rx_page);
}

void netfront_link_rest(struct netfront_link *link)
{
    front_tx_reap(&link->tx);
    if (!front_tx_idle(&link->tx) || front_rx_waiting(&link->rx))
        return;
    for (uint32_t i = 0; i < link->tx.page_count; i++)
        page_discard(link->tx.pages[i].va, 1);
    for (uint32_t i = 0; i < link->rx.page_count; i++)
        page_discard(link->rx.pages[i].va, 1);
}
