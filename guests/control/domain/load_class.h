/* SPDX-License-Identifier: BSD-2-Clause */
/* What differs between the classes; for load.c. */

#ifndef DOMAIN_LOAD_CLASS_H
#define DOMAIN_LOAD_CLASS_H

#include "domain/load.h"

#define PAGE_BYTES    4096ULL
#define PAGES_PER_MIB 256ULL

/* Put a sentence into @error; returns false. */
bool load_fail(char error[CONFIG_ERROR_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline uint64_t load_memory_pages(const struct domain_config *config)
{
    return config->memory_mib * PAGES_PER_MIB;
}

static inline uint64_t load_max_pages(const struct domain_config *config)
{
    return (config->maxmem_mib ? config->maxmem_mib : config->memory_mib) *
           PAGES_PER_MIB;
}

static inline uint32_t load_max_vcpus(const struct domain_config *config)
{
    return config->maxvcpus ? config->maxvcpus : config->vcpus;
}

/* Each as the function of load.h that calls it. */
bool load_light_check(const struct domain_config *config,
                      struct load_plan *plan, char error[CONFIG_ERROR_BYTES]);
bool load_pv_check(const struct domain_config *config, struct load_plan *plan,
                   char error[CONFIG_ERROR_BYTES]);

/*
 * All that is in memory at the start, but for start_info: kernel, ramdisk and
 * tables; sets the guest's store_gfn and console_gfn.  *@state is what
 * the next one needs, for free() by the caller.
 */
bool load_light_fill(struct guest *guest, const struct load_plan *plan,
                     void **state, char error[CONFIG_ERROR_BYTES]);
bool load_pv_fill(struct guest *guest, const struct load_plan *plan,
                  void **state, char error[CONFIG_ERROR_BYTES]);

/* start_info, which knows the ports, and the first registers. */
bool load_light_start(const struct guest *guest, const struct load_plan *plan,
                      const void *state, char error[CONFIG_ERROR_BYTES]);
bool load_pv_start(const struct guest *guest, const struct load_plan *plan,
                   const void *state, char error[CONFIG_ERROR_BYTES]);

#endif /* DOMAIN_LOAD_CLASS_H */
