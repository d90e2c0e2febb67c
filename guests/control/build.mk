# SPDX-License-Identifier: BSD-2-Clause
#
# build/guests/control.elf: everything in guests/control/, the runtime, and lwIP sized
# by guests/control/lwip/lwipopts.h.  cJSON comes from its Debian source; the
# reader of kernel images is the hypervisor's, which is pure C.

CONTROL_SRC := $(call sources,guests/control,*.c *.S)
CONTROL_SHARED := hypervisor/lib/elf_image.c hypervisor/lib/hypercall_page.c \
    hypervisor/lib/pv_layout.c
CONTROL_OBJ := $(patsubst %,$(OUT)/guests/control/%.o,\
    $(CONTROL_SRC) $(CONTROL_SHARED))
CONTROL_INC := -Iguests/control -Iguests/control/lwip $(LWIP_INC) \
    -isystem $(CJSON) $(UNPACK_INC) -Ihypervisor

$(eval $(call guest-objects,$(OUT)/guests/control,\
    $$(WARN) $$(CONTROL_INC) $$(GUEST_INC)))
$(eval $(call guest-lwip,control))
$(eval $(call guest-image,$(OUT)/guests/control,$(CONTROL_OBJ) \
    $(OUT)/guests/control/cJSON.o $(OUT)/guests/control/liblwip.a \
    $(OUT)/guests/control/libunpack.a))
$(call read-deps,$(CONTROL_OBJ))

$(CONTROL_OBJ): $(CJSON)/.done $(LWIP)/.done $(UNPACK_DONE)

$(CJSON)/cJSON.c: | $(CJSON)/.done ;

$(OUT)/guests/control/cJSON.o: $(CJSON)/cJSON.c $(RULES) $(NEWLIB)/.done
	$(say) CC cJSON.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -w -c $< -o $@

UNPACK_OBJ := $(UNPACK_SRC:$(THIRD_PARTY)/%.c=$(OUT)/guests/control/unpack/%.o)

$(UNPACK_SRC): | $(UNPACK_DONE) ;

$(UNPACK_OBJ): $(OUT)/guests/control/unpack/%.o: $(THIRD_PARTY)/%.c $(RULES) \
    $(NEWLIB)/.done
	$(say) CC $*.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) $(UNPACK_CFLAGS) -c $< -o $@

$(OUT)/guests/control/libunpack.a: $(UNPACK_OBJ)
	$(say) AR $@
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

ifneq ($(CONTROL_SRC),)
IMAGES += $(OUT)/guests/control.elf
endif
