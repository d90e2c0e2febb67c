# SPDX-License-Identifier: BSD-2-Clause
#
# Code of others, from Debian's packages, into build/third-party/.  None of it
# is in this repository: config/sources.txt pins versions and sha256,
# config/sources.sh keeps the downloads in CACHE, and checks, unpacks and
# patches them.
#
# A folder is ready when its .done is there.  What compiles against it names
# that file as an order-only prerequisite.

THIRD_PARTY := $(OUT)/third-party

NEWLIB := $(THIRD_PARTY)/newlib
LWIP   := $(THIRD_PARTY)/lwip/src
CJSON  := $(THIRD_PARTY)/cjson

unpack = CACHE='$(CACHE)' config/sources.sh unpack

# --- newlib, the guests' C library ----------------------------------------
#
# Its whole printf and malloc: the "nano" ones are wrong on x86-64 (arguments
# of %zu and %lld are not consumed, blocks are aligned to 8 bytes only).  Reents
# are small, locks are ours, time_t has 64 bits; system calls are the runtime's.
NEWLIB_OPTIONS := --disable-multilib --disable-newlib-supplied-syscalls \
    --enable-newlib-retargetable-locking --enable-newlib-long-time_t \
    --enable-newlib-io-long-long --enable-newlib-io-c99-formats \
    --enable-newlib-reent-small --disable-newlib-wide-orient \
    --disable-newlib-unbuf-stream-opt --enable-lite-exit \
    --enable-newlib-global-atexit --disable-newlib-fseek-optimization

NEWLIB_SRC := $(abspath $(THIRD_PARTY))/newlib-src

NEWLIB_CFLAGS = -Os -g $(GUEST_NEWLIB) $(GUEST_MACHINE) $(GUEST_NOT_LINUX) \
    -ffile-prefix-map=$(abspath $(THIRD_PARTY))=third-party -fno-ident -nostdinc \
    -isystem $(NEWLIB_SRC)/newlib/libc/include -isystem $(CC_INCLUDE)

# With a name of its own, so that make -n does not run it.
NEWLIB_MAKE := MAKEFLAGS= $(MAKE) -j$(shell nproc)

# Only what it is built with makes it be built again.
$(THIRD_PARTY)/newlib.how: FORCE
	@mkdir -p $(@D)
	@echo '$(NEWLIB_CFLAGS) $(NEWLIB_OPTIONS)' | cmp -s - $@ || \
	    echo '$(NEWLIB_CFLAGS) $(NEWLIB_OPTIONS)' >$@

$(NEWLIB)/.done: $(THIRD_PARTY)/newlib.how config/sources.txt
	$(say) UNPACK newlib
	$(Q)$(unpack) newlib $(NEWLIB_SRC)
	@rm -rf $(NEWLIB) $(NEWLIB).build && mkdir -p $(NEWLIB).build
	$(say) CONF "newlib (20 s)"
	$(Q)cd $(NEWLIB).build && $(NEWLIB_SRC)/newlib/configure \
	    --host=x86_64-elf --prefix=/ $(NEWLIB_OPTIONS) \
	    CC=$(CC) AR=$(AR) RANLIB=ranlib CFLAGS='$(NEWLIB_CFLAGS)' \
	    >log 2>&1 || { tail -n 20 log; exit 1; }
	$(say) MAKE "newlib (one minute)"
	$(Q)cd $(NEWLIB).build && $(NEWLIB_MAKE) >>log 2>&1 && \
	    $(NEWLIB_MAKE) install DESTDIR=$(abspath $(NEWLIB)).new >>log 2>&1 || \
	    { tail -n 20 log; exit 1; }
	@mv $(NEWLIB).new/x86_64-elf $(NEWLIB)
	@rm -rf $(NEWLIB).new $(NEWLIB).build
	@touch $@

# --- lwIP, compiled by each program with its own lwipopts.h ----------------
$(LWIP)/.done: config/sources.txt
	$(say) UNPACK lwip
	$(Q)$(unpack) lwip $(THIRD_PARTY)/lwip
	@touch $@

# --- Libraries of the control domain ---------------------------------------
$(CJSON)/.done: config/sources.txt
	$(say) UNPACK cjson
	$(Q)$(unpack) cjson $(CJSON)
	@touch $@

# --- Compressions ------------------------------------------------------------
#
# Of each library what decompresses; UNPACK_SRC are the files, and UNPACK_CFLAGS
# what stands in for their configure scripts.
ZLIB := $(THIRD_PARTY)/zlib
LZ4  := $(THIRD_PARTY)/lz4
XZ   := $(THIRD_PARTY)/xz-utils
ZSTD := $(THIRD_PARTY)/libzstd

UNPACK_DONE := $(ZLIB)/.done $(LZ4)/.done $(XZ)/.done $(ZSTD)/.done

$(UNPACK_DONE): $(THIRD_PARTY)/%/.done: config/sources.txt
	$(say) UNPACK $*
	$(Q)$(unpack) $* $(@D)
	@touch $@

UNPACK_SRC := \
    $(addprefix $(ZLIB)/,adler32.c crc32.c inffast.c inflate.c inftrees.c \
        zutil.c) \
    $(LZ4)/lib/lz4.c \
    $(addprefix $(XZ)/src/liblzma/,common/common.c \
        common/block_decoder.c common/block_header_decoder.c \
        common/block_util.c common/filter_common.c common/filter_decoder.c \
        common/filter_flags_decoder.c common/index_hash.c \
        common/stream_decoder.c common/stream_flags_common.c \
        common/stream_flags_decoder.c common/vli_decoder.c \
        common/vli_size.c check/check.c check/crc32_fast.c \
        check/crc32_table.c check/crc64_fast.c check/crc64_table.c \
        lz/lz_decoder.c lzma/lzma2_decoder.c lzma/lzma_decoder.c \
        simple/simple_coder.c simple/simple_decoder.c simple/x86.c) \
    $(addprefix $(ZSTD)/lib/,common/debug.c common/entropy_common.c \
        common/error_private.c common/fse_decompress.c common/xxhash.c \
        common/zstd_common.c decompress/huf_decompress.c \
        decompress/zstd_ddict.c decompress/zstd_decompress.c \
        decompress/zstd_decompress_block.c)

UNPACK_INC := -isystem $(ZLIB) -isystem $(LZ4)/lib \
    -isystem $(XZ)/src/liblzma/api -isystem $(ZSTD)/lib

UNPACK_CFLAGS := -w -DNDEBUG \
    -DHAVE_STDBOOL_H -DHAVE_STDINT_H -DHAVE_INTTYPES_H -DHAVE_STRING_H \
    -DHAVE_LIMITS_H -DHAVE_VISIBILITY=0 -DSIZEOF_SIZE_T=8 -DTUKLIB_SYMBOL_PREFIX=lzma_ \
    -DHAVE_DECODERS -DHAVE_DECODER_LZMA1 -DHAVE_DECODER_LZMA2 -DHAVE_DECODER_X86 \
    -DHAVE_CHECK_CRC32 -DHAVE_CHECK_CRC64 -DTUKLIB_FAST_UNALIGNED_ACCESS=1 \
    -DZSTD_DISABLE_ASM=1 -DZSTD_LEGACY_SUPPORT=0 -DZSTD_NO_TRACE -DXXH_NAMESPACE=ZSTD_ \
    $(addprefix -I$(XZ)/src/,common liblzma/api liblzma/common \
        liblzma/check liblzma/lz liblzma/rangecoder liblzma/lzma \
        liblzma/delta liblzma/simple) $(UNPACK_INC)

.PHONY: third-party
third-party: $(NEWLIB)/.done $(LWIP)/.done $(CJSON)/.done $(UNPACK_DONE)
