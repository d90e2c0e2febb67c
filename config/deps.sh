#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Install what config/packages.txt names and is not there yet, and fetch the
# sources that config/sources.txt pins.  `make run` and `make test` call this
# each time, so when nothing is missing it only looks, and says nothing.
#
#   config/deps.sh [SET]   a SET: its sections of packages.txt instead (kernel)
#
#   CACHE=dir   where downloads and apt's private state are kept
#   YES=1       do not ask (nor in CI, nor without a terminal)

set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
CACHE=${CACHE:-${HOME:-/root}/.cache/cairn}
# shellcheck source=config/apt.sh
. config/apt.sh
SET=${1:+$1-}

# "NAME SUITE VERSION PROGRAM" (- for none) for each line of a section.
packages() {
    awk -v want="[$1]" '
        { sub(/#.*/, "") }
        /^\[/ { section = $1; next }
        NF && section == want {
            f["suite"] = f["version"] = f["program"] = "-"
            for (i = 2; i <= NF; i++) {
                at = index($i, "=")
                f[substr($i, 1, at - 1)] = substr($i, at + 1)
            }
            print $1, f["suite"], f["version"], f["program"]
        }' config/packages.txt
}

# A program of at least that version in PATH: "NAME:VERSION".
have_program() {
    local found
    found=$("${1%:*}" --version 2>/dev/null |
        sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p;q') || return 1
    [ -n "$found" ] && dpkg --compare-versions "$found" ge "${1#*:}"
}

# The lines of the install section that are not satisfied.
missing_packages() {
    local name suite version program installed list
    list=$(packages "${SET}install")
    # dpkg-query expands these, not the shell.
    # shellcheck disable=SC2016
    installed=$(awk '{print $1}' <<<"$list" |
        xargs dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' \
            2>/dev/null | awk '$3 == "installed" {print $1, $2}') || true
    while read -r name suite version program; do
        local have
        have=$(awk -v n="$name" '$1 == n {print $2; exit}' <<<"$installed")
        if [ -n "$have" ]; then
            [ "$version" = - ] && continue
            dpkg --compare-versions "$have" ge "$version" && continue
        fi
        [ "$program" != - ] && have_program "$program" && continue
        echo "$name $suite"
    done <<<"$list"
}

# "DEPENDS FILES" (- for none) for a line of the unpack section.
unpack_options() {
    awk -v n="$1" -v want="[${SET}unpack]" '
        { sub(/#.*/, "") }
        /^\[/ { section = $1 }
        section == want && $1 == n {
            f["depends"] = f["files"] = "-"
            for (i = 2; i <= NF; i++) {
                at = index($i, "=")
                f[substr($i, 1, at - 1)] = substr($i, at + 1)
            }
            print f["depends"], f["files"]
        }' config/packages.txt
}

# The packages of the unpack section that are not unpacked, or of which other
# files were kept than the line wants now.
missing_unpacked() {
    local name rest
    packages "${SET}unpack" | while read -r name rest; do
        cmp -s "$CACHE/unpacked/$name/.done" <(unpack_options "$name") ||
            echo "$name"
    done
}

check_system() {
    local codename
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
    [ "$codename" = "$APT_SUITE" ] || fail \
        "this is not Debian 12, and these are missing: $*" \
        "Install them (config/packages.txt says what each is for), then try again."
}

ask() {
    [ -t 0 ] && [ -t 1 ] && [ -z "${YES:-}" ] && [ "${CI:-}" != true ] ||
        return 0
    printf 'deps: go on? [Y/n] '
    local answer
    read -r answer
    case $answer in
    '' | y | Y | yes) ;;
    *) fail "nothing was installed." "YES=1 skips the question." ;;
    esac
}

# Suites other than bookworm's own are chosen by package, with all it needs
# from there, and by nothing else.
prefer_suites() {
    local name suite version program
    while read -r name suite version program; do
        [ "$suite" = - ] || printf 'Package: %s\nPin: release n=%s\nPin-Priority: 600\n\n' \
            "$name" "$suite"
    done < <(packages "${SET}install") >"$APT_STATE/preferences/cairn"
}

# apt tells a lot; of that, one line for each package that is ready.
progress() {
    awk '/^Setting up / {
        printf "deps: [%d] %s\n", ++n, $3; fflush() }'
}

install_packages() {
    local AS_ROOT='' log=$APT_STATE/install.log
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail \
            "installing packages needs root, and sudo is not there." \
            "Run config/deps.sh as root once, or install by hand: $*"
        AS_ROOT='sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C'
    fi
    apt_private apt-get install -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 "$@" 2>&1 </dev/null | tee "$log" | progress || {
        grep -E '^(E|W):|unmet|Depends:' "$log" | head -n 10 >&2 || true
        fail "apt could not install the packages." "Its log says why: $log"
    }
}

# "PACKAGE PATTERN..." for a line of the unpack section: what is downloaded, and
# which of its files are kept.
unpack_choice() {
    local name=$1 package=$1 depends files
    read -r depends files < <(unpack_options "$name")
    [ "$depends" = - ] ||
        package=$(apt_private apt-cache depends "$name" |
            awk -v p="$depends" '$1 == "Depends:" && index($2, p) == 1 {
                print $2; exit }')
    [ "$files" != - ] || files='./*'
    echo "$package ${files//,/ }"
}

# Fetch a package and unpack it into the cache, without installing it.
unpack_package() {
    local name=$1 to=$CACHE/unpacked/$1 choice
    read -r -a choice < <(unpack_choice "$name")
    rm -rf "$to.new"
    mkdir -p "$to.new"
    (cd "$to.new" && apt_private apt-get -q download "${choice[0]}" \
        >"$APT_STATE/download.log" 2>&1) || fail \
        "package $name could not be fetched." \
        "The log says why: $APT_STATE/download.log"
    dpkg-deb --fsys-tarfile "$to.new"/*.deb |
        tar -C "$to.new" -x --wildcards "${choice[@]:1}"
    rm "$to.new"/*.deb
    unpack_options "$name" >"$to.new/.done"
    # Only now, as somebody may be using the old one.
    rm -rf "$to"
    mv "$to.new" "$to"
    say "unpacked $name"
}

main() {
    local missing unpack name
    missing=$(missing_packages)
    unpack=$(missing_unpacked)
    if [ -n "$missing$unpack" ]; then
        local names
        names=$(awk '{printf "%s ", $1}' <<<"$missing")
        [ -z "$missing" ] || {
            check_system "$names"
            say "to be installed, with what they need: $names"
        }
        [ -z "$unpack" ] ||
            say "to be downloaded, not installed: $(xargs <<<"$unpack")"
        ask
        mkdir -p "$CACHE"
        exec 9>"$CACHE/lock" # Two runs at once: the second one waits.
        flock 9
        apt_update
        prefer_suites
        # Words: one argument for each package.
        # shellcheck disable=SC2086
        [ -z "$missing" ] || install_packages $names
        for name in $unpack; do
            unpack_package "$name"
        done
        missing=$(missing_packages)
        [ -z "$missing" ] || fail "still missing: $(xargs <<<"$missing")" \
            "The mirror has no version that is new enough."
        exec 9>&-
    fi
    [ -n "$SET" ] || config/sources.sh fetch
}

main
