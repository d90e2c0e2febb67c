/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by taking all there is. */

#include "attack/attack.h"

#include <string.h>

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/ports.h"
#include "framework/test.h"

extern char rt_image_end[];

static void *gfn_va(uint64_t gfn)
{
    return (void *)(uintptr_t)(layout.virt_base + gfn * PAGE_SIZE);
}

/* Pages that hold nothing of ours; start_info and the rings lie behind. */
static uint64_t first_free(void)
{
    return frame_of(rt_image_end) + 64;
}

static void touch(void *page)
{
    *(volatile uint8_t *)page = 1;
}

void attack_memory(void)
{
    uint64_t top = layout.ram_pages - 16;

    for (uint64_t n = rounds(3); n > 0; n--) {
        struct light_discard op = {.gfn = first_free(),
                                   .count = top - first_free()};

        for (uint64_t gfn = first_free(); gfn < top; gfn++)
            fault_probe(touch, gfn_va(gfn));
        hypercall_light_op(LIGHT_OP_discard, &op);
    }
    /* Behind RAM there is none. */
    for (uint64_t gfn = layout.ram_pages; gfn < layout.ram_pages + 5000; gfn++)
        hypercall_light_op(LIGHT_OP_discard,
                           &(struct light_discard){.gfn = gfn, .count = 1});
    /* All of it stays taken. */
    for (uint64_t gfn = first_free(); gfn < top; gfn++)
        fault_probe(touch, gfn_va(gfn));
}

void attack_ports(void)
{
    for (uint64_t n = rounds(20); n > 0; n--) {
        evtchn_port_t last = 0, port;

        while ((port = port_alloc_unbound((domid_t)random_below(64))) != 0)
            last = port;
        if (port_error != -ABI_ENOSPC)
            broken("ports ended with", (uint64_t)port_error);
        for (domid_t domid = 0; domid < 16; domid++) {
            for (evtchn_port_t other = 1; other < 64; other++) {
                port = port_bind(domid, other);
                if (port != 0 && domid != own_domid)
                    broken("bound a port of domain", domid);
            }
        }
        /* The builder's own, for store and console, are left in peace. */
        for (port = 3; port <= last; port++) {
            port_send(port);
            if (n > 1)
                port_close(port);
        }
    }
}

PAGES(page, 1);

void attack_grants(void)
{
    struct gnttab_setup_table grow = {.dom = DOMID_SELF};
    static uint64_t list[LIGHT_GRANT_FRAMES_MAX];

    if (!grants_init())
        return;
    for (uint32_t n = 1; n <= LIGHT_GRANT_FRAMES_MAX; n++) {
        grow.nr_frames = n;
        grow.frame_list = hypercall_ptr(list);
        hypercall_grant_table_op(GNTTABOP_setup_table, &grow, 1);
    }
    for (uint64_t n = rounds(20000); n > 0; n--) {
        domid_t domid = (domid_t)random_below(32);
        grant_ref_t ref = (grant_ref_t)random_below(600);
        struct gnttab_map_grant_ref op =
            grant_map(domid, ref, grant_slot((unsigned int)random_below(16)),
                      (uint32_t)random_below(64));

        if (op.status == GNTST_okay && domid != own_domid)
            broken("mapped a grant of domain", domid);
        if (grant_copy_in(domid, ref, 0, page, 64) == GNTST_okay &&
            domid != own_domid)
            broken("copied from domain", domid);
        grant_unmap((grant_handle_t)random_below(64),
                    grant_slot((unsigned int)random_below(16)));
        /* The two reserved entries are the console's and the store's. */
        ref = 8 + (grant_ref_t)random_below(504);
        grants[ref].domid = (domid_t)random_below(8);
        grants[ref].frame = random_below(4) ? (uint32_t)frame_of(page)
                                            : (uint32_t)random_next();
        grants[ref].flags = (uint16_t)random_next();
    }
}

/* The console as fast as it goes; then time to be heard again. */
void attack_print(void)
{
    static char line[128];
    uint64_t begun = now_ns(), took;

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\n';
    for (uint64_t n = rounds(10000); n > 0; n--)
        hypercall_console_io(CONSOLEIO_write, sizeof(line), line);
    took = now_ns() - begun;
    idle_ns(2000000000UL);
    print("attack print: it took %lu ms\n", took / 1000000);
}

/* Timers that are always due. */
void attack_timer(void)
{
    evtchn_port_t port = port_bind_virq(VIRQ_TIMER, 0);

    unmask_upcalls();
    for (uint64_t n = rounds(200000); n > 0; n--)
        hypercall_set_timer_op(now_ns() + random_below(2000));
    mask_upcalls();
    port_close(port);
}
