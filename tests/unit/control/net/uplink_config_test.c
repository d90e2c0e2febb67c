/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings as people write them. */
/* LINK: guests/control/net/uplink_config.c guests/control/net/ip4.c */
/* LINK: guests/control/net/checksum.c */

#include "net/uplink_config.h"

#include "net/wire.h"
#include "test.h"

static struct uplink_config config;

TEST("nothing and \"dhcp\" ask a server")
{
    EXPECT_TRUE(uplink_config_parse(&config, NULL) == NULL);
    EXPECT_TRUE(config.dhcp && !config.fixed);
    EXPECT_TRUE(uplink_config_parse(&config, "dhcp") == NULL);
    EXPECT_TRUE(config.dhcp && !config.fixed);
}

TEST("a fixed address, alone or to fall back to")
{
    EXPECT_TRUE(uplink_config_parse(&config, "10.0.2.15/24,10.0.2.2") == NULL);
    EXPECT_TRUE(!config.dhcp && config.fixed);
    EXPECT_EQ(config.address, IP4(10, 0, 2, 15));
    EXPECT_EQ(config.netmask, 0xffffff00);
    EXPECT_EQ(config.gateway, IP4(10, 0, 2, 2));
    EXPECT_TRUE(uplink_config_parse(&config, "dhcp,1.2.3.4/30,1.2.3.5") ==
                NULL);
    EXPECT_TRUE(config.dhcp && config.fixed);
    EXPECT_EQ(config.netmask, 0xfffffffc);
}

TEST("what is no setting is refused")
{
    static const char *const bad[] = {
        "",
        "dhcp,",
        "DHCP",
        "10.0.2.15",
        "10.0.2.15/24",
        "10.0.2.15/24,",
        "10.0.2.15/24,10.0.2.2x",
        "10.0.2.15/24,10.0.3.2",
        "10.0.2.15/24,10.0.2.15",
        "10.0.2.15/0,10.0.2.2",
        "10.0.2.15/31,10.0.2.14",
        "10.0.2.256/24,10.0.2.2",
        "10.0.2/24,10.0.2.2",
        "10..2.15/24,10.0.2.2",
        "127.0.0.2/8,127.0.0.1",
        "99999999999.0.2.15/24,10.0.2.2",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_TRUE(uplink_config_parse(&config, bad[i]) != NULL);
}
