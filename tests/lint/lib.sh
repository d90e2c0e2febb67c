# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the checks share: which files there are, how each is compiled, and a way
# to run an analyser over all of them.  Sourced with the repository as the
# working directory.

OUT=${OUT:-build}
CC=${CC:-gcc}
CLANG=${CLANG:-clang}
THIRD_PARTY=$OUT/third-party
export OUT CC CLANG THIRD_PARTY

# files PATTERN ...: what git tracks or would, and what still exists.
files() {
    git ls-files -co --exclude-standard -- "$@" | sort -u |
        while read -r f; do [ -e "$f" ] && echo "$f"; done
}

# The include paths of a file's component, and the macros that matter to it.
includes_of() {
    local guest="-Iguests/runtime/include -Iguest-abi/include
        -isystem $THIRD_PARTY/newlib/include -D__DYNAMIC_REENT__
        -D_READ_WRITE_RETURN_TYPE=_ssize_t -D_READ_WRITE_BUFSIZE_TYPE=size_t"
    local lwip="-isystem $THIRD_PARTY/lwip/src/include -Iguests/runtime/lwip"
    case $1 in
    hypervisor/*)
        echo "-Ihypervisor -Iguest-abi/include -DCAIRN_DEBUG
            -include hypervisor/lib/base.h
            -isystem $THIRD_PARTY/zlib -DZ_SOLO"
        ;;
    guest-abi/*) echo "-Iguest-abi/include" ;;
    guests/control/*)
        echo "-Iguests/control -Iguests/control/lwip $lwip
            -isystem $THIRD_PARTY/cjson -isystem $THIRD_PARTY/zlib
            -isystem $THIRD_PARTY/lz4/lib -isystem $THIRD_PARTY/libzstd/lib
            -isystem $THIRD_PARTY/xz-utils/src/liblzma/api $guest
            -Ihypervisor"
        ;;
    guests/runtime/lwip/*) echo "-Iguests/web/lwip $lwip $guest" ;;
    guests/runtime/*) echo "$guest" ;;
    guests/bench/*) echo "-Iguests/bench -Iguests/conformance $guest" ;;
    tests/bench/floor/* | guests/linux/*) ;;
    guests/*/*)
        local name=${1#guests/}
        name=guests/${name%%/*}
        echo "-I$name -I$name/lwip -I$name/framework $lwip $guest"
        ;;
    *) echo "-Iguest-abi/include" ;;
    esac
}

# clang_flags FILE: as clang, and so clang-tidy, would compile it.
clang_flags() {
    case $1 in
    tools/* | guests/linux/*) ;;
    *) echo "--target=x86_64-unknown-none-elf -ffreestanding -nostdlibinc" ;;
    esac
    echo "-std=gnu11 $(includes_of "$1")"
}

# each NAME COMMAND FILE ...: COMMAND FILE for every file, on all CPUs.  A file
# that passed is not looked at again until its preprocessed text changes.
each() {
    local name=$1
    export LINT_CACHE=$OUT/lint/$name LINT_COMMAND=$2
    shift 2
    mkdir -p "$LINT_CACHE"
    [ $# -gt 0 ] || return 0
    printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" \
        bash -c '. tests/lint/lib.sh; each_one "$1"' each
}

each_one() {
    local key
    # Words: the flags are several.
    # shellcheck disable=SC2046
    key=$({
        declare -f "$LINT_COMMAND"
        git ls-files -co "*.clang-tidy" | xargs cat
        $CLANG -E $(clang_flags "$1") "$1" 2>/dev/null
    } | sha256sum)
    key=$LINT_CACHE/${key%% *}
    [ -e "$key" ] && return 0
    "$LINT_COMMAND" "$1" && touch "$key"
}
