/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration of a domain: what the keys of its file mean.
 */

#ifndef CONFIG_DOMAIN_CONFIG_H
#define CONFIG_DOMAIN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/syntax.h"

#define CONFIG_NAME_BYTES    64 /* with the NUL, as all below */
#define CONFIG_MODULE_BYTES  128
#define CONFIG_CMDLINE_BYTES 1024 /* START_INFO_CMDLINE */
#define CONFIG_VIFS_MAX      4U
#define CONFIG_FORWARDS_MAX  16U
#define CONFIG_MEMORY_MAX    (1024U * 1024U) /* MiB: 1 TiB */

#define CONFIG_VCPUS_MAX 128U /* what a pv domain can have */

#define CONFIG_MEMORY_DEFAULT 16U /* MiB */
#define CONFIG_WEIGHT_DEFAULT 256U

enum config_action {
    ACTION_DESTROY,
    ACTION_RESTART,
    ACTION_PRESERVE,
};

enum config_class {
    CONFIG_CLASS_BY_IMAGE, /* what its note says */
    CONFIG_CLASS_PV,
    CONFIG_CLASS_LIGHT,
};

struct config_vif {
    uint32_t ip; /* host byte order; 0: choose one */
    uint8_t mac[6];
    bool has_mac;
};

struct config_forward {
    bool udp;
    uint16_t from, to; /* a port of the uplink, and one of the guest */
};

struct domain_config {
    char name[CONFIG_NAME_BYTES];
    char kernel[CONFIG_MODULE_BYTES];
    char ramdisk[CONFIG_MODULE_BYTES]; /* "": none */
    char cmdline[CONFIG_CMDLINE_BYTES];
    enum config_class class;
    uint32_t memory_mib, maxmem_mib;
    uint32_t vcpus, maxvcpus; /* on line at the start; ever, 0: the same */
    uint32_t weight;
    uint8_t uuid[16];
    bool has_uuid;
    enum config_action on_poweroff, on_reboot, on_crash;
    struct config_vif vif[CONFIG_VIFS_MAX];
    unsigned int vif_count;
    struct config_forward forward[CONFIG_FORWARDS_MAX];
    unsigned int forward_count;
};

#define CONFIG_ERROR_BYTES 256

void domain_config_default(struct domain_config *config);

/*
 * Apply @size bytes of text to @config; later keys replace earlier ones.
 * False: @error is a sentence that names key, line and column.
 */
bool domain_config_apply(struct domain_config *config, const char *text,
                         size_t size, enum syntax_mode mode,
                         char error[CONFIG_ERROR_BYTES]);

/* What must be there is, and fits together; else as above. */
bool domain_config_check(const struct domain_config *config,
                         char error[CONFIG_ERROR_BYTES]);

const char *config_action_name(enum config_action action);

#endif /* CONFIG_DOMAIN_CONFIG_H */
