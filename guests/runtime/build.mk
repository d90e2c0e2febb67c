# SPDX-License-Identifier: BSD-2-Clause
#
# The guest runtime, build/guests/libruntime.a: start-up, hypercalls, threads,
# console, store client, the C library's system calls.  All C and assembly in
# guests/runtime/ and its folders belongs to it, except guests/runtime/lwip/.
#
# guests/runtime/lwip/ is the port of lwIP and what includes lwIP's headers.
# lwIP is sized at compile time by each program's own lwipopts.h, so that folder
# and lwIP itself are compiled for each program that has one: see
# guest-lwip below.

RUNTIME_LIB := $(OUT)/guests/libruntime.a
GUEST_LDS   := guests/runtime/guest.lds

RUNTIME_SRC := $(filter-out guests/runtime/lwip/%,\
    $(call sources,guests/runtime,*.c *.S))
RUNTIME_OBJ := $(RUNTIME_SRC:%=$(OUT)/guests/runtime/%.o)

$(eval $(call guest-objects,$(OUT)/guests/runtime,$$(WARN) $$(GUEST_INC)))

$(RUNTIME_LIB): $(RUNTIME_OBJ)
	$(make-archive)

$(call read-deps,$(RUNTIME_OBJ))

# --- lwIP, once for each program ------------------------------------------
#
# guest-lwip(program) makes build/guests/PROGRAM/liblwip.a with
# guests/PROGRAM/lwip/lwipopts.h.  The program adds $(LWIP_INC) to its own
# flags, and the archive to its image.

LWIP_INC := -isystem $(LWIP)/include -Iguests/runtime/lwip

LWIP_FILES := $(addprefix core/,\
    altcp.c altcp_alloc.c altcp_tcp.c def.c dns.c inet_chksum.c init.c ip.c \
    mem.c memp.c netif.c pbuf.c raw.c stats.c sys.c tcp.c tcp_in.c tcp_out.c \
    timeouts.c udp.c ipv4/autoip.c ipv4/dhcp.c ipv4/etharp.c \
    ipv4/icmp.c ipv4/igmp.c ipv4/ip4.c ipv4/ip4_addr.c ipv4/ip4_frag.c) \
    api/err.c netif/ethernet.c apps/http/httpd.c apps/http/fs.c

LWIP_PORT_SRC := $(call sources,guests/runtime/lwip,*.c *.S)

# Made by unpacking: no rule says how, and none is needed.
$(LWIP_FILES:%=$(LWIP)/%): | $(LWIP)/.done ;

define guest-lwip
LWIP_OBJ_$(1) := $(LWIP_FILES:%.c=$(OUT)/guests/$(1)/lwip/%.o) \
                 $(LWIP_PORT_SRC:%=$(OUT)/guests/$(1)/port/%.o)

$(OUT)/guests/$(1)/lwip/%.o: $(LWIP)/%.c $(RULES) $(NEWLIB)/.done
	$$(say) CC "lwip/$$*.c ($(1))"
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(GUEST_CFLAGS) -w -Iguests/$(1)/lwip $$(LWIP_INC) \
	    $$(GUEST_INC) $$(DEPFLAGS) -c $$< -o $$@

$(eval $(call guest-objects,$(OUT)/guests/$(1)/port,$$(WARN) \
    -Iguests/$(1)/lwip $$(LWIP_INC) $$(GUEST_INC)))

$$(LWIP_OBJ_$(1)): $(LWIP)/.done

$(OUT)/guests/$(1)/liblwip.a: $$(LWIP_OBJ_$(1))
	$$(make-archive)

-include $$(LWIP_OBJ_$(1):.o=.d)
endef
