# SPDX-License-Identifier: BSD-2-Clause
#
# build/guests/web.elf: everything in guests/web/, the runtime, and lwIP sized
# by guests/web/lwip/lwipopts.h.  The files it serves, guests/web/www/, are built
# in by way of embed.sh.

WEB_SRC := $(call sources,guests/web,*.c *.S)
WEB_OBJ := $(WEB_SRC:%=$(OUT)/guests/web/%.o)
WEB_INC := -Iguests/web -Iguests/web/lwip $(LWIP_INC)

$(eval $(call guest-objects,$(OUT)/guests/web,\
    $$(WARN) $$(WEB_INC) $$(GUEST_INC)))
$(eval $(call guest-lwip,web))
$(eval $(call guest-image,$(OUT)/guests/web,$(WEB_OBJ) \
    $(OUT)/guests/web/www.o $(OUT)/guests/web/liblwip.a))
$(call read-deps,$(WEB_OBJ))

$(WEB_OBJ): $(LWIP)/.done

$(OUT)/guests/web/www.c: guests/web/embed.sh $(sort $(wildcard guests/web/www/*))
	$(say) EMBED guests/web/www
	@mkdir -p $(@D)
	$(Q)guests/web/embed.sh guests/web/www >$@

$(OUT)/guests/web/www.o: $(OUT)/guests/web/www.c $(RULES) $(NEWLIB)/.done
	$(say) CC $<
	$(Q)$(CC) $(GUEST_CFLAGS) $(WARN) -Iguests/web $(DEPFLAGS) -c $< -o $@

ifneq ($(WEB_SRC),)
IMAGES += $(OUT)/guests/web.elf
endif
