/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about guests' interfaces and forwarded ports. */

#include "cli/commands.h"

#include <stddef.h>

#include <cJSON.h>

#include "cli/command.h"
#include "config/net_text.h"
#include "domain/guest.h"
#include "net/net.h"

struct rows {
    struct cli_call *call;
    cJSON *json; /* NULL: lines */
    const struct guest *only;
};

static const char *name_of(domid_t domid)
{
    const struct guest *g = guest_find(domid);

    return g ? g->config.name : "(ending)";
}

static void vif_json(cJSON *array, const struct network_vif_row *r)
{
    cJSON *o = cJSON_CreateObject();
    char text[MAC_TEXT_BYTES];

    cJSON_AddStringToObject(o, "domain", name_of(r->domid));
    cJSON_AddNumberToObject(o, "domid", r->domid);
    cJSON_AddNumberToObject(o, "handle", r->handle);
    mac_format(r->mac, text);
    cJSON_AddStringToObject(o, "mac", text);
    ipv4_format(r->address, text);
    cJSON_AddStringToObject(o, "ip", text);
    cJSON_AddStringToObject(o, "state", r->stopped ? "Stopped" : r->state);
    cJSON_AddNumberToObject(o, "tx_packets", (double)r->tx_packets);
    cJSON_AddNumberToObject(o, "tx_bytes", (double)r->tx_bytes);
    cJSON_AddNumberToObject(o, "tx_errors", (double)r->tx_errors);
    cJSON_AddNumberToObject(o, "tx_dropped", (double)r->tx_dropped);
    cJSON_AddNumberToObject(o, "rx_packets", (double)r->rx_packets);
    cJSON_AddNumberToObject(o, "rx_bytes", (double)r->rx_bytes);
    cJSON_AddNumberToObject(o, "rx_errors", (double)r->rx_errors);
    cJSON_AddNumberToObject(o, "rx_dropped", (double)r->rx_dropped);
    cJSON_AddNumberToObject(o, "rx_direct", (double)r->rx_direct);
    cJSON_AddBoolToObject(o, "stopped", r->stopped);
    cJSON_AddNumberToObject(o, "flows", r->flows);
    cJSON_AddNumberToObject(o, "flows_max", r->flows_max);
    cJSON_AddNumberToObject(o, "flows_opened", (double)r->flows_opened);
    cJSON_AddNumberToObject(o, "flows_displaced", (double)r->flows_displaced);
    cJSON_AddNumberToObject(o, "flows_refused", (double)r->flows_refused);
    cJSON_AddItemToArray(array, o);
}

static void on_vif(void *arg, const struct network_vif_row *r)
{
    const struct rows *rows = arg;
    char ip[IPV4_TEXT_BYTES], mac[MAC_TEXT_BYTES];

    if (rows->only && rows->only->domid != r->domid)
        return;
    if (rows->json) {
        vif_json(rows->json, r);
        return;
    }
    ipv4_format(r->address, ip);
    mac_format(r->mac, mac);
    cli_print(
        rows->call, "%-24s %5u %3u %-17s %-15s %-12s %10llu %10llu\n",
        name_of(r->domid), (unsigned int)r->domid, (unsigned int)r->handle, mac,
        ip, r->stopped ? "Stopped" : r->state,
        (unsigned long long)r->rx_packets, (unsigned long long)r->tx_packets);
}

static void run_network_list(struct cli_call *call)
{
    struct rows rows = {.call = call};

    if (!cli_check_args(call, 0, 1))
        return;
    if (call->argc) {
        rows.only = cli_guest(call, 0);
        if (!rows.only)
            return;
    }
    if (call->json)
        rows.json = cJSON_CreateArray();
    else
        cli_print(call, "%-24s %5s %3s %-17s %-15s %-12s %10s %10s\n", "Name",
                  "ID", "Vif", "MAC", "IP", "State", "Received", "Sent");
    network_vif_each(on_vif, &rows);
    if (rows.json)
        cli_print_json(call, rows.json);
}

static void on_forward(void *arg, const struct network_forward_row *r)
{
    const struct rows *rows = arg;
    const char *proto = r->proto == NETWORK_UDP ? "udp" : "tcp";
    char ip[IPV4_TEXT_BYTES];
    cJSON *o;

    ipv4_format(r->guest_address, ip);
    if (!rows->json) {
        cli_print(rows->call, "%s %5u -> %s:%u  %llu\n", proto,
                  (unsigned int)r->uplink_port, ip, (unsigned int)r->guest_port,
                  (unsigned long long)r->opened);
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "protocol", proto);
    cJSON_AddNumberToObject(o, "uplink_port", r->uplink_port);
    cJSON_AddStringToObject(o, "ip", ip);
    cJSON_AddNumberToObject(o, "port", r->guest_port);
    cJSON_AddNumberToObject(o, "opened", (double)r->opened);
    cJSON_AddItemToArray(rows->json, o);
}

static void run_forward_list(struct cli_call *call)
{
    struct rows rows = {.call = call};

    if (!cli_check_args(call, 0, 0))
        return;
    if (call->json)
        rows.json = cJSON_CreateArray();
    network_forward_each(on_forward, &rows);
    if (rows.json)
        cli_print_json(call, rows.json);
}

static struct cli_command commands[] = {
    {.name = "network-list",
     .usage = "[DOMAIN] [--json]",
     .help = "show guests' network interfaces",
     .run = run_network_list},
    {.name = "forward-list",
     .usage = "[--json]",
     .help = "show forwarded ports, and connections made through each",
     .run = run_forward_list},
};

void commands_network_register(void)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        cli_register(&commands[i]);
}
