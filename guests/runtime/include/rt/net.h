/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP (NO_SYS=1, raw API) in the event loop.
 *
 * All of lwIP runs in the loop's context.  Its clock is rt_now_ns().  Its
 * cyclic timers run only while something needs them: each is listed with a
 * function that says so, asked after every round of the loop and after every
 * tick.  An idle guest so has no timer at all.
 *
 * Needs in lwipopts.h: NO_SYS 1, LWIP_TIMERS 1, LWIP_TIMERS_CUSTOM 1.
 * sys_timeout() and sys_untimeout() are there.
 */

#ifndef RT_NET_H
#define RT_NET_H

#include <stdbool.h>
#include <stdint.h>

struct netif;

struct net_cyclic {
    uint32_t interval_ms;
    void (*tick)(void);
    bool (*needed)(void);
    uint32_t catch_up; /* most missed ticks to make up for, 0: none */
    /* The rest is net.c's own. */
    uint64_t next_ns; /* 0 while not running */
    uint64_t stopped_ns;
    struct net_cyclic *next;
};

/* Start lwIP; lists the timers of TCP and ARP.  Once, before all else. */
void net_init(void);

/* List one more, e.g. dhcp_fine_tmr. */
void net_cyclic_add(struct net_cyclic *cyclic);

/*
 * For the `needed` of a program's own timers: has a frame gone in or out of
 * any interface (net_activity() calls) within the last @ms milliseconds?
 */
bool net_active_within(uint32_t ms);

/* A driver calls this for each batch of frames in or out. */
void net_activity(void);

/*
 * Make @netif, static storage, an interface over device/vif/@index.  Address,
 * netmask and gateway come from the store nodes "ip", "netmask" and "gateway"
 * beside the frontend's others.  Follows link and address changes.
 */
int net_vif_add(struct netif *netif, unsigned int index);

#endif /* RT_NET_H */
