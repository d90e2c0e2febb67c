/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that make, show, change and end domains. */

#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <abi/cpuid.h>
#include <abi/errno.h>
#include <abi/sched.h>

#include <cJSON.h>

#include <rt/store.h>

#include "cli/command.h"
#include "config/net_text.h"
#include "console/service.h"
#include "domain/guest.h"
#include "domain/hv.h"
#include "domain/lifecycle.h"
#include "domain/modules.h"
#include "store/quota.h"
#include "store/server.h"

#define LIST_ROOM     64U
#define PAGES_PER_MIB 256U
#define STATE_BYTES   7
#define NS_PER_10MS   10000000ULL

/* --- list ----------------------------------------------------------------- */

/* As xl shows it: r running, b blocked, p paused, s shut down, c crashed. */
static void state_text(const struct control_domain_info *d,
                       char out[STATE_BYTES])
{
    bool shut = d->flags & CONTROL_DOM_shutdown;
    bool crashed = shut && (d->shutdown_reason == SHUTDOWN_crash ||
                            d->shutdown_reason == SHUTDOWN_watchdog);

    snprintf(out, STATE_BYTES, "%c%c%c%c%c%c",
             d->flags & CONTROL_DOM_running ? 'r' : '-',
             d->flags & CONTROL_DOM_blocked ? 'b' : '-',
             d->flags & CONTROL_DOM_paused ? 'p' : '-', shut ? 's' : '-',
             crashed ? 'c' : '-', d->flags & CONTROL_DOM_dying ? 'd' : '-');
}

static const char *name_of(const struct control_domain_info *d)
{
    const struct guest *g = guest_find(d->domid);

    if (d->flags & CONTROL_DOM_initial)
        return "control";

    return g ? g->config.name : "(ending)";
}

static void list_line(struct cli_call *call,
                      const struct control_domain_info *d)
{
    char state[STATE_BYTES];
    uint64_t time = d->cpu_time_ns / NS_PER_10MS;

    state_text(d, state);
    cli_print(call, "%-32s %5u %6llu %7llu %5u  %s %7llu.%02llu\n", name_of(d),
              (unsigned int)d->domid,
              (unsigned long long)d->reserved_pages / PAGES_PER_MIB,
              (unsigned long long)(d->used_pages + d->table_pages) * 4,
              (unsigned int)d->vcpu_count, state,
              (unsigned long long)time / 100, (unsigned long long)time % 100);
}

static cJSON *list_json(const struct control_domain_info *d)
{
    const struct guest *g = guest_find(d->domid);
    cJSON *o = cJSON_CreateObject();
    char text[UUID_TEXT_BYTES];

    cJSON_AddStringToObject(o, "name", name_of(d));
    cJSON_AddNumberToObject(o, "domid", d->domid);
    uuid_format(d->uuid, text);
    cJSON_AddStringToObject(o, "uuid", text);
    state_text(d, text);
    cJSON_AddStringToObject(o, "state", text);
    cJSON_AddStringToObject(o, "class",
                            d->class == CAIRN_CLASS_LIGHT ? "light" : "pv");
    cJSON_AddNumberToObject(o, "memory_kib", (double)d->reserved_pages * 4);
    cJSON_AddNumberToObject(o, "used_kib", (double)d->used_pages * 4);
    cJSON_AddNumberToObject(o, "table_kib", (double)d->table_pages * 4);
    cJSON_AddNumberToObject(o, "vcpus", d->vcpu_count);
    cJSON_AddNumberToObject(o, "cpu_time_ns", (double)d->cpu_time_ns);
    if (g && g->vif_count) {
        ipv4_format(g->vif[0].ip, text);
        cJSON_AddStringToObject(o, "ip", text);
    }
    if (d->crash_reason[0])
        cJSON_AddStringToObject(o, "crash_reason", d->crash_reason);

    return o;
}

static void list_header(struct cli_call *call)
{
    cli_print(call, "%-32s %5s %6s %7s %5s  %-6s %10s\n", "Name", "ID", "Mem",
              "KiB", "VCPUs", "State", "Time(s)");
}

/* Each domain; NULL in @json: as lines. */
static void list_all(struct cli_call *call, cJSON *json)
{
    struct control_domain_info *info = calloc(LIST_ROOM, sizeof(*info));
    domid_t next = 0;
    uint32_t count = 0;
    int rc = info ? 0 : -ABI_ENOMEM;

    if (!json)
        list_header(call);
    do {
        if (rc == 0)
            rc = hv_list(next, info, LIST_ROOM, &count);
        if (rc) {
            cli_fail(call, "domains cannot be listed: %s", hv_error_text(rc));
            break;
        }
        for (uint32_t i = 0; i < count; i++) {
            info[i].crash_reason[CONTROL_REASON_BYTES - 1] = '\0';
            if (json)
                cJSON_AddItemToArray(json, list_json(&info[i]));
            else
                list_line(call, &info[i]);
            next = (domid_t)(info[i].domid + 1);
        }
    } while (count == LIST_ROOM);
    free(info);
}

static void list_one(struct cli_call *call, cJSON *json)
{
    struct control_domain_info info;
    const struct guest *g = cli_guest(call, 0);
    int rc;

    if (!g)
        return;
    rc = hv_info(g->domid, &info);
    if (rc) {
        cli_fail(call, "domain \"%s\": %s", g->config.name, hv_error_text(rc));
        return;
    }
    info.crash_reason[CONTROL_REASON_BYTES - 1] = '\0';
    if (json) {
        cJSON_AddItemToArray(json, list_json(&info));
        return;
    }
    list_header(call);
    list_line(call, &info);
}

static void run_list(struct cli_call *call)
{
    cJSON *json = NULL;

    if (!cli_check_args(call, 0, 1))
        return;
    if (call->json)
        json = cJSON_CreateArray();
    if (call->argc)
        list_one(call, json);
    else
        list_all(call, json);
    if (json && !call->failed)
        cli_print_json(call, json);
    else
        cJSON_Delete(json);
}

/* --- create --------------------------------------------------------------- */

/* The first word, if it is no key=value: a configuration's name. */
static bool has_config_name(const struct cli_call *call)
{
    const char *equals;

    if (!call->argc)
        return false;
    equals = strchr(call->argv[0], '=');

    /* "name = x" has its '=' in the next word. */
    return !equals && (call->argc == 1 || call->argv[1][0] != '=');
}

static bool apply_module(struct cli_call *call, struct domain_config *config)
{
    const char *name = call->argv[0];
    char error[CONFIG_ERROR_BYTES], names[256];
    struct module module;

    if (!module_find(name, &module)) {
        module_names(names, sizeof(names));
        cli_fail(call,
                 "there is no configuration \"%s\" among the boot "
                 "modules (%s)",
                 name, names);
        return false;
    }
    if (domain_config_apply(config, module.data, module.size, SYNTAX_FILE,
                            error))
        return true;
    cli_fail(call, "%s: %s", name, error);

    return false;
}

/* Blank the words that are options, but not what stands in quotes. */
static void blank_options(char *text)
{
    char quote = '\0';

    while (*text) {
        size_t bytes = strcspn(text, " \t");

        if (!quote && (strncmp(text, "--", 2) == 0 ||
                       (bytes == 2 && strncmp(text, "-p", 2) == 0)))
            memset(text, ' ', bytes);
        for (size_t i = 0; i < bytes; i++) {
            if (quote ? text[i] == quote : text[i] == '"' || text[i] == '\'')
                quote = quote ? '\0' : text[i];
        }
        text += bytes;
        text += strspn(text, " \t");
    }
}

/* The keys and values behind the configuration's name, if there is one. */
static char *inline_keys(const struct cli_call *call, bool named)
{
    char *text = strdup(call->rest + strspn(call->rest, " \t")), *at;

    if (!text)
        return NULL;
    blank_options(text);
    if (named) {
        at = text + strspn(text, " \t");
        memset(at, ' ', strcspn(at, " \t"));
    }

    return text;
}

static bool read_config(struct cli_call *call, struct domain_config *config)
{
    bool named = has_config_name(call), ok;
    char error[CONFIG_ERROR_BYTES];
    char *keys;

    domain_config_default(config);
    if (named && !apply_module(call, config))
        return false;
    keys = inline_keys(call, named);
    if (!keys) {
        cli_fail(call, "the control domain is out of memory");
        return false;
    }
    ok = domain_config_apply(config, keys, strlen(keys), SYNTAX_COMMAND, error);
    free(keys);
    if (!ok)
        cli_fail(call, "%s", error);

    return ok;
}

static void print_guest(struct cli_call *call, const struct guest *g)
{
    char ip[IPV4_TEXT_BYTES] = "";
    cJSON *o;

    if (g->vif_count)
        ipv4_format(g->vif[0].ip, ip);
    if (!call->json) {
        cli_print(call, "domain \"%s\" is created as domain %u%s%s\n",
                  g->config.name, (unsigned int)g->domid,
                  ip[0] ? ", address " : "", ip);
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", g->config.name);
    cJSON_AddNumberToObject(o, "domid", g->domid);
    if (ip[0])
        cJSON_AddStringToObject(o, "ip", ip);
    cli_print_json(call, o);
}

static void run_create(struct cli_call *call)
{
    struct domain_config *config = malloc(sizeof(*config));
    char error[CONFIG_ERROR_BYTES];
    bool paused = cli_option(call, "-p") | cli_option(call, "--paused");
    const struct guest *g;

    if (!config) {
        cli_fail(call, "the control domain is out of memory");
        return;
    }
    if (!call->argc) {
        cli_fail(call, "missing arguments; usage: create %s",
                 call->command->usage);
    } else if (read_config(call, config)) {
        g = lifecycle_create(config, paused, error);
        if (g)
            print_guest(call, g);
        else
            cli_fail(call, "%s", error);
    }
    free(config);
}

/* --- Commands on one domain ----------------------------------------------- */

static void on_guest(struct cli_call *call,
                     bool (*fn)(struct guest *guest,
                                char error[CONFIG_ERROR_BYTES]))
{
    char error[CONFIG_ERROR_BYTES];
    struct guest *g;

    if (!cli_check_args(call, 1, 1))
        return;
    g = cli_guest(call, 0);
    if (g && !fn(g, error))
        cli_fail(call, "%s", error);
}

static void run_destroy(struct cli_call *call)
{
    on_guest(call, lifecycle_destroy);
}

static void run_pause(struct cli_call *call)
{
    on_guest(call, lifecycle_pause);
}

static void run_unpause(struct cli_call *call)
{
    on_guest(call, lifecycle_unpause);
}

static void run_suspend(struct cli_call *call)
{
    on_guest(call, lifecycle_suspend);
}

static void run_resume(struct cli_call *call)
{
    on_guest(call, lifecycle_resume);
}

/* A guest that follows such requests says so in its own node. */
static bool listens(domid_t domid, const char *how)
{
    char path[80], *value;
    bool yes;

    snprintf(path, sizeof(path), "/local/domain/%u/control/feature-%s",
             (unsigned int)domid, how);
    if (xs_read(xs_default(), 0, path, &value, NULL))
        return false;
    yes = strcmp(value, "1") == 0;
    free(value);

    return yes;
}

void cli_ask(struct cli_call *call, const char *how)
{
    char error[CONFIG_ERROR_BYTES];
    struct guest *g = cli_guest(call, 0);
    domid_t domid;

    if (!g)
        return;
    domid = g->domid;
    if (!lifecycle_ask(g, how, error))
        cli_fail(call, "%s", error);
    else if (!listens(domid, how))
        cli_print(call,
                  "domain %u is asked, but has not said that it follows such "
                  "requests; `destroy` ends it\n",
                  (unsigned int)domid);
}

static void run_shutdown(struct cli_call *call)
{
    if (cli_check_args(call, 1, 1))
        cli_ask(call, "poweroff");
}

static bool crash(struct guest *g, char error[CONFIG_ERROR_BYTES])
{
    int rc = hv_shutdown(g->domid, SHUTDOWN_crash);

    if (rc)
        snprintf(error, CONFIG_ERROR_BYTES, "domain \"%s\": %s", g->config.name,
                 hv_error_text(rc));

    return rc == 0;
}

static void run_crash(struct cli_call *call)
{
    on_guest(call, crash);
}

/* In one piece: what is a character may lie in two parts of the log. */
static void print_log(struct cli_call *call, domid_t domid)
{
    char *text = malloc(CONSOLE_LOG_BYTES + 1);
    uint64_t position = 0;
    size_t size;
    cJSON *json;

    if (!text) {
        cli_fail(call, "the control domain is out of memory");
        return;
    }
    size = console_read_log(domid, &position, text, CONSOLE_LOG_BYTES);
    text[size] = '\0';
    if (call->json) {
        for (size_t i = 0; i < size; i++)
            if (!text[i])
                text[i] = ' '; /* It would end the string. */
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "log", text);
        cli_print_json(call, json);
    } else {
        cli_print_plain(call, text, size);
    }
    free(text);
}

static void run_console(struct cli_call *call)
{
    bool log = cli_option(call, "--log");
    const struct guest *g;
    int rc;

    if (!cli_check_args(call, 1, 1))
        return;
    g = cli_guest(call, 0);
    if (!g)
        return;
    if (log || call->json || !call->sink->attach) {
        print_log(call, g->domid);
        return;
    }
    cli_print(call, "console of \"%s\"; Ctrl-] leaves it\n", g->config.name);
    rc = call->sink->attach(call->sink, g->domid);
    if (rc)
        cli_fail(call, "the console cannot be attached: %s", hv_error_text(rc));
}

static void run_domid(struct cli_call *call)
{
    const struct guest *g;

    if (!cli_check_args(call, 1, 1))
        return;
    g = cli_guest(call, 0);
    if (g)
        cli_print(call, "%u\n", (unsigned int)g->domid);
}

static void run_domname(struct cli_call *call)
{
    const struct guest *g;

    if (!cli_check_args(call, 1, 1))
        return;
    g = cli_guest(call, 0);
    if (g && call->json)
        cli_print_json(call, cJSON_CreateString(g->config.name));
    else if (g)
        cli_print(call, "%s\n", g->config.name);
}

/* --- The table ------------------------------------------------------------ */

static struct cli_command commands[] = {
    {.name = "list",
     .usage = "[DOMAIN] [--json]",
     .help = "show domains: memory promised (MiB) and used (KiB), state, time",
     .details = "States: r running, b blocked, p paused, s shut down, "
                "c crashed, d dying.",
     .run = run_list},
    {.name = "create",
     .usage = "[CONFIG] [KEY=VALUE ...] [--paused] [--json]",
     .help = "make a domain and start it",
     .details = "CONFIG names a boot module in xl.cfg syntax. For example:\n"
                "  create name=web1 kernel=web.elf memory=16 vif=['']"
                " forward=['tcp:9100->80']",
     .run = run_create},
    {.name = "destroy",
     .usage = "DOMAIN",
     .help = "end a domain at once",
     .run = run_destroy},
    {.name = "pause",
     .usage = "DOMAIN",
     .help = "stop a domain until it is unpaused",
     .run = run_pause},
    {.name = "unpause",
     .usage = "DOMAIN",
     .help = "let a paused domain go on",
     .run = run_unpause},
    {.name = "suspend",
     .usage = "DOMAIN",
     .help = "ask a kernel of class pv to suspend itself",
     .details = "Its memory and devices stay as they are until `resume`.",
     .run = run_suspend},
    {.name = "resume",
     .usage = "DOMAIN",
     .help = "let a suspended domain go on",
     .run = run_resume},
    {.name = "shutdown",
     .usage = "DOMAIN",
     .help = "ask a domain to end; what happens then is its on_poweroff",
     .run = run_shutdown},
    {.name = "crash",
     .usage = "DOMAIN",
     .help = "stop a domain as if it had crashed, to try its on_crash",
     .run = run_crash},
    {.name = "console",
     .usage = "DOMAIN [--log] [--json]",
     .help = "attach to a domain's console, or show what it printed",
     .details = "Ctrl-] leaves the console.",
     .run = run_console},
    {.name = "domid",
     .usage = "DOMAIN",
     .help = "show the number of a domain",
     .run = run_domid},
    {.name = "domname",
     .usage = "DOMAIN",
     .help = "show the name of a domain",
     .run = run_domname},
};

void commands_domain_register(void)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        cli_register(&commands[i]);
}
