/* SPDX-License-Identifier: BSD-2-Clause */
/* xen_version, console_io, CPUID: what a guest is told about its host. */

#include <string.h>

#include <abi/cpuid.h>
#include <abi/hypercall.h>
#include <abi/trap.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

static uint32_t features(uint32_t submap)
{
    struct xen_feature_info info = {.submap_idx = submap};

    EXPECT_EQ(hypercall_xen_version(XENVER_get_features, &info), 0);
    return info.submap;
}

TEST("the version is 4.17, with or without an argument")
{
    uint64_t arg = 0;

    EXPECT_EQ(hypercall_xen_version(XENVER_version, NULL), 4 << 16 | 17);
    EXPECT_EQ(hypercall_xen_version(XENVER_version, &arg), 4 << 16 | 17);
    /* The argument is not looked at. */
    EXPECT_EQ(hypercall2(HYPERCALL_xen_version, XENVER_version, ~0UL),
              4 << 16 | 17);
}

TEST("strings end within their fields, and nothing is left uninitialised")
{
    static union {
        struct xen_extraversion extra;
        struct xen_compile_info compile;
        struct xen_capabilities capabilities;
        struct xen_changeset changeset;
        struct xen_commandline line;
        char text[2048];
    } a, b;
    static const struct {
        unsigned int cmd;
        size_t size;
    } strings[] = {
        {XENVER_extraversion, sizeof(a.extra)},
        {XENVER_capabilities, sizeof(a.capabilities)},
        {XENVER_changeset, sizeof(a.changeset)},
        {XENVER_commandline, sizeof(a.line)},
    };

    for (unsigned int i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        size_t size = strings[i].size;

        memset(&a, 0xaa, sizeof(a));
        memset(&b, 0x55, sizeof(b));
        EXPECT_EQ(hypercall_xen_version(strings[i].cmd, &a), 0);
        EXPECT_EQ(hypercall_xen_version(strings[i].cmd, &b), 0);
        EXPECT_TRUE(strnlen(a.text, size) < size);
        /* What was not written keeps our patterns; the rest is equal. */
        for (size_t j = 0; j < size; j++) {
            if (a.text[j] != b.text[j] && on_cairn) {
                EXPECT_EQ((uint8_t)a.text[j], 0xaa);
                EXPECT_EQ((uint8_t)b.text[j], 0x55);
            }
        }
        EXPECT_EQ((uint8_t)a.text[size], 0xaa);
    }
}

TEST("the capabilities name the 64-bit interface")
{
    static struct xen_capabilities text;

    EXPECT_EQ(hypercall_xen_version(XENVER_capabilities, &text), 0);
    EXPECT_TRUE(strstr(text.text, "xen-3.0-x86_64") != NULL);
}

TEST("the page size is 4096")
{
    EXPECT_EQ(hypercall_xen_version(XENVER_pagesize, NULL), 4096);
}

TEST("the page size takes no argument")
{
    uint64_t arg = 0;

    EXPECT_EQ(hypercall_xen_version(XENVER_pagesize, &arg), -ABI_EINVAL);
}

TEST("a build identifier is there, or -ENODATA, or not for everybody")
{
    long rc = hypercall_xen_version(XENVER_build_id, NULL);

    EXPECT_TRUE(rc > 0 || rc == -ABI_ENODATA || rc == -ABI_EPERM);
    if (on_cairn)
        EXPECT_EQ(rc, -ABI_ENODATA);
}

TEST("the handle is the domain's own, the same each time")
{
    struct xen_domain_handle one, two = {{1}};

    EXPECT_EQ(hypercall_xen_version(XENVER_guest_handle, &one), 0);
    EXPECT_EQ(hypercall_xen_version(XENVER_guest_handle, &two), 0);
    EXPECT_EQ(memcmp(&one, &two, sizeof(one)), 0);
}

TEST("each unknown command is -ENOSYS, with or without an argument")
{
    uint64_t arg[16] = {0};

    for (unsigned int cmd = 11; cmd < 70; cmd++) {
        EXPECT_EQ(hypercall_xen_version(cmd, arg), -ABI_ENOSYS);
        EXPECT_EQ(hypercall_xen_version(cmd, NULL), -ABI_ENOSYS);
    }
}

TEST("the hypervisor's own addresses begin in the upper half")
{
    struct xen_platform_parameters p = {0};

    EXPECT_EQ(hypercall_xen_version(XENVER_platform_parameters, &p), 0);
    EXPECT_TRUE(p.virt_start >= 0xffff800000000000);
}

TEST("feature bits tell the class, and later submaps are 0 or refused")
{
    struct xen_feature_info info = {.submap_idx = 1};
    uint32_t map = features(0);
    long rc;

    EXPECT_EQ(map >> XENFEAT_cairn & 1, on_cairn);
    EXPECT_EQ(map >> XENFEAT_auto_translated_physmap & 1, on_cairn);
    EXPECT_EQ(map >> XENFEAT_writable_page_tables & 1, 0);
    EXPECT_EQ(map >> XENFEAT_dom0 & 1, initial_domain);
    rc = hypercall_xen_version(XENVER_get_features, &info);
    EXPECT_TRUE(rc == -ABI_EINVAL || (rc == 0 && info.submap == 0));
    info.submap_idx = ~0U;
    rc = hypercall_xen_version(XENVER_get_features, &info);
    EXPECT_TRUE(rc == -ABI_EINVAL || (rc == 0 && info.submap == 0));
}

static uint64_t child_features(uint64_t unused)
{
    (void)unused;
    return features(0);
}

TEST("a domain without rights is not told that it is the initial one")
{
    struct child child;

    NEEDS_CHILD;
    EXPECT_TRUE(child_run(&child, child_features, 0));
    EXPECT_EQ(child.result >> XENFEAT_dom0 & 1, 0);
    EXPECT_EQ(child.result >> XENFEAT_cairn & 1, on_cairn);
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static struct cpuid forced_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid c;

    __asm__ volatile(FORCED_EMULATION_PREFIX "cpuid"
                     : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
                     : "0"(leaf), "2"(subleaf));
    return c;
}

TEST("forced CPUID shows Xen's leaves")
{
    struct cpuid c = forced_cpuid(XEN_CPUID_LEAF_BASE, 0);

    EXPECT_EQ(c.ebx, 0x566e6558);
    EXPECT_EQ(c.ecx, 0x65584d4d);
    EXPECT_EQ(c.edx, 0x4d4d566e);
    EXPECT_TRUE(c.eax >= XEN_CPUID_LEAF_BASE + 2);
    c = forced_cpuid(XEN_CPUID_LEAF_BASE + 1, 0);
    EXPECT_EQ(c.eax, 4 << 16 | 17);
}

TEST("forced CPUID shows Cairn's leaves, and the class")
{
    struct cpuid c;

    SKIP_ON_XEN("they are Cairn's");
    c = forced_cpuid(CAIRN_CPUID_LEAF_BASE, 0);
    EXPECT_EQ(c.ebx, CAIRN_CPUID_EBX);
    EXPECT_EQ(c.ecx, CAIRN_CPUID_ECX);
    EXPECT_EQ(c.edx, CAIRN_CPUID_EDX);
    c = forced_cpuid(CAIRN_CPUID_LEAF_BASE + 1, 0);
    EXPECT_EQ(c.eax, CAIRN_OPS_VERSION);
    EXPECT_EQ(c.ebx, CAIRN_CLASS_LIGHT);
}

TEST("forced CPUID shows a hypervisor, and hides what it does not offer")
{
    struct cpuid c = forced_cpuid(1, 0);

    EXPECT_EQ(c.ecx >> 31 & 1, 1);
    EXPECT_EQ(c.ecx >> 5 & 1, 0);  /* VMX */
    EXPECT_EQ(c.ecx >> 17 & 1, 0); /* PCID */
    EXPECT_EQ(c.ecx >> 24 & 1, 0); /* TSC deadline */
    c = forced_cpuid(7, 0);
    EXPECT_EQ(c.ebx >> 7 & 1, 0);  /* SMEP */
    EXPECT_EQ(c.ebx >> 20 & 1, 0); /* SMAP */
}

TEST("console_io write takes what it is given, and 0 bytes")
{
    static const char text[] = "console_io: a line of its own\n";

    SKIP_IN_DOMU("there only the initial domain may use the console");
    EXPECT_EQ(hypercall_console_io(CONSOLEIO_write, 0, text), 0);
    EXPECT_TRUE(hypercall_console_io(CONSOLEIO_write, sizeof(text) - 1, text) >=
                0);
}

TEST("console_io with a length beyond memory is -EFAULT, not a crash")
{
    SKIP_ON_XEN("it would print megabytes first");
    EXPECT_EQ(hypercall_console_io(CONSOLEIO_write, 0x7fffffff,
                                   (const char *)0x8000000000000000),
              -ABI_EFAULT);
    EXPECT_TRUE(hypercall_console_io(CONSOLEIO_write, ~0U,
                                     (const char *)0x8000000000000000) < 0);
}

TEST("console_io read gives the initial domain 0 bytes when none are typed")
{
    char text[16];

    SKIP_IN_DOMU("there only the initial domain may use the console");
    EXPECT_EQ(hypercall_console_io(CONSOLEIO_read, sizeof(text), text), 0);
}

static uint64_t read_console(uint64_t unused)
{
    char text[16];

    (void)unused;
    EXPECT_EQ(hypercall_console_io(CONSOLEIO_read, sizeof(text), text),
              -ABI_EPERM);
    EXPECT_TRUE(hypercall_console_io(CONSOLEIO_write, 13, "from a child\n") >=
                0);
    return 0;
}

TEST("a domain without rights may write to the console, not read it")
{
    struct child child;

    SKIP_ON_XEN("there only the initial domain may use the console");
    EXPECT_TRUE(child_run(&child, read_console, 0));
}
