/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling an empty domain with a kernel: what both classes have in common. */

#include "domain/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <abi/cpuid.h>
#include <abi/errno.h>
#include <abi/grant_table.h>

#include <rt/event.h>

#include "domain/guest.h"
#include "domain/hv.h"
#include "domain/load_class.h"

/*
 * What a guest may use of the hypervisor's tables.  Of ports, class light has
 * what Xen's toolstack gives; a kernel of class pv takes half a dozen for each
 * vCPU, so it gets all that it can reach without FIFO queues.
 */
#define GUEST_PORTS_MAX    1023U
#define PV_PORTS_MAX       (EVTCHN_2L_PORTS - 1)
#define GUEST_GRANT_FRAMES 16U
#define PV_GRANT_FRAMES    64U
/* Grants of others that a kernel of class pv may have mapped at once. */
#define PV_MAPTRACK 1024U

bool load_fail(char error[CONFIG_ERROR_BYTES], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, CONFIG_ERROR_BYTES, format, args);
    va_end(args);

    return false;
}

/* --- Checking ------------------------------------------------------------- */

static bool find(const char *key, const char *name, struct module *module,
                 char error[CONFIG_ERROR_BYTES])
{
    char names[128];

    if (module_find(name, module))
        return true;
    module_names(names, sizeof(names));

    return load_fail(error, "%s \"%s\" is none of the boot modules (%s)", key,
                     name, names);
}

static void choose_class(const struct domain_config *config,
                         struct load_plan *plan)
{
    plan->pv = config->class == CONFIG_CLASS_BY_IMAGE
                   ? plan->image.elf.class == CAIRN_CLASS_PV
                   : config->class == CONFIG_CLASS_PV;
}

bool load_check(const struct domain_config *config, struct load_plan *plan,
                char error[CONFIG_ERROR_BYTES])
{
    const char *why;

    memset(plan, 0, sizeof(*plan));
    if (!find("kernel", config->kernel, &plan->kernel, error) ||
        (config->ramdisk[0] &&
         !find("ramdisk", config->ramdisk, &plan->ramdisk, error)))
        return false;
    if (!kernel_read(&plan->image, plan->kernel.data, plan->kernel.size, &why))
        return load_fail(error, "kernel \"%s\" cannot be started: %s",
                         config->kernel, why);
    if (!plan->image.elf.xen_notes)
        return load_fail(error,
                         "kernel \"%s\" has no Xen ELF notes, so it is no "
                         "kernel for this interface",
                         config->kernel);
    choose_class(config, plan);

    return plan->pv ? load_pv_check(config, plan, error)
                    : load_light_check(config, plan, error);
}

/* --- Creating ------------------------------------------------------------- */

static bool fail_create(const struct domain_config *config, int rc,
                        char error[CONFIG_ERROR_BYTES])
{
    struct control_host_info info;

    if (rc == -ABI_ENOMEM && hv_host_info(&info) == 0)
        return load_fail(error,
                         "not enough memory for \"%s\": it needs %u MiB, %llu "
                         "MiB are not promised to other domains; destroy one, "
                         "or lower memory=",
                         config->name, (unsigned int)config->memory_mib,
                         (unsigned long long)info.unreserved_pages /
                             PAGES_PER_MIB);
    if (rc == -ABI_EOPNOTSUPP)
        return load_fail(error, "this hypervisor runs no domain of its class; "
                                "spec-ctrl=no-xpti would let class pv run");
    if (rc == -ABI_ENOSPC)
        return load_fail(error, "no domain number is free");

    return load_fail(error, "the domain cannot be made: %s", hv_error_text(rc));
}

bool load_create(struct guest *guest, const struct load_plan *plan,
                 char error[CONFIG_ERROR_BYTES])
{
    const struct domain_config *config = &guest->config;
    struct control_create create = {
        .class = plan->pv ? CAIRN_CLASS_PV : CAIRN_CLASS_LIGHT,
        .vcpu_count = load_max_vcpus(config),
        .virt_base = plan->pv ? 0 : plan->image.elf.virt_base,
        .reserved_pages = load_memory_pages(config),
        .max_pages = load_max_pages(config),
        .max_ports = plan->pv ? PV_PORTS_MAX : GUEST_PORTS_MAX,
        .grant_frames = plan->pv ? PV_GRANT_FRAMES : GUEST_GRANT_FRAMES,
        .maptrack_max = plan->pv ? PV_MAPTRACK : 0,
        .weight = config->weight,
    };
    domid_t domid;
    int rc;

    guest->resumable = plan->image.elf.suspend_cancel == 1;
    memcpy(create.uuid, config->uuid, sizeof(create.uuid));
    rc = hv_create(&create, &domid);
    if (rc)
        return fail_create(config, rc, error);
    guest_set_domid(guest, domid);

    return true;
}

/* --- Filling -------------------------------------------------------------- */

static bool make_ports(struct guest *guest, domid_t self,
                       char error[CONFIG_ERROR_BYTES])
{
    evtchn_port_t store, console;
    int rc = rt_port_alloc_unbound_in(guest->domid, self, &store);

    if (rc == 0)
        rc = rt_port_alloc_unbound_in(guest->domid, self, &console);
    if (rc)
        return load_fail(error, "its event channels cannot be made: %s",
                         hv_error_text(rc));
    guest->store_port = store;
    guest->console_port = console;

    return true;
}

static bool seed_grants(const struct guest *guest, domid_t self,
                        char error[CONFIG_ERROR_BYTES])
{
    int rc = hv_seed_grant(guest->domid, GNTTAB_RESERVED_CONSOLE, self,
                           guest->console_gfn);

    if (rc == 0)
        rc = hv_seed_grant(guest->domid, GNTTAB_RESERVED_XENSTORE, self,
                           guest->store_gfn);

    return rc == 0 ||
           load_fail(error, "its rings cannot be lent: %s", hv_error_text(rc));
}

bool load_fill(struct guest *guest, const struct load_plan *plan, domid_t self,
               char error[CONFIG_ERROR_BYTES])
{
    void *state = NULL;
    bool ok = plan->pv ? load_pv_fill(guest, plan, &state, error)
                       : load_light_fill(guest, plan, &state, error);

    ok = ok && make_ports(guest, self, error) &&
         seed_grants(guest, self, error) &&
         (plan->pv ? load_pv_start(guest, plan, state, error)
                   : load_light_start(guest, plan, state, error));
    free(state);

    return ok;
}
