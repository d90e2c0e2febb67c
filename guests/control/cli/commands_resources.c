/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about what a running domain has: memory, vCPUs, processor time.
 *
 * Memory and vCPUs of class pv are its kernel's to give up or take into use:
 * it is asked in its store nodes, and follows when it likes.
 */

#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <abi/vcpu.h>

#include <cJSON.h>

#include <rt/store.h>

#include "cli/command.h"
#include "domain/guest.h"
#include "domain/hv.h"

#define PATH_BYTES 64
#define NS_PER_MS  1000000ULL

/* Argument @i, a number from @min to @max; else it is told. */
static bool number_arg(struct cli_call *call, unsigned int i, const char *what,
                       unsigned long min, unsigned long max, unsigned long *out)
{
    char *end;
    unsigned long n = strtoul(call->argv[i], &end, 10);

    if (end == call->argv[i] || *end || n < min || n > max) {
        cli_fail(call, "%s must be a number from %lu to %lu, not \"%.20s\"",
                 what, min, max, call->argv[i]);
        return false;
    }
    *out = n;

    return true;
}

/* False: it is told. */
static bool put_node(struct cli_call *call, domid_t domid, const char *name,
                     const char *value)
{
    char path[PATH_BYTES];
    int rc;

    snprintf(path, sizeof(path), "/local/domain/%u/%s", (unsigned int)domid,
             name);
    rc = xs_write(xs_default(), 0, path, value);
    if (rc)
        cli_fail(call, "%s cannot be written: %s", path, hv_error_text(rc));

    return rc == 0;
}

static void run_mem_set(struct cli_call *call)
{
    char kib[24], what[CONFIG_NAME_BYTES + 32];
    const struct guest *g;
    unsigned long mib, max;

    if (!cli_check_args(call, 2, 2))
        return;
    g = cli_guest(call, 0);
    if (!g)
        return;
    max = g->config.maxmem_mib ? g->config.maxmem_mib : g->config.memory_mib;
    snprintf(what, sizeof(what), "MiB of \"%s\", up to its maxmem,",
             g->config.name);
    if (!number_arg(call, 1, what, 1, max, &mib))
        return;
    snprintf(kib, sizeof(kib), "%lu", mib * 1024);
    (void)put_node(call, g->domid, "memory/target", kib);
}

static void run_vcpu_set(struct cli_call *call)
{
    const struct guest *g;
    unsigned long count, max;
    domid_t domid;

    if (!cli_check_args(call, 2, 2))
        return;
    g = cli_guest(call, 0);
    if (!g)
        return;
    max = g->config.maxvcpus ? g->config.maxvcpus : g->config.vcpus;
    if (!number_arg(call, 1, "the number of vCPUs", 1, max, &count))
        return;
    domid = g->domid; /* The record may go while the store is asked. */
    for (unsigned long i = 0; i < max; i++) {
        char name[40];

        snprintf(name, sizeof(name), "cpu/%lu/availability", i);
        if (!put_node(call, domid, name, i < count ? "online" : "offline"))
            return;
    }
}

static void run_sysrq(struct cli_call *call)
{
    const struct guest *g;

    if (!cli_check_args(call, 2, 2))
        return;
    if (strlen(call->argv[1]) != 1) {
        cli_fail(call, "a key is one letter, not \"%.20s\"", call->argv[1]);
        return;
    }
    g = cli_guest(call, 0);
    if (g)
        (void)put_node(call, g->domid, "control/sysrq", call->argv[1]);
}

/* --- vcpu-list ------------------------------------------------------------ */

static const char *state_text(uint32_t state)
{
    static const char *const texts[RUNSTATE_COUNT] = {
        [RUNSTATE_running] = "running",
        [RUNSTATE_runnable] = "runnable",
        [RUNSTATE_blocked] = "blocked",
        [RUNSTATE_offline] = "offline",
    };

    return state < RUNSTATE_COUNT ? texts[state] : "?";
}

static void list_vcpu(struct cli_call *call, const struct guest *g,
                      const struct control_vcpu_info *v, cJSON *json)
{
    char affinity[20];
    cJSON *o;

    snprintf(affinity, sizeof(affinity), "%llx",
             (unsigned long long)v->affinity);
    if (!json) {
        cli_print(call, "%-20s %5u %5u %4u %-9s %10llu ms  %s\n",
                  g->config.name, (unsigned int)g->domid, (unsigned int)v->vcpu,
                  (unsigned int)v->cpu, state_text(v->state),
                  (unsigned long long)(v->cpu_time_ns / NS_PER_MS), affinity);
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", g->config.name);
    cJSON_AddNumberToObject(o, "domid", g->domid);
    cJSON_AddNumberToObject(o, "vcpu", v->vcpu);
    cJSON_AddNumberToObject(o, "cpu", v->cpu);
    cJSON_AddStringToObject(o, "state", state_text(v->state));
    cJSON_AddNumberToObject(o, "cpu_time_ns", (double)v->cpu_time_ns);
    cJSON_AddStringToObject(o, "affinity", affinity);
    cJSON_AddItemToArray(json, o);
}

static void list_vcpus(struct cli_call *call, const struct guest *g,
                       cJSON *json)
{
    struct control_vcpu_info v;

    for (uint32_t i = 0; hv_vcpu_info(g->domid, i, &v) == 0; i++)
        list_vcpu(call, g, &v, json);
}

static void run_vcpu_list(struct cli_call *call)
{
    const struct guest *g, *only = NULL;
    cJSON *json = NULL;

    if (!cli_check_args(call, 0, 1))
        return;
    if (call->argc == 1) {
        only = cli_guest(call, 0);
        if (!only)
            return;
    }
    if (call->json)
        json = cJSON_CreateArray();
    else
        cli_print(call, "%-20s %5s %5s %4s %-9s %13s  %s\n", "NAME", "ID",
                  "VCPU", "CPU", "STATE", "TIME", "AFFINITY");
    TAILQ_FOREACH(g, guest_all(), in_all)
    {
        if (!only || g == only)
            list_vcpus(call, g, json);
    }
    if (call->json)
        cli_print_json(call, json);
}

/* --- sched ---------------------------------------------------------------- */

/* "25": a number, or "keep". */
static bool sched_arg(struct cli_call *call, const char *option, uint32_t max,
                      uint32_t *out)
{
    size_t bytes = strlen(option);

    *out = CONTROL_SCHED_KEEP;
    for (unsigned int i = 1; i < call->argc; i++) {
        unsigned long n;

        if (strncmp(call->argv[i], option, bytes) != 0)
            continue;
        call->argv[i] += bytes;
        if (!number_arg(call, i, option, 0, max, &n))
            return false;
        *out = (uint32_t)n;
        call->argv[i][0] = '\0'; /* It is done with. */
    }

    return true;
}

/* Of the domain that argument 0 names. */
static void set_sched(struct cli_call *call,
                      const struct control_set_sched *sched)
{
    const struct guest *g = cli_guest(call, 0);
    int rc;

    if (!g)
        return;
    rc = hv_set_sched(g->domid, sched);
    if (rc)
        cli_fail(call, "domain \"%s\": %s", g->config.name, hv_error_text(rc));
}

#define PERCENT_MAX (100U * 64U)

static void run_sched(struct cli_call *call)
{
    struct control_set_sched sched = {.vcpu = CONTROL_SCHED_KEEP};

    if (!cli_check_args(call, 2, 4))
        return;
    if (!sched_arg(call, "weight=", 65535, &sched.weight) ||
        !sched_arg(call, "cap=", PERCENT_MAX, &sched.cap) ||
        !sched_arg(call, "reserved=", PERCENT_MAX, &sched.reserved))
        return;
    for (unsigned int i = 1; i < call->argc; i++) {
        if (call->argv[i][0]) {
            cli_fail(call, "\"%.40s\" is none of weight=, cap=, reserved=",
                     call->argv[i]);
            return;
        }
    }
    set_sched(call, &sched);
}

/* A mask of CPUs in hexadecimal, for one vCPU or all. */
static void run_vcpu_pin(struct cli_call *call)
{
    struct control_set_sched sched = {.weight = CONTROL_SCHED_KEEP,
                                      .cap = CONTROL_SCHED_KEEP,
                                      .reserved = CONTROL_SCHED_KEEP,
                                      .vcpu = CONTROL_SCHED_KEEP};
    unsigned long vcpu;
    char *end;

    if (!cli_check_args(call, 3, 3))
        return;
    if (strcmp(call->argv[1], "all") != 0) {
        if (!number_arg(call, 1, "a vCPU", 0, CONFIG_VCPUS_MAX - 1, &vcpu))
            return;
        sched.vcpu = (uint32_t)vcpu;
    }
    sched.affinity = strtoull(call->argv[2], &end, 16);
    if (end == call->argv[2] || *end || !sched.affinity) {
        cli_fail(call,
                 "\"%.20s\" is no mask of CPUs, such as 3 for CPUs 0 "
                 "and 1",
                 call->argv[2]);
        return;
    }
    set_sched(call, &sched);
}

static struct cli_command commands[] = {
    {.name = "mem-set",
     .usage = "DOMAIN MIB",
     .help = "ask a domain to have so much memory, up to its maxmem",
     .details = "Kernels of class pv follow by their balloon driver.  One of "
                "class light has what it touches, up to its maxmem, and need "
                "not be asked.",
     .run = run_mem_set},
    {.name = "vcpu-set",
     .usage = "DOMAIN COUNT",
     .help = "ask a domain to use so many vCPUs, up to its maxvcpus",
     .run = run_vcpu_set},
    {.name = "vcpu-list",
     .usage = "[DOMAIN] [--json]",
     .help = "show vCPUs: where they run, state, time, CPUs they may use",
     .run = run_vcpu_list},
    {.name = "vcpu-pin",
     .usage = "DOMAIN VCPU|all CPUS",
     .help = "let vCPUs run only on CPUS, a mask in hexadecimal",
     .run = run_vcpu_pin},
    {.name = "sched",
     .usage = "DOMAIN [weight=N] [cap=PERCENT] [reserved=PERCENT]",
     .help = "change a domain's share of processor time",
     .details = "cap: most it gets; reserved: least; both in percent of a "
                "CPU, 0: none.",
     .run = run_sched},
    {.name = "sysrq",
     .usage = "DOMAIN KEY",
     .help = "press a SysRq key of a Linux kernel",
     .run = run_sysrq},
};

void commands_resources_register(void)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        cli_register(&commands[i]);
}
