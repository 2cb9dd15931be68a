#!/bin/sh
# Read by apply.sh: is this a system that mplskit sets up? Asked before anything is changed.
# os-release is read, not sourced: it may set any variable.
# shellcheck disable=SC2154 # kernel is apply.sh's

os_release=/etc/os-release
[ -e "$os_release" ] || os_release=/usr/lib/os-release
[ -e "$os_release" ] || os_release=/dev/null

# os FIELD: its value, without quotes
os() {
    value=
    while IFS= read -r line; do
        case $line in "$1="*) value=${line#*=} ;; esac
    done <"$os_release"
    value=${value#[\"\']}
    printf '%s\n' "${value%[\"\']}"
}

# Debian 11 and later (testing and unstable have no version), Ubuntu 22.04 and later; what is made of them goes on.
check_system() {
    number=$(os VERSION_ID)
    title=$(os PRETTY_NAME)
    oldest=
    case "$(os ID): $(os ID_LIKE) " in
    debian:*) oldest=11 ;;
    ubuntu:*) oldest=22.04 ;;
    *" debian "* | *" ubuntu "*) report note node system "$title: made of Debian, and not tried with mplskit" ;;
    *) refuse system "${title:-an unknown system}: mplskit sets up $known, and what is made of them" ;;
    esac
    command -v dpkg >/dev/null || refuse dpkg "$title: there is no dpkg"
    [ -z "$oldest" ] || [ -z "$number" ] || dpkg --compare-versions "$number" ge "$oldest" ||
        refuse system "$title is too old: mplskit sets up $known"
    check_tools
}
known="Debian 11 or later, Ubuntu 22.04 or later"

# Every Debian has them; what was made small by hand may not.
check_tools() {
    lost=
    for tool in awk cat chmod chown cmp cp cut diff find flock grep head md5sum mkdir mv paste rm rmdir sed sha256sum sort stat tail touch tr; do
        command -v "$tool" >/dev/null || lost="$lost $tool"
    done
    [ -z "$lost" ] || refuse tools "not on this node:$lost: apt-get install --reinstall coreutils diffutils findutils grep mawk sed util-linux"
}

# Ubuntu has the MPLS modules in a package that cloud images and small kernels leave out.
# where_module_is NAME: what to say of a module that is not there; nothing when it is
where_module_is() {
    ! grep -qs "/$1\.ko" "/lib/modules/$kernel/modules.dep" "/lib/modules/$kernel/modules.builtin" || return 0
    case "$(os ID) $(os ID_LIKE) " in
    *ubuntu*) printf '; apt-get install linux-modules-extra-%s brings it on Ubuntu' "$kernel" ;;
    esac
}
