/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of a domain's configuration. */

#include "config/domain_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/net_text.h"

/* What a key's handler works on. */
struct target {
    struct domain_config *config;
    const struct syntax_entry *entry;
    char *error;
    bool has_cmdline; /* "cmdline" came: "root" and "extra" do not count */
};

static bool fail_at(const struct target *t, unsigned int line,
                    unsigned int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool fail_at(const struct target *t, unsigned int line,
                    unsigned int column, const char *format, ...)
{
    va_list args;
    int used = snprintf(t->error, CONFIG_ERROR_BYTES,
                        "line %u, column %u: ", line, column);

    va_start(args, format);
    vsnprintf(t->error + used, CONFIG_ERROR_BYTES - (size_t)used, format, args);
    va_end(args);

    return false;
}

#define fail(t, ...)                                                           \
    fail_at(t, (t)->entry->value->line, (t)->entry->value->column, __VA_ARGS__)

/* --- Kinds of values ------------------------------------------------------ */

static bool get_number(const struct target *t, uint64_t min, uint64_t max,
                       uint32_t *out)
{
    const struct syntax_value *v = t->entry->value;
    uint64_t n = v->number;

    if (v->type != SYNTAX_NUMBER)
        return fail(t, "\"%s\" wants a number", t->entry->key);
    if (n < min || n > max)
        return fail(t, "\"%s\" is %llu, but must be %llu to %llu",
                    t->entry->key, (unsigned long long)n,
                    (unsigned long long)min, (unsigned long long)max);
    *out = (uint32_t)n;

    return true;
}

static bool get_string(const struct target *t, char *out, size_t room)
{
    const struct syntax_value *v = t->entry->value;

    if (v->type != SYNTAX_STRING)
        return fail(t, "\"%s\" wants a string in quotes", t->entry->key);
    if (strlen(v->string) >= room)
        return fail(t, "\"%s\" is longer than %zu bytes", t->entry->key,
                    room - 1);
    strcpy(out, v->string);

    return true;
}

static bool get_list(const struct target *t, const struct syntax_value **item)
{
    const struct syntax_value *v = t->entry->value;

    if (v->type != SYNTAX_LIST)
        return fail(t, "\"%s\" wants a list: [ \"...\", ... ]", t->entry->key);
    for (const struct syntax_value *i = v->item; i; i = i->next)
        if (i->type != SYNTAX_STRING)
            return fail_at(t, i->line, i->column,
                           "\"%s\" wants strings in its list", t->entry->key);
    *item = v->item;

    return true;
}

/* --- Keys ----------------------------------------------------------------- */

/* A name stands in store paths and command lines. */
static bool set_name(struct target *t)
{
    char name[CONFIG_NAME_BYTES] = "";

    if (!get_string(t, name, sizeof(name)))
        return false;
    if (!name[0] || strspn(name, "0123456789") == strlen(name))
        return fail(t, "a name must have a letter in it");
    if (strcmp(name, "control") == 0)
        return fail(t, "\"control\" is the control domain's name");
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
              (*c >= '0' && *c <= '9') || strchr("-_.+", *c)))
            return fail(t, "a name consists of letters, digits and -_.+");
    strcpy(t->config->name, name);

    return true;
}

static bool set_kernel(struct target *t)
{
    return get_string(t, t->config->kernel, sizeof(t->config->kernel));
}

static bool set_ramdisk(struct target *t)
{
    return get_string(t, t->config->ramdisk, sizeof(t->config->ramdisk));
}

static bool set_memory(struct target *t)
{
    return get_number(t, 1, CONFIG_MEMORY_MAX, &t->config->memory_mib);
}

static bool set_maxmem(struct target *t)
{
    return get_number(t, 1, CONFIG_MEMORY_MAX, &t->config->maxmem_mib);
}

static bool set_vcpus(struct target *t)
{
    return get_number(t, 1, CONFIG_VCPUS_MAX, &t->config->vcpus);
}

static bool set_maxvcpus(struct target *t)
{
    return get_number(t, 1, CONFIG_VCPUS_MAX, &t->config->maxvcpus);
}

static bool set_weight(struct target *t)
{
    return get_number(t, 1, 65535, &t->config->weight);
}

static bool set_cmdline(struct target *t)
{
    t->has_cmdline = true;

    return get_string(t, t->config->cmdline, sizeof(t->config->cmdline));
}

static bool set_extra(struct target *t)
{
    char extra[CONFIG_CMDLINE_BYTES] = "";
    char *to = t->config->cmdline;
    size_t used = strlen(to);

    if (!get_string(t, extra, sizeof(extra)))
        return false;
    if (t->has_cmdline)
        return true;
    if (used + 1 + strlen(extra) >= CONFIG_CMDLINE_BYTES)
        return fail(t, "the command line is longer than %d bytes",
                    CONFIG_CMDLINE_BYTES - 1);
    snprintf(to + used, CONFIG_CMDLINE_BYTES - used, used ? " %s" : "%s",
             extra);

    return true;
}

static bool set_root(struct target *t)
{
    char root[CONFIG_CMDLINE_BYTES] = "";
    int bytes;

    if (!get_string(t, root, sizeof(root)))
        return false;
    if (t->has_cmdline)
        return true;
    bytes = snprintf(t->config->cmdline, CONFIG_CMDLINE_BYTES, "root=%s", root);

    return bytes < CONFIG_CMDLINE_BYTES ||
           fail(t, "the command line is longer than %d bytes",
                CONFIG_CMDLINE_BYTES - 1);
}

static bool set_type(struct target *t)
{
    char type[16] = "";

    if (!get_string(t, type, sizeof(type)))
        return false;
    if (strcmp(type, "light") == 0)
        t->config->class = CONFIG_CLASS_LIGHT;
    else if (strcmp(type, "pv") == 0)
        t->config->class = CONFIG_CLASS_PV;
    else
        return fail(t, "type \"%s\" is unknown; there are light and pv", type);

    return true;
}

static bool set_uuid(struct target *t)
{
    char text[64] = "";

    if (!get_string(t, text, sizeof(text)))
        return false;
    if (!uuid_parse(text, t->config->uuid))
        return fail(t, "\"%s\" is no UUID", text);
    t->config->has_uuid = true;

    return true;
}

static const char *const action_names[] = {
    [ACTION_DESTROY] = "destroy",
    [ACTION_RESTART] = "restart",
    [ACTION_PRESERVE] = "preserve",
};

const char *config_action_name(enum config_action action)
{
    return action_names[action];
}

static bool get_action(const struct target *t, enum config_action *out)
{
    char text[32] = "";

    if (!get_string(t, text, sizeof(text)))
        return false;
    for (unsigned int i = 0; i < 3; i++) {
        if (strcmp(text, action_names[i]) == 0) {
            *out = (enum config_action)i;
            return true;
        }
    }

    return fail(t, "\"%s\" must be destroy, restart or preserve",
                t->entry->key);
}

static bool set_on_poweroff(struct target *t)
{
    return get_action(t, &t->config->on_poweroff);
}

static bool set_on_reboot(struct target *t)
{
    return get_action(t, &t->config->on_reboot);
}

static bool set_on_crash(struct target *t)
{
    return get_action(t, &t->config->on_crash);
}

/* One "key=value" of a vif. */
static bool set_vif_part(const struct target *t, const struct syntax_value *at,
                         struct config_vif *vif, const char *part)
{
    if (strncmp(part, "ip=", 3) == 0)
        return ipv4_parse(part + 3, &vif->ip) ||
               fail_at(t, at->line, at->column, "\"%s\" is no IPv4 address",
                       part + 3);
    if (strncmp(part, "mac=", 4) == 0) {
        vif->has_mac = true;
        return mac_parse(part + 4, vif->mac) ||
               fail_at(t, at->line, at->column,
                       "\"%s\" is no MAC address for one station", part + 4);
    }

    return fail_at(t, at->line, at->column,
                   "a vif has ip= and mac=, not \"%s\"", part);
}

static bool set_one_vif(const struct target *t, const struct syntax_value *v,
                        struct config_vif *vif)
{
    const char *at = v->string;
    char part[64];

    memset(vif, 0, sizeof(*vif));
    while (*at) {
        size_t bytes = strcspn(at, ",");

        if (bytes >= sizeof(part))
            return fail_at(t, v->line, v->column, "a vif has too long a part");
        memcpy(part, at, bytes);
        part[bytes] = '\0';
        if (part[0] && !set_vif_part(t, v, vif, part))
            return false;
        at += bytes;
        at += *at == ',';
    }

    return true;
}

static bool set_vif(struct target *t)
{
    const struct syntax_value *item = NULL;

    if (!get_list(t, &item))
        return false;
    t->config->vif_count = 0;
    for (; item; item = item->next) {
        if (t->config->vif_count == CONFIG_VIFS_MAX)
            return fail_at(t, item->line, item->column,
                           "a domain has at most %u vifs", CONFIG_VIFS_MAX);
        if (!set_one_vif(t, item, &t->config->vif[t->config->vif_count++]))
            return false;
    }

    return true;
}

static bool set_forward(struct target *t)
{
    const struct syntax_value *item = NULL;
    struct config_forward *f;

    if (!get_list(t, &item))
        return false;
    t->config->forward_count = 0;
    for (; item; item = item->next) {
        if (t->config->forward_count == CONFIG_FORWARDS_MAX)
            return fail_at(t, item->line, item->column,
                           "a domain has at most %u forwards",
                           CONFIG_FORWARDS_MAX);
        f = &t->config->forward[t->config->forward_count++];
        if (!forward_parse(item->string, &f->udp, &f->from, &f->to))
            return fail_at(t, item->line, item->column,
                           "\"%.40s\" is no forward; write \"tcp:9000->80\"",
                           item->string);
    }

    return true;
}

static const struct key {
    const char *name;
    bool (*set)(struct target *t);
} keys[] = {
    {"name", set_name},
    {"kernel", set_kernel},
    {"ramdisk", set_ramdisk},
    {"memory", set_memory},
    {"maxmem", set_maxmem},
    {"vcpus", set_vcpus},
    {"maxvcpus", set_maxvcpus},
    {"cmdline", set_cmdline},
    {"root", set_root},
    {"extra", set_extra},
    {"type", set_type},
    {"uuid", set_uuid},
    {"cpu_weight", set_weight},
    {"on_poweroff", set_on_poweroff},
    {"on_reboot", set_on_reboot},
    {"on_crash", set_on_crash},
    {"vif", set_vif},
    {"forward", set_forward},
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static bool fail_unknown(const struct target *t)
{
    size_t used;

    (void)fail_at(t, t->entry->line, t->entry->column,
                  "unknown key \"%.40s\"; the keys are", t->entry->key);
    used = strlen(t->error);
    for (size_t i = 0; i < KEY_COUNT && used < CONFIG_ERROR_BYTES; i++)
        used += (size_t)snprintf(t->error + used, CONFIG_ERROR_BYTES - used,
                                 "%s %s", i ? "," : "", keys[i].name);

    return false;
}

static bool apply_entry(struct target *t)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(t->entry->key, keys[i].name) == 0)
            return keys[i].set(t);

    return fail_unknown(t);
}

bool domain_config_apply(struct domain_config *config, const char *text,
                         size_t size, enum syntax_mode mode,
                         char error[CONFIG_ERROR_BYTES])
{
    struct target t = {.config = config, .error = error};
    struct syntax syntax;
    bool ok = syntax_parse(&syntax, text, size, mode);

    if (!ok)
        snprintf(error, CONFIG_ERROR_BYTES, "line %u, column %u: %s",
                 syntax.error_line, syntax.error_column, syntax.error);
    for (t.entry = syntax.first; ok && t.entry; t.entry = t.entry->next)
        ok = apply_entry(&t);
    syntax_free(&syntax);

    return ok;
}

void domain_config_default(struct domain_config *config)
{
    *config = (struct domain_config){
        .memory_mib = CONFIG_MEMORY_DEFAULT,
        .vcpus = 1,
        .weight = CONFIG_WEIGHT_DEFAULT,
        .on_poweroff = ACTION_DESTROY,
        .on_reboot = ACTION_RESTART,
        .on_crash = ACTION_DESTROY,
    };
}

bool domain_config_check(const struct domain_config *config,
                         char error[CONFIG_ERROR_BYTES])
{
    const char *missing = !config->name[0]     ? "name"
                          : !config->kernel[0] ? "kernel"
                                               : NULL;

    if (missing) {
        snprintf(error, CONFIG_ERROR_BYTES, "the key \"%s\" is missing",
                 missing);
        return false;
    }
    if (config->maxmem_mib && config->maxmem_mib < config->memory_mib) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "maxmem (%u) is less than memory (%u)", config->maxmem_mib,
                 config->memory_mib);
        return false;
    }
    if (config->maxvcpus && config->maxvcpus < config->vcpus) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "maxvcpus (%u) is less than vcpus (%u)", config->maxvcpus,
                 config->vcpus);
        return false;
    }
    if (config->forward_count && !config->vif_count) {
        snprintf(error, CONFIG_ERROR_BYTES,
                 "\"forward\" needs a \"vif\" to forward to");
        return false;
    }

    return true;
}
