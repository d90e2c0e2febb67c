/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy table: each right opens what it names, and nothing else. */

#include "unit/test.h"

#include "domain/domain.h"

#define OPERATION_(operation, right) POLICY_##operation,
static const enum policy_operation all_operations[] = {POLICIES(OPERATION_)};

static bool allows(uint32_t rights, enum policy_operation operation)
{
    struct domain d = {.rights = rights};

    return policy_allows(&d, operation);
}

TEST("a domain without rights may nothing")
{
    for (unsigned int i = 0; i < ARRAY_SIZE(all_operations); i++)
        EXPECT_FALSE(allows(0, all_operations[i]));
}

TEST("a domain with all rights may everything")
{
    uint32_t all = DOMAIN_RIGHT_CONTROL | DOMAIN_RIGHT_DEVICE |
                   DOMAIN_RIGHT_CONSOLE | DOMAIN_RIGHT_POWER;

    for (unsigned int i = 0; i < ARRAY_SIZE(all_operations); i++)
        EXPECT_TRUE(allows(all, all_operations[i]));
}

TEST("every operation needs exactly one right")
{
    for (unsigned int i = 0; i < ARRAY_SIZE(all_operations); i++) {
        unsigned int opened_by = 0;

        for (uint32_t right = 1; right <= DOMAIN_RIGHT_POWER; right *= 2)
            opened_by += allows(right, all_operations[i]);
        EXPECT_EQ(opened_by, 1);
    }
}

TEST("making domains, devices, the console and the machine are apart")
{
    EXPECT_TRUE(allows(DOMAIN_RIGHT_CONTROL, POLICY_create));
    EXPECT_TRUE(allows(DOMAIN_RIGHT_CONTROL, POLICY_copy));
    EXPECT_TRUE(allows(DOMAIN_RIGHT_DEVICE, POLICY_device));
    EXPECT_TRUE(allows(DOMAIN_RIGHT_DEVICE, POLICY_machine_address));
    EXPECT_TRUE(allows(DOMAIN_RIGHT_CONSOLE, POLICY_console));
    EXPECT_TRUE(allows(DOMAIN_RIGHT_POWER, POLICY_power));
    EXPECT_FALSE(allows(DOMAIN_RIGHT_DEVICE, POLICY_create));
    EXPECT_FALSE(allows(DOMAIN_RIGHT_CONTROL, POLICY_device));
}
