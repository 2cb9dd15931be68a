#!/bin/sh
# The debian/iproute2.install of upstream's sources; dh_install(1) runs it and installs what it prints.
# Debian's list is for another version: what it names and this version lacks is left out, and what it does not know
# goes where `make install` put it.
set -eu

theirs=debian/iproute2.install.debian
left_out=debian/not-installed

# entries FILE: its lines without comments
entries() {
    if [ -f "$1" ]; then sed 's/#.*//; /^[[:space:]]*$/d' "$1"; fi
}

# known PATH: whether a line of one of the lists is about it
known() {
    { entries "$theirs" && entries "$left_out"; } | (
        while read -r pattern _; do
            # shellcheck disable=SC2254 # a pattern is meant
            case $1 in $pattern | ${pattern%/}/*) exit 0 ;; esac
        done
        exit 1
    )
}

# there PATH…: those that exist, each with what follows it in the list
there() {
    for path in "$@"; do
        if [ -e "$path" ]; then printf '%s %s\n' "$path" "$target"; fi
    done
}

entries "$theirs" | while read -r pattern target; do
    # As dh_install: what the source has itself comes before what it installed.
    # shellcheck disable=SC2086 # a pattern is meant
    found=$(there $pattern)
    # shellcheck disable=SC2086
    printf '%s\n' "${found:-$(there debian/tmp/$pattern)}"
done
(cd debian/tmp && find . -type f -o -type l) | sort | while read -r path; do
    known "${path#./}" || printf 'debian/tmp/%s\n' "${path#./}"
done
