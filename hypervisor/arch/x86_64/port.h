/* SPDX-License-Identifier: BSD-2-Clause */
/* Input and output ports. */

#pragma once

/* port_read8(), port_write8() and so on. */
#define PORT_ACCESS_(bits, suffix)                                             \
    static inline uint##bits##_t port_read##bits(uint16_t port)                \
    {                                                                          \
        uint##bits##_t value;                                                  \
                                                                               \
        __asm__ __volatile__("in" suffix " %1, %0"                             \
                             : "=a"(value)                                     \
                             : "Nd"(port));                                    \
        return value;                                                          \
    }                                                                          \
    static inline void port_write##bits(uint16_t port, uint##bits##_t value)   \
    {                                                                          \
        __asm__ __volatile__("out" suffix " %0, %1"                            \
                             :                                                 \
                             : "a"(value), "Nd"(port));                        \
    }
PORT_ACCESS_(8, "b")
PORT_ACCESS_(16, "w")
PORT_ACCESS_(32, "l")
#undef PORT_ACCESS_
