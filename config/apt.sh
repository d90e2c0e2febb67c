# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A private state for apt, so that nothing is written under /etc/apt and no
# list of the machine's own is touched.  Sourced by deps.sh and sources.sh.
#
#   apt_update           make the state and fetch its package lists
#   apt_private CMD ...  apt-get or apt-cache on that state; $AS_ROOT before it
#                        may hold sudo
#
# The mirror is the one the machine already uses.  The suites are our own
# choice, because backports and sources are rarely configured.

APT_STATE=${CACHE:?}/apt
APT_SUITE=bookworm

say() {
    printf 'deps: %s\n' "$*"
}

# fail CAUSE REMEDY
fail() {
    printf 'deps: %s\n      %s\n' "$1" "$2" >&2
    exit 1
}

apt_private() {
    local command=$1
    shift
    # The user _apt may not look into a home directory, so no sandbox.  Some
    # container images delete every download and list after use; not these.
    ${AS_ROOT:-} "$command" \
        -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$APT_STATE/sources" \
        -o Dir::State::lists="$APT_STATE/lists" \
        -o Dir::Cache="$APT_STATE/cache" \
        -o Dir::Etc::preferencesparts="$APT_STATE/preferences" \
        -o APT::Sandbox::User=root \
        -o APT::Update::Post-Invoke::= \
        -o DPkg::Lock::Timeout=600 \
        -o Acquire::Retries=3 \
        "$@"
}

# The archive from which the machine takes a suite.  apt itself is asked, as it
# reads every format of its configuration.
archive_of() {
    apt-get --print-uris update -o Dir::State::lists=/nonexistent 2>/dev/null |
        sed -n "s|^'\\(.*\\)/dists/$1/\\(In\\)\\{0,1\\}Release'.*|\\1|p" | head -n 1
}

apt_source() {
    printf 'Types: deb deb-src\nURIs: %s\nSuites: %s\nComponents: main\n' \
        "$1" "$2"
    printf 'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n'
}

apt_configure() {
    local main security
    main=$(archive_of "$APT_SUITE")
    security=$(archive_of "$APT_SUITE-security")
    [ -n "$main" ] || fail \
        "apt's configuration names no archive with Debian 12 ($APT_SUITE)." \
        "Add one to /etc/apt/sources.list.d/, or install what config/packages.txt names by hand."
    mkdir -p "$APT_STATE"/{sources,preferences,lists/partial,cache/archives/partial}
    {
        apt_source "$main" \
            "$APT_SUITE $APT_SUITE-updates $APT_SUITE-backports"
        [ -z "$security" ] || apt_source "$security" "$APT_SUITE-security"
    } >"$APT_STATE/sources/cairn.sources"
}

apt_update() {
    local log=$APT_STATE/update.log
    apt_configure
    say "fetching package lists"
    apt_private apt-get -q update >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        fail "the package lists could not be fetched." \
            "Check the network and /etc/apt; the whole log is $log."
    }
}
