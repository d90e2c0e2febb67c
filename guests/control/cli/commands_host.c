/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the machine, and about one domain in detail. */

#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <abi/cpuid.h>
#include <abi/sched.h>

#include <cJSON.h>

#include <rt/page.h>
#include <rt/start.h>

#include "cli/command.h"
#include "config/net_text.h"
#include "console/service.h"
#include "domain/guest.h"
#include "domain/hv.h"
#include "net/net.h"
#include "store/quota.h"
#include "store/server.h"

#define PAGES_PER_MIB 256.0
#define LOG_PART      4096U
#define OWN_DOMID     0U /* the initial domain is the first one */

/*
 * Facts are gathered once, as pairs of a name and a number, and shown as JSON
 * or as lines.
 */
static void show(struct cli_call *call, cJSON *facts)
{
    const cJSON *f;

    if (call->json) {
        cli_print_json(call, facts);
        return;
    }
    cJSON_ArrayForEach(f, facts)
    {
        if (cJSON_IsString(f))
            cli_print(call, "%-28s %s\n", f->string, f->valuestring);
        else
            cli_print(call, "%-28s %llu\n", f->string,
                      (unsigned long long)f->valuedouble);
    }
    cJSON_Delete(facts);
}

static void add(cJSON *facts, const char *name, uint64_t value)
{
    cJSON_AddNumberToObject(facts, name, (double)value);
}

/* --- info ----------------------------------------------------------------- */

static void add_host(cJSON *facts)
{
    struct control_host_info h = {0};
    struct control_domain_info self = {0};

    (void)hv_host_info(&h);
    (void)hv_info(OWN_DOMID, &self);
    add(facts, "cpus", h.cpu_count);
    add(facts, "tsc_khz", h.tsc_khz);
    add(facts, "uptime_s", h.uptime_ns / 1000000000ULL);
    add(facts, "uptime_ns", h.uptime_ns);
    add(facts, "memory_mib", h.total_pages / (uint64_t)PAGES_PER_MIB);
    add(facts, "free_mib", h.free_pages / (uint64_t)PAGES_PER_MIB);
    add(facts, "unreserved_mib", h.unreserved_pages / (uint64_t)PAGES_PER_MIB);
    add(facts, "free_pages", h.free_pages);
    add(facts, "domains", h.domain_count);
    add(facts, "domains_max", h.domain_max);
    add(facts, "guests", guest_count());
    add(facts, "control_free_pages", page_free_count());
    add(facts, "control_pages", page_total_count());
    add(facts, "control_cpu_time_ns", self.cpu_time_ns);
    add(facts, "control_ports", self.ports_used);
    add(facts, "control_maptrack", self.maptrack_used);
}

static void add_services(cJSON *facts)
{
    struct store_server_stats s;
    struct console_stats c;

    store_server_stats(&s);
    add(facts, "store_nodes", s.nodes);
    add(facts, "store_connections", s.connections);
    add(facts, "store_watched_paths", s.watch_points);
    add(facts, "store_guest_bytes", s.guest_bytes);
    add(facts, "store_pool_bytes", STORE_POOL_BYTES);
    add(facts, "store_requests", s.requests);
    add(facts, "store_events", s.events);
    add(facts, "store_conflicts", s.conflicts);
    console_stats(&c);
    add(facts, "consoles", c.consoles);
    add(facts, "console_pool_bytes", c.pool_bytes);
    add(facts, "console_pool_bytes_max", c.pool_max_bytes);
}

static void add_drops(cJSON *facts, const struct network_info *n)
{
    char name[64];

    for (uint32_t i = 0; i < n->drop_count; i++) {
        snprintf(name, sizeof(name), "dropped, %s", n->drop[i].reason);
        add(facts, name, n->drop[i].count);
    }
}

static void add_network(cJSON *facts)
{
    struct network_info n;
    char text[MAC_TEXT_BYTES];

    network_info(&n);
    if (n.uplink) {
        mac_format(n.uplink_mac, text);
        cJSON_AddStringToObject(facts, "uplink_mac", text);
        ipv4_format(n.uplink_address, text);
        cJSON_AddStringToObject(facts, "uplink_address", text);
    } else {
        cJSON_AddStringToObject(facts, "uplink",
                                n.uplink_problem ? n.uplink_problem : "none");
    }
    ipv4_format(n.router_address, text);
    cJSON_AddStringToObject(facts, "router_address", text);
    add(facts, "uplink_rx_packets", n.uplink_rx_packets);
    add(facts, "uplink_tx_packets", n.uplink_tx_packets);
    add(facts, "flows", n.flows);
    add(facts, "flows_max", n.flows_max);
    add(facts, "forwards", n.forwards);
    add(facts, "packets_used", n.packets_used);
    add(facts, "packets_max", n.packets_max);
    add(facts, "translated_out", n.translated_out);
    add(facts, "translated_in", n.translated_in);
    add(facts, "uplink_rx_dropped", n.uplink_rx_dropped);
    add(facts, "uplink_tx_dropped", n.uplink_tx_dropped);
    add_drops(facts, &n);
}

static void add_domain(cJSON *facts, const struct guest *g,
                       const struct control_domain_info *d)
{
    char text[UUID_TEXT_BYTES];

    cJSON_AddStringToObject(facts, "name", g->config.name);
    add(facts, "domid", d->domid);
    uuid_format(d->uuid, text);
    cJSON_AddStringToObject(facts, "uuid", text);
    cJSON_AddStringToObject(facts, "kernel", g->config.kernel);
    cJSON_AddStringToObject(facts, "class",
                            d->class == CAIRN_CLASS_LIGHT ? "light" : "pv");
    cJSON_AddStringToObject(facts, "cmdline", g->config.cmdline);
    cJSON_AddStringToObject(facts, "on_crash",
                            config_action_name(g->config.on_crash));
    if (d->crash_reason[0])
        cJSON_AddStringToObject(facts, "crash_reason", d->crash_reason);
    add(facts, "memory_kib", d->reserved_pages * 4);
    add(facts, "maxmem_kib", d->max_pages * 4);
    add(facts, "used_kib", d->used_pages * 4);
    add(facts, "table_kib", d->table_pages * 4);
    add(facts, "record_bytes", d->record_bytes);
    add(facts, "cpu_time_ns", d->cpu_time_ns);
    add(facts, "cpu_weight", d->weight);
    add(facts, "ports", d->ports_used);
    add(facts, "ports_max", d->ports_max);
    add(facts, "grant_frames", d->grant_frames_used);
    add(facts, "grant_frames_max", d->grant_frames_max);
    add(facts, "maptrack", d->maptrack_used);
    add(facts, "maptrack_max", d->maptrack_max);
}

static void add_domain_vifs(cJSON *facts, const struct guest *g)
{
    char name[16], text[MAC_TEXT_BYTES];

    for (unsigned int i = 0; i < g->vif_count; i++) {
        snprintf(name, sizeof(name), "vif%u_ip", i);
        ipv4_format(g->vif[i].ip, text);
        cJSON_AddStringToObject(facts, name, text);
        snprintf(name, sizeof(name), "vif%u_mac", i);
        mac_format(g->vif[i].mac, text);
        cJSON_AddStringToObject(facts, name, text);
    }
}

static void add_domain_services(cJSON *facts, domid_t domid)
{
    struct store_server_usage s;
    struct console_usage c;

    if (store_server_usage(domid, &s)) {
        add(facts, "store_nodes", s.nodes);
        add(facts, "store_nodes_max", STORE_QUOTA_NODES);
        add(facts, "store_watches", s.watches);
        add(facts, "store_watches_max", STORE_QUOTA_WATCHES);
        add(facts, "store_transactions", s.transactions);
        add(facts, "store_transactions_max", STORE_QUOTA_TRANSACTIONS);
        add(facts, "store_node_bytes_max", STORE_QUOTA_NODE_BYTES);
        add(facts, "store_outstanding_max", STORE_QUOTA_OUTSTANDING);
        add(facts, "store_bytes", s.bytes);
        add(facts, "store_certain_bytes", STORE_CERTAIN_BYTES);
        if (s.error)
            cJSON_AddStringToObject(facts, "store_error", s.error);
    }
    if (console_usage(domid, &c)) {
        add(facts, "console_printed_bytes", c.printed_bytes);
        add(facts, "console_log_bytes", c.log_bytes);
        add(facts, "console_log_bytes_max", CONSOLE_LOG_BYTES);
        add(facts, "console_throttled", c.throttled_count);
    }
}

static void info_domain(struct cli_call *call)
{
    const struct guest *g = cli_guest(call, 0);
    struct control_domain_info info;
    cJSON *facts;
    int rc;

    if (!g)
        return;
    rc = hv_info(g->domid, &info);
    if (rc) {
        cli_fail(call, "domain \"%s\": %s", g->config.name, hv_error_text(rc));
        return;
    }
    info.crash_reason[CONTROL_REASON_BYTES - 1] = '\0';
    facts = cJSON_CreateObject();
    add_domain(facts, g, &info);
    add_domain_vifs(facts, g);
    add_domain_services(facts, g->domid);
    show(call, facts);
}

static void run_info(struct cli_call *call)
{
    cJSON *facts;

    if (!cli_check_args(call, 0, 1))
        return;
    if (call->argc) {
        info_domain(call);
        return;
    }
    facts = cJSON_CreateObject();
    add_host(facts);
    add_services(facts);
    add_network(facts);
    show(call, facts);
}

/* --- dmesg, help ---------------------------------------------------------- */

/* The whole log as one text; NULL: out of memory. */
static char *read_log(size_t *size)
{
    uint64_t position = 0;
    uint32_t count = 1;
    char *text = NULL;

    *size = 0;
    while (count) {
        char *more = realloc(text, *size + LOG_PART + 1);

        if (!more) {
            free(text);
            return NULL;
        }
        text = more;
        if (hv_log_read(&position, text + *size, LOG_PART, &count))
            count = 0;
        *size += count;
    }
    text[*size] = '\0';

    return text;
}

static void run_dmesg(struct cli_call *call)
{
    size_t size;
    char *text;
    cJSON *json;

    if (!cli_check_args(call, 0, 0))
        return;
    text = read_log(&size);
    if (!text) {
        cli_fail(call, "the control domain is out of memory");
        return;
    }
    if (call->json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "log", text);
        cli_print_json(call, json);
    } else {
        call->sink->write(call->sink, text, size);
    }
    free(text);
}

static void help_one(struct cli_call *call)
{
    const struct cli_command *c = cli_commands();

    while (c && strcmp(c->name, call->argv[0]) != 0)
        c = c->next;
    if (!c) {
        cli_fail(call, "there is no command \"%s\"; `help` lists them",
                 call->argv[0]);
        return;
    }
    cli_explain(call, c);
}

static void help_all_json(struct cli_call *call)
{
    cJSON *all = cJSON_CreateArray();

    for (const struct cli_command *c = cli_commands(); c; c = c->next)
        cJSON_AddItemToArray(all, cli_explain_json(c));
    cli_print_json(call, all);
}

static void help_all(struct cli_call *call)
{
    for (const struct cli_command *c = cli_commands(); c; c = c->next)
        cli_print(call, "  %-14s %s\n", c->name, c->help);
    cli_print(call, "DOMAIN is a name or a number; `help COMMAND` says "
                    "more.\n");
}

static void run_help(struct cli_call *call)
{
    if (!cli_check_args(call, 0, 1))
        return;
    if (call->argc)
        help_one(call);
    else if (call->json)
        help_all_json(call);
    else
        help_all(call);
}

/* --- The machine's end ---------------------------------------------------- */

static void run_poweroff(struct cli_call *call)
{
    if (cli_check_args(call, 0, 0))
        rt_shutdown(SHUTDOWN_poweroff);
}

/* With a domain it is the domain's, as in xl. */
static void run_reboot(struct cli_call *call)
{
    if (!cli_check_args(call, 0, 1))
        return;
    if (!call->argc)
        rt_shutdown(SHUTDOWN_reboot);
    cli_ask(call, "reboot");
}

static void run_debug_key(struct cli_call *call)
{
    int rc;

    if (!cli_check_args(call, 1, 1))
        return;
    for (const char *key = call->argv[0]; *key; key++) {
        rc = hv_debug_key(*key);
        if (rc) {
            cli_fail(call, "debug key '%c': %s", *key, hv_error_text(rc));
            return;
        }
    }
}

/* --- The table ------------------------------------------------------------ */

static struct cli_command commands[] = {
    {.name = "info",
     .usage = "[DOMAIN] [--json]",
     .help = "show the machine, or what a domain uses and may use",
     .run = run_info},
    {.name = "dmesg",
     .usage = "[--json]",
     .help = "show the hypervisor's log",
     .run = run_dmesg},
    {.name = "help",
     .usage = "[COMMAND] [--json]",
     .help = "list the commands, or explain one",
     .run = run_help},
    {.name = "poweroff",
     .usage = "",
     .help = "switch the machine off, with all that runs on it",
     .run = run_poweroff},
    {.name = "reboot",
     .usage = "[DOMAIN]",
     .help = "reset the machine, or ask a domain to start anew",
     .run = run_reboot},
    {.name = "debug-keys",
     .usage = "KEYS",
     .help = "have the hypervisor write its state into its log",
     .run = run_debug_key},
};

void commands_host_register(void)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        cli_register(&commands[i]);
}
