#!/bin/sh
# Applies the payload that this script lies in: files/ (paths of the node), want/ and packages/ (*.deb).
#   sh apply.sh node [ALLOWANCE …]   all of it, on this machine; ALLOWANCE: default-route, shrink
#   sh apply.sh plan [ALLOWANCE …]   say what `node` would do, as if it were done, and the differences of files
#   sh apply.sh remove               take everything of ours back
#   sh apply.sh image                packages, files and enabled units: inside a chroot, where nothing is live
#   sh apply.sh live                 sysctls and routes only: inside a network namespace, without files
# One line per item on stdout: STATE<TAB>KIND<TAB>NAME<TAB>DETAIL, STATE being changed, same, failed, waits, note or diff.
# What waits is not so yet although all was done: an interface that is not there, and is not called optional.
# Exit 0, or 1 when an item failed. Everything may be done again: what is so already is left alone.
# shellcheck disable=SC2034 # what is unused here is used by the other parts
set -u
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
umask 022

failures=0
# Known causes have words of their own. This is for the others; what the shell said of them is on stderr.
# shellcheck disable=SC2317 # the trap runs it
ended() {
    [ "$1" != 0 ] && [ "$failures" = 0 ] || return
    printf 'failed\tnode\tmplskit\tapply.sh ended before it was through (%s)\n' "$1"
    exit 1
}
trap 'ended $?' EXIT

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
mode=${1:-}
[ $# = 0 ] || shift
allowances=$*
kernel=$(uname -r)
unready=failed
larger_table=
records=/var/lib/mplskit # what was before us, and what is ours
root=$here/files
state=/run/mplskit
modules_file=/etc/modules-load.d/mplskit.conf
udev_file=/etc/udev/rules.d/90-mplskit.rules
apt_list=/etc/apt/sources.list.d/mplskit.sources # and its key below /etc/apt: they are put before apt is asked

refuse() {
    report failed node "$1" "$2"
    exit 1
}

# shellcheck source=SCRIPTDIR/live.sh
. "$here/live.sh"
# shellcheck source=SCRIPTDIR/system.sh
. "$here/system.sh"
# shellcheck source=SCRIPTDIR/packages.sh
. "$here/packages.sh"
# shellcheck source=SCRIPTDIR/guards.sh
. "$here/guards.sh"
# shellcheck source=SCRIPTDIR/files.sh
. "$here/files.sh"
# shellcheck source=SCRIPTDIR/records.sh
. "$here/records.sh"
# shellcheck source=SCRIPTDIR/services.sh
. "$here/services.sh"
# shellcheck source=SCRIPTDIR/sections.sh
. "$here/sections.sh"

# --- the kernel -------------------------------------------------------------------------------------------------

# A reboot is needed for a kernel that was brought, or for one that can do MPLS where the running one cannot.
# What is not ready until then has not failed.
tell_reboot() {
    unready=failed
    for release in $(wanted_kernels); do
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

module_is_live() {
    grep -q "^$1 " /proc/modules || [ -d "/sys/module/$1" ] ||
        grep -qs "/$1\.ko" "/lib/modules/$kernel/modules.builtin"
}

# One at a time: a second name would be a parameter of the first. What counts is what is loaded afterwards.
load_modules() {
    while read -r module; do
        error=
        case $module in '' | '#'*) continue ;; esac
        if module_is_live "$module"; then
            report same module "$module" ""
        elif [ "$mode" = plan ] && modprobe --dry-run "$module" >/dev/null 2>&1; then
            report changed module "$module" "loaded"
        elif [ "$mode" != plan ] && ! record module "$module" record_module "$module"; then
            continue
        elif [ "$mode" != plan ] && error=$(modprobe "$module" 2>&1) && module_is_live "$module"; then
            report changed module "$module" "loaded"
        else
            error=${error:-modprobe finds nothing to load}
            report "$unready" module "$module" "$error$(where_module_is "$module")"
        fi
    done <"$here/files$modules_file"
}

# --- what to do ---------------------------------------------------------------------------------------------------

set_up() {
    check_system
    guard
    keep_table
    record_services
    [ "$failures" = 0 ] || exit 1
    put_apt_files
    carried_packages
    apt_packages
    tell_reboot
    [ "$mode" = plan ] || { hold_lock && record_sysctls; } || exit 1
    drop_sysctls "$here/files$sysctl_file"
    rules=$(cat "$udev_file" 2>/dev/null)
    install_files
    [ "$mode" = plan ] || record_routes
    [ "$mode" = plan ] || [ "$rules" = "$(cat "$udev_file")" ] || reload_udev
    load_modules
    apply_live
    exec 8>&-
    apply_services
}

reload_udev() { udevadm control --reload >&2 || report note file "$udev_file" "udev did not reload its rules"; }

take_back() {
    [ -d "$records" ] || { report same node mplskit "is not set up here"; return; }
    check_tools
    root=$here/nothing
    if has_systemd; then drop_services other; else disable_services; fi
    hold_lock || exit 1
    apply_live
    drop_sysctls /dev/null
    unload_modules
    daemons_before
    remove_files
    reload_udev
    ! has_systemd || { reload_units; drop_services running; }
    for record in "$installed"/*; do
        [ ! -e "$record" ] || report note package "${record##*/}" "stays: apt-get remove takes it away"
    done
    [ "$failures" != 0 ] || error=$(rm -rf "$records" "$state" 2>&1) || report failed node mplskit "$error"
}

case $mode in node | plan | remove | image | live) ;; *) refuse mode "node, plan, remove, image or live, not '$mode'" ;; esac
[ "$(id -u)" -eq 0 ] || refuse root "must run as root, not as $(id -un)"
case $mode in
node | plan) set_up ;;
remove) take_back ;;
image)
    check_system
    keep_table
    put_apt_files
    carried_packages
    apt_packages
    install_files
    record_routes
    enable_services
    ;;
live)
    state=$here/run
    hold_lock || exit 1
    apply_live
    ;;
esac
exit "$failures"
