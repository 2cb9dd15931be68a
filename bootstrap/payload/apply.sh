#!/bin/sh
# Applies the payload that this script lies in: files/ (paths of the node) and packages/ (*.deb).
#   sh apply.sh node    packages, files, modules, sysctls, routes of this machine
#   sh apply.sh image   packages and files only: inside a chroot, where nothing is live
#   sh apply.sh live    sysctls and routes only: inside a network namespace, without files
# One line per item on stdout: STATE<TAB>KIND<TAB>NAME<TAB>DETAIL, STATE being changed, same, failed or note.
# Exit 0, or 1 when an item failed. Everything may be done again: what is so already is left alone.
set -u
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
mode=${1:-}
kernel=$(uname -r)
failures=0
modules_file=/etc/modules-load.d/mplskit.conf
sysctl_file=/etc/sysctl.d/90-mplskit.conf
udev_file=/etc/udev/rules.d/90-mplskit.rules
installed=/var/lib/mplskit/packages # one file per package: the digest and version that we installed

# report STATE KIND NAME DETAIL
report() {
    [ "$1" != failed ] || failures=1
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(printf %s "$4" | tr '\t\n' '  ')"
}

refuse() {
    report failed node "$1" "$2"
    exit 1
}

# --- packages ---------------------------------------------------------------------------------------------------

install_packages() {
    set --
    for deb in "$here"/packages/*.deb; do
        [ -e "$deb" ] || continue
        describe "$deb"
        if has_package; then
            touch "$installed/$name" # the newest record names the kernel that was brought last
            report same package "$name" "$version"
        else
            set -- "$@" "$deb"
        fi
    done
    [ $# -gt 0 ] || return 0
    output=$(dpkg --force-confdef --force-confold --install "$@" 2>&1 </dev/null)
    printf '%s\n' "$output" >&2
    mkdir -p "$installed"
    for deb in "$@"; do
        describe "$deb"
        if has_version; then
            printf '%s\n' "$identity" >"$installed/$name"
            report changed package "$name" "$version installed"
        else
            report failed package "$name" "dpkg: $(printf '%s\n' "$output" | grep -v '^ *$' | tail -n 6)"
        fi
    done
}

# describe DEB: sets name, version, identity
describe() {
    name=$(dpkg-deb -f "$1" Package)
    version=$(dpkg-deb -f "$1" Version)
    digest=$(sha256sum <"$1")
    identity="${digest%% *} $version"
}

has_package() { has_version && [ "$(cat "$installed/$name" 2>/dev/null)" = "$identity" ]; }

has_version() {
    [ "$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$name" 2>/dev/null)" = "installed $version" ]
}

# --- files ------------------------------------------------------------------------------------------------------

install_files() {
    udev_changed=
    while read -r path; do
        [ -z "$path" ] || put "$path"
    done <<EOF
$(cd "$here/files" && find . -type f | sed 's|^\./||' | sort)
EOF
    [ "$mode" = node ] && [ -n "$udev_changed" ] || return 0
    udevadm control --reload >&2 || report note file "$udev_file" "udev did not reload its rules"
}

# put PATH: bring files/PATH to /PATH in one step, unless it is there
put() {
    source=$here/files/$1
    target=/$1
    if cmp -s "$source" "$target"; then
        report same file "$target" ""
    elif error=$( (mkdir -p "${target%/*}" && cp "$source" "$target.mplskit" && mv -f "$target.mplskit" "$target") 2>&1); then
        report changed file "$target" "written"
        [ "$target" != "$udev_file" ] || udev_changed=yes
    else
        rm -f "$target.mplskit"
        report failed file "$target" "$error"
    fi
}

# --- the kernel -------------------------------------------------------------------------------------------------

# A reboot is needed for a kernel that was brought, or for one that can do MPLS where the running one cannot.
# What is not ready until then has not failed.
tell_reboot() {
    unready=failed
    for deb in "$here"/packages/linux-image-*.deb; do
        [ -e "$deb" ] || continue
        describe "$deb"
        release=${name#linux-image-}
        [ "$release" = "$kernel" ] || [ ! -d "/lib/modules/$release" ] || need_reboot "$release" "installed"
    done
    [ "$unready" = failed ] && ! can_mpls "/lib/modules/$kernel" && [ ! -d /proc/sys/net/mpls ] || return 0
    for folder in /lib/modules/*; do
        if can_mpls "$folder"; then
            need_reboot "${folder##*/}" "has MPLS"
            return
        fi
    done
}

need_reboot() {
    unready=note
    report note kernel "$1" "$2; $kernel is running: reboot needed"
}

can_mpls() { grep -qs '/mpls_router\.ko' "$1/modules.dep" "$1/modules.builtin"; }

live() {
    grep -q "^$1 " /proc/modules || [ -d "/sys/module/$1" ] ||
        grep -qs "/$1\.ko" "/lib/modules/$kernel/modules.builtin"
}

# One at a time: a second name would be a parameter of the first. What counts is what is loaded afterwards.
load_modules() {
    while read -r module; do
        case $module in '' | '#'*) continue ;; esac
        if live "$module"; then
            report same module "$module" ""
        elif error=$(modprobe "$module" 2>&1) && live "$module"; then
            report changed module "$module" "loaded"
        else
            report "$unready" module "$module" "${error:-modprobe loaded nothing}"
        fi
    done <"$here/files$modules_file"
}

# --- sysctls ----------------------------------------------------------------------------------------------------

# sysctls FILE: `KEY VALUE` lines of a sysctl.d file of ours
sysctls() { sed -n 's|^\(net/mpls/[^ ]*\) = \([0-9]*\)$|\1 \2|p' "$1" 2>/dev/null; }

# An interface that is named no longer accepts no labelled packets any more.
close_inputs() {
    while read -r key value; do
        case $key in net/mpls/conf/*) ;; *) continue ;; esac
        [ -e "/proc/sys/$key" ] || continue
        sysctls "$here/files$sysctl_file" | grep -qxF "$key $value" || set_value "$key" 0
    done <<EOF
$(sysctls "$sysctl_file")
EOF
}

apply_sysctls() {
    while read -r key value; do
        if [ ! -d /proc/sys/net/mpls ]; then
            report "$unready" sysctl "$key" "there is no /proc/sys/net/mpls: mpls_router is not loaded"
        elif [ ! -e "/proc/sys/$key" ]; then
            report note sysctl "$key" "no such interface yet"
        else
            set_value "$key" "$value"
        fi
    done <<EOF
$(sysctls "$here/files$sysctl_file")
EOF
}

# set_value KEY VALUE: any input but 0 is on; the label table only grows, since shrinking it deletes routes
set_value() {
    old=$(cat "/proc/sys/$1")
    if [ "$old" = "$2" ] || { [ "$2" = 1 ] && [ "$old" != 0 ]; }; then
        report same sysctl "$1" "$old"
    elif [ "$1" = net/mpls/platform_labels ] && [ "$old" -gt "$2" ]; then
        report note sysctl "$1" "stays $old: making it $2 would delete routes"
    elif error=$( (echo "$2" >"/proc/sys/$1") 2>&1) && [ "$(cat "/proc/sys/$1")" = "$2" ]; then
        report changed sysctl "$1" "$old -> $2"
    else
        report failed sysctl "$1" "stays $old: $error"
    fi
}

# --- routes -----------------------------------------------------------------------------------------------------

apply_routes() {
    apply_batch /etc/mplskit/routes.batch
    apply_batch /etc/mplskit/labels.batch -f mpls
}

# apply_batch PATH [OPTION …]
apply_batch() {
    path=$1
    shift
    [ -e "$here/files$path" ] || return 0
    find_ip || { report failed route "$path" "no ip of iproute2 on this node"; return; }
    before=$(show_routes)
    if ! error=$("$ip" "$@" -batch "$here/files$path" 2>&1); then
        report failed route "$path" "$error"
    elif [ "$(show_routes)" = "$before" ]; then
        report same route "$path" ""
    else
        report changed route "$path" "applied"
    fi
}

show_routes() { for family in inet inet6 mpls; do "$ip" -f "$family" route show; done; "$ip" -o addr show dev lo; }

# iproute2 by its path: busybox has an `ip`, too
find_ip() {
    for ip in /sbin/ip /usr/sbin/ip /bin/ip; do
        case $("$ip" -V 2>&1) in *iproute2*) return 0 ;; esac
    done
    return 1
}

# --- what to do ---------------------------------------------------------------------------------------------------

case $mode in node | image | live) ;; *) refuse mode "node, image or live, not '$mode'" ;; esac
[ "$(id -u)" -eq 0 ] || refuse root "must run as root, not as $(id -un)"
case $mode in
node | image)
    command -v dpkg >/dev/null || refuse dpkg "this is not a Debian-like machine: there is no dpkg"
    install_packages
    ;;
esac
case $mode in
node)
    tell_reboot
    close_inputs
    install_files
    load_modules
    apply_sysctls
    apply_routes
    ;;
image) install_files ;;
live)
    unready=failed
    apply_sysctls
    apply_routes
    ;;
esac
exit "$failures"
