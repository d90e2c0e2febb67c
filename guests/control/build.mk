# SPDX-License-Identifier: BSD-2-Clause
#
# build/guests/control.elf: everything in guests/control/, the runtime, and lwIP sized
# by guests/control/lwip/lwipopts.h.  cJSON comes from its Debian source; the
# reader of kernel images is the hypervisor's, which is pure C.

CONTROL_SRC := $(call sources,guests/control,*.c *.S)
CONTROL_SHARED := hypervisor/lib/elf_image.c hypervisor/lib/hypercall_page.c
CONTROL_OBJ := $(patsubst %,$(OUT)/guests/control/%.o,\
    $(CONTROL_SRC) $(CONTROL_SHARED))
CONTROL_INC := -Iguests/control -Iguests/control/lwip $(LWIP_INC) \
    -isystem $(CJSON) -Ihypervisor

$(eval $(call guest-objects,$(OUT)/guests/control,\
    $$(WARN) $$(CONTROL_INC) $$(GUEST_INC)))
$(eval $(call guest-lwip,control))
$(eval $(call guest-image,$(OUT)/guests/control,$(CONTROL_OBJ) \
    $(OUT)/guests/control/cJSON.o $(OUT)/guests/control/liblwip.a))
$(call read-deps,$(CONTROL_OBJ))

$(CONTROL_OBJ): $(CJSON)/.done $(LWIP)/.done

$(CJSON)/cJSON.c: | $(CJSON)/.done ;

$(OUT)/guests/control/cJSON.o: $(CJSON)/cJSON.c $(RULES) $(NEWLIB)/.done
	$(say) CC cJSON.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -w -c $< -o $@

ifneq ($(CONTROL_SRC),)
IMAGES += $(OUT)/guests/control.elf
endif
