/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests that this control domain has built: found by id, by name and by
 * inside address.
 */

#ifndef DOMAIN_GUEST_H
#define DOMAIN_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <abi/domid.h>

#include "config/domain_config.h"
#include "lib/table.h"

/* The inside network: the router is its first address. */
#define INSIDE_NETWORK 0x0a400000U /* 10.64.0.0 */
#define INSIDE_NETMASK 0xffff0000U
#define INSIDE_GATEWAY 0x0a400001U

struct guest_vif {
    struct table_link by_ip, by_mac;
    struct guest *guest;
    uint32_t ip;
    uint8_t mac[6];
};

struct guest {
    struct table_link by_domid, by_name;
    TAILQ_ENTRY(guest) in_all;
    struct domain_config config;
    domid_t domid;
    bool has_domid, paused;
    bool resumable;                    /* its kernel says so */
    bool shut_down;                    /* and what its policy says was done */
    uint32_t store_port, console_port; /* in the guest */
    uint64_t store_gfn, console_gfn;
    uint64_t started_ns;
    unsigned int quick_ends; /* one after the other */
    struct guest_vif vif[CONFIG_VIFS_MAX];
    unsigned int vif_count;
    unsigned int forward_count; /* that are in force */
};

TAILQ_HEAD(guest_list, guest);

/* In order of creation. */
struct guest_list *guest_all(void);
uint32_t guest_count(void);

struct guest *guest_find(domid_t domid);
struct guest *guest_find_name(const char *name);
struct guest *guest_find_ip(uint32_t ip);
struct guest *guest_find_mac(const uint8_t mac[6]);

/* By name, or by number if @text is one. */
struct guest *guest_find_text(const char *text);

/*
 * A new record with the configuration's name, not yet a domain; NULL: out of
 * memory.  The name must be free.
 */
struct guest *guest_new(const struct domain_config *config);
void guest_free(struct guest *guest);

void guest_set_domid(struct guest *guest, domid_t domid);
void guest_clear_domid(struct guest *guest);

/*
 * Give each vif of the configuration its address: the one asked for, or a free
 * one that the domain's number suggests, and note it in the configuration, so
 * that a restart gives it again.  False: @error says why not.
 */
bool guest_choose_addresses(struct guest *guest,
                            char error[CONFIG_ERROR_BYTES]);
void guest_drop_addresses(struct guest *guest);

#endif /* DOMAIN_GUEST_H */
