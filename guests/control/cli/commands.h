/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands, by what they are about; each function lists its own. */

#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

void commands_domain_register(void);
void commands_host_register(void);
void commands_resources_register(void);
void commands_store_register(void);
void commands_network_register(void);

struct cli_call;

/* Ask the domain named first to end: "poweroff", "reboot". */
void cli_ask(struct cli_call *call, const char *how);

#endif /* CLI_COMMANDS_H */
