/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for lwIP that a stranger cannot guess: SipHash-2-4 under a key made
 * at the start, from RDRAND where there is one, and from the clocks.
 */

#include <stdint.h>

#include <abi/version.h>

#include <rt/hypercall.h>
#include <rt/time.h>

#include "lwip/arch.h"
#include "net_hooks.h"

#define CPUID_1_ECX_RDRAND (1U << 30)

/* One tick of the sequence clock: 4 microseconds, as RFC 6528 has it. */
#define SEQUENCE_TICK_NS 4000U

static uint64_t key[2];

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 of two words. */
static uint64_t siphash(uint64_t a, uint64_t b)
{
    const uint64_t words[3] = {a, b, 16ULL << 56};
    uint64_t v[4] = {
        key[0] ^ 0x736f6d6570736575ULL,
        key[1] ^ 0x646f72616e646f6dULL,
        key[0] ^ 0x6c7967656e657261ULL,
        key[1] ^ 0x7465646279746573ULL,
    };

    for (int i = 0; i < 3; i++) {
        v[3] ^= words[i];
        sip_round(v);
        sip_round(v);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t processor_random(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;
    uint64_t value = 0;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (ecx & CPUID_1_ECX_RDRAND)
        __asm__ volatile("rdrand %0" : "=r"(value) : : "cc");
    return value;
}

static void make_key(void)
{
    struct xen_domain_handle handle = {{0}};
    uint64_t uuid[2];

    hypercall_xen_version(XENVER_guest_handle, &handle);
    __builtin_memcpy(uuid, handle.uuid, sizeof(uuid));
    key[0] = processor_random() ^ rt_wall_ns() ^ uuid[0];
    key[1] = processor_random() ^ rt_now_ns() ^ uuid[1];
    key[0] = siphash(__builtin_ia32_rdtsc(), 0);
    key[1] = siphash(__builtin_ia32_rdtsc(), 1);
}

static uint64_t keyed(uint64_t a, uint64_t b)
{
    if (key[0] == 0 && key[1] == 0)
        make_key();
    return siphash(a, b);
}

uint32_t net_random(void)
{
    static uint64_t counter;

    return (uint32_t)keyed(counter++, UINT64_MAX);
}

u32_t net_first_sequence(const ip_addr_t *local_ip, u16_t local_port,
                         const ip_addr_t *remote_ip, u16_t remote_port)
{
    uint64_t ips = (uint64_t)ip_addr_get_ip4_u32(local_ip) << 32 |
                   ip_addr_get_ip4_u32(remote_ip);
    uint64_t ports = (uint64_t)local_port << 16 | remote_port;

    return (u32_t)(rt_now_ns() / SEQUENCE_TICK_NS + keyed(ips, ports));
}
