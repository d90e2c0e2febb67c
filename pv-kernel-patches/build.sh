#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Kernels of others, in our configuration, built once into the cache: it takes a
# quarter of an hour.  `make pv-kernel` calls it.
#
#   pv-kernel-patches/build.sh cached NAME   path of the image, if it is there
#   pv-kernel-patches/build.sh build NAME    build it, and print its path
#
# What it is made of names it: another source, patch, configuration or recipe is
# another image.

set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
CACHE=${CACHE:-${HOME:-/root}/.cache/cairn}
MOST_BYTES=$((4 << 20)) # of an image

say() {
    printf 'pv-kernel: %s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# The patches of a series, in order.
patches() {
    sed 's/#.*//; /^[[:space:]]*$/d' "pv-kernel-patches/$1/series"
}

image() {
    local key
    key=$({
        grep -A1 "^$1 " config/sources.txt
        patches "$1" | sed "s|^|pv-kernel-patches/$1/|" | xargs -r cat
        cat "pv-kernel-patches/$1/config"
        declare -f compile
    } | sha256sum)
    echo "$CACHE/pv-kernels/$1-${key:0:16}/bzImage"
}

# Every line of the fragment must have come through: an option whose
# prerequisite is off would vanish without a word.
check_config() {
    local line bad=0
    while read -r line; do
        grep -qxF "$line" .config || {
            say "the configuration lost: $line"
            bad=1
        }
    done < <(grep -E '^(# )?CONFIG_' "$1")
    return $bad
}

# Its caller looks at its status, so "set -e" does not hold in it.
compile() {
    local fragment=$1
    export KBUILD_BUILD_USER=cairn KBUILD_BUILD_HOST=cairn \
        KBUILD_BUILD_TIMESTAMP=2020-01-01 ARCH=x86_64
    make -s tinyconfig &&
        scripts/kconfig/merge_config.sh -m .config "$fragment" &&
        make -s olddefconfig &&
        check_config "$fragment" &&
        nice -n 15 make -j"${JOBS:-$(nproc)}" bzImage
}

build() {
    local name=$1 to work here=$PWD patch size
    to=$(image "$name")
    [ ! -f "$to" ] || { echo "$to"; return; }
    mkdir -p "$CACHE/pv-kernels"
    exec 8>"$CACHE/pv-kernels/lock" # Two at once: the second one waits.
    flock 8
    [ ! -f "$to" ] || { echo "$to"; return; }
    work=$CACHE/pv-kernels/work
    say "building $name into the cache, about a quarter of an hour"
    config/sources.sh unpack "$name" "$work" >&2
    for patch in $(patches "$name"); do
        patch -d "$work" -p1 -s <"pv-kernel-patches/$name/$patch"
    done
    (cd "$work" && unset MAKEFLAGS MFLAGS MAKELEVEL && compile \
        "$here/pv-kernel-patches/$name/config") >"$CACHE/pv-kernels/log" 2>&1 || {
        tail -n 20 "$CACHE/pv-kernels/log" >&2
        fail "it does not build; the log is $CACHE/pv-kernels/log"
    }
    size=$(stat -c %s "$work/arch/x86/boot/bzImage")
    [ "$size" -le "$MOST_BYTES" ] ||
        fail "its image has $size bytes, more than $MOST_BYTES"
    mkdir -p "$(dirname "$to")"
    cp "$work/.config" "$(dirname "$to")/config"
    cp "$work/arch/x86/boot/bzImage" "$to.new"
    mv "$to.new" "$to"
    rm -rf "$work"
    echo "$to"
}

case ${1:-} in
cached)
    to=$(image "$2")
    [ -f "$to" ] || exit 1
    echo "$to"
    ;;
build) build "$2" ;;
*)
    echo "usage: pv-kernel-patches/build.sh cached | build NAME" >&2
    exit 2
    ;;
esac
