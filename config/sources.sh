#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The pinned sources of config/sources.txt.
#
#   config/sources.sh fetch           what is missing into CACHE/sources/
#   config/sources.sh unpack NAME TO  unpack and patch it, after checking it
#
# Every use checks every file's sha256, so it does not matter who filled the
# cache.

set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
CACHE=${CACHE:-${HOME:-/root}/.cache/cairn}
# shellcheck source=config/apt.sh
. config/apt.sh

# "NAME VERSION SHA256 FILE" for each file.
files() {
    awk '{ sub(/#.*/, "") }
         /^[^ ]/ { name = $1; version = $2; next }
         NF == 2 { print name, version, $1, $2 }' config/sources.txt
}

place() {
    case $1 in
    /*) echo "$1" ;;
    unpacked/*) echo "$CACHE/$1" ;;
    *) echo "$CACHE/sources/$1" ;;
    esac
}

# check NAME: silent and true if each of its files is there and right.
check() {
    local name version sum file
    while read -r name version sum file; do
        [ "$name" = "$1" ] || continue
        file=$(place "$file")
        [ -r "$file" ] || return 1
        echo "$sum  $file" | sha256sum --quiet --status -c || return 1
    done < <(files)
}

fetch_one() {
    local name=$1 version=$2 log=$APT_STATE/source.log
    [[ $(files | awk -v n="$name" '$1 == n {print $4}') != /* ]] || fail \
        "$name: its tarball is missing or not the pinned one." \
        "make deps installs it; if it did, config/sources.txt needs the new sha256."
    say "fetching the source of $name $version"
    mkdir -p "$CACHE/sources"
    (cd "$CACHE/sources" &&
        apt_private apt-get -q source --download-only "$name=$version") \
        >"$log" 2>&1 || {
        tail -n 3 "$log" >&2
        fail "the source of $name $version could not be fetched." \
            "The mirror may have dropped it; the log is $log."
    }
    check "$name" || fail "$name $version: a file has not the pinned sha256." \
        "Trust nothing in $CACHE/sources; remove it and try again."
}

fetch() {
    local updated='' name version
    while read -r name version; do
        check "$name" && continue
        [ -n "$updated" ] || apt_update
        updated=1
        fetch_one "$name" "$version"
        # What is unpacked on demand is looked at when it is used.
    done < <(files | awk '$4 !~ "^unpacked/" {print $1, $2}' | uniq)
}

unpack() {
    local name=$1 to=$2 first alone
    check "$name" || fail "the source of $name is not in $CACHE." "Run make deps."
    first=$(place "$(files | awk -v n="$name" '$1 == n {print $4; exit}')")
    rm -rf "$to"
    mkdir -p "$(dirname "$to")"
    case $first in
    *.dsc)
        # In a folder of its own: it copies the tarballs beside the result.
        alone=$to.unpacking
        rm -rf "$alone"
        mkdir "$alone"
        dpkg-source --no-check -q -x "$first" "$alone/source"
        mv "$alone/source" "$to"
        rm -rf "$alone"
        ;;
    *)
        mkdir "$to"
        tar -xf "$first" -C "$to" --strip-components=1
        ;;
    esac
}

case ${1:-} in
fetch) fetch ;;
unpack) unpack "$2" "$3" ;;
*)
    echo "usage: config/sources.sh fetch | unpack NAME TO" >&2
    exit 2
    ;;
esac
