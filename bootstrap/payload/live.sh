#!/bin/sh
# Read by apply.sh and by keep.sh, which stays on the node: sysctls, addresses of lo and routes, made what the files
# say. Whoever reads this sets mode (plan changes nothing), root (what comes before /etc), state (a folder in memory),
# unready (the state of an item that needs a module which is not loaded) and allowed.
# shellcheck disable=SC2154,SC2034,SC2015,SC2013

sysctl_file=/etc/sysctl.d/90-mplskit.conf
routes_file=/etc/mplskit/routes.batch
others_addresses=/var/lib/mplskit/addresses
tab=$(printf '\t')
newline='
'

# report STATE KIND NAME DETAIL; the keeper tells what is not as it should be
report() {
    case $1 in failed) failures=1 ;; same) [ "$mode" != keep ] || return 0 ;; esac
    case $4 in
    *"$tab"* | *"$newline"*) set -- "$1" "$2" "$3" "$(printf %s "$4" | tr '\t\n' '  ')" ;;
    esac
    printf '%s\t%s\t%s\t%s\n' "$@"
}

# change KIND NAME DETAIL COMMAND …: run it, or in a plan only say so
change() {
    kind=$1 item=$2 detail=$3
    shift 3
    if [ "$mode" = plan ] || error=$("$@" 2>&1 </dev/null); then
        report changed "$kind" "$item" "$detail"
    else
        report failed "$kind" "$item" "$error"
        return 1
    fi
}

# record KIND NAME COMMAND …: it writes down what must be known later, or that fails
record() {
    kind=$1 item=$2
    shift 2
    error=$("$@" 2>&1 </dev/null) || {
        report failed "$kind" "$item" "could not be recorded: $error"
        return 1
    }
}

# iproute2 by its path: busybox has an `ip`, too. The answer is kept in $ip.
ip=
has_ip() {
    [ -z "$ip" ] || return 0
    for ip in /sbin/ip /usr/sbin/ip /bin/ip; do
        case $("$ip" -V 2>&1) in *iproute2*) return 0 ;; esac
    done
    ip=
    return 1
}

find_ip() {
    has_ip && return 0
    report failed route ip "no ip of iproute2 on this node"
    return 1
}

# has LINES LINE: whether it is one of them
has() { case "$newline$1$newline" in *"$newline$2$newline"*) return 0 ;; *) return 1 ;; esac; }

# store FILE: make it what comes on stdin, in one step
store() { cat >"$1.new" && mv -f "$1.new" "$1"; }

# --- sysctls ----------------------------------------------------------------------------------------------------

# sysctls FILE: `KEY VALUE` lines of a sysctl.d file of ours
sysctls() { sed -n 's|^\(net/[^ ]*\) = \([0-9]*\)$|\1 \2|p' "$1" 2>/dev/null; }

# The values are read by awk: /proc gives a number only to who reads it whole, and `read` of sh does not.
apply_sysctls() {
    [ -e "$root$sysctl_file" ] || return 0
    values=$(awk '
        BEGIN { while ((getline line <"/proc/net/dev") > 0) if (sub(/:.*/, "", line)) { gsub(/ /, "", line); link[line] } }
        /^net\/[^ ]* = [0-9]+$/ {
            file = "/proc/sys/" $1
            now = "-"
            getline now <file
            close(file)
            name = $1
            if (now == "-" && sub("^net/mpls/conf/", "", name) && sub("/input$", "", name) && !(name in link)) now = "absent"
            print $1, $3, now
        }' "${larger_table:-$root$sysctl_file}")
    while read -r key wanted now; do
        [ -z "$key" ] || apply_sysctl "$key" "$now" "$wanted"
    done <<EOF
$values
EOF
}

# apply_sysctl KEY NOW WANTED, NOW being - where there is none, and absent where there is no such interface
apply_sysctl() {
    case $1 in net/mpls/*) needs_router=yes ;; *) needs_router= ;; esac
    if [ "$2" = absent ]; then
        port=${1#net/mpls/conf/}
        tell_absent "${port%/input}"
    elif [ "$2" != - ]; then
        set_value "$@"
        case $1 in net/mpls/conf/*) port=${1#net/mpls/conf/} && tell_part "${port%/input}" ;; esac
    elif [ -n "$needs_router" ] && [ ! -d /proc/sys/net/mpls ]; then
        if [ "$mode" = plan ]; then
            report changed sysctl "$1" "$3, once mpls_router is loaded"
        else
            report "$unready" sysctl "$1" "there is no /proc/sys/net/mpls: mpls_router is not loaded"
        fi
    elif [ -n "$needs_router" ]; then
        report failed sysctl "$1" "this kernel accepts no labels on such an interface"
    else
        case $1 in net/ipv6/*) no_ipv6 && report failed sysctl "$1" "$why" && return ;; esac
        report failed sysctl "$1" "this kernel has no such sysctl"
    fi
}

# no_ipv6: whether this node has none; $why says it
no_ipv6() {
    [ ! -e /proc/sys/net/ipv6/conf ] || return 1
    why="IPv6 is off on this node"
    [ "$(cat /sys/module/ipv6/parameters/disable 2>/dev/null)" != 1 ] || why="$why (ipv6.disable=1)"
}

# tell_absent NAME: an interface that is not there. want/optional names those that may come later; the keeper sees to
# each when it comes.
tell_absent() {
    if [ "$mode" = keep ]; then
        report note interface "$1" "no such interface: it gets its input when it comes"
    elif may_come_later "$1"; then
        report note interface "$1" "no such interface now: it may come later"
    else
        report waits interface "$1" "no such interface; the node has $(interfaces)"
    fi
}

may_come_later() { grep -qsxF -e "$1" "$here/want/optional"; }

# interfaces: those of this network namespace, for people; a folder of /sys may be another's
interfaces() {
    awk 'sub(/:.*/, "") { gsub(/ /, ""); if ($0 != "lo" && n++ < 50) names = names (n > 1 ? ", " : "") $0 }
        END { print (n > 50 ? names ", and " n - 50 " more" : n ? names : "no interface but lo") }' /proc/net/dev
}

# tell_part NAME: what comes in by a part of a bridge or a bond is received on the whole; a VRF's part receives its own.
tell_part() {
    part=
    [ "$mode" = keep ] || [ ! -e "/sys/class/net/$1/brport" ] || part="a port"
    [ "$mode" = keep ] || [ ! -e "/sys/class/net/$1/bonding_slave" ] || part="a member"
    [ -n "$part" ] || return 0
    whole=$(readlink "/sys/class/net/$1/master")
    report note interface "$1" "is $part of ${whole##*/}: labelled packets are received on ${whole##*/}"
}

# set_value KEY OLD NEW: any input but 0 is on; the label table only grows, since shrinking it deletes routes
set_value() {
    size=${spec_labels:-$3}
    if [ "$1" = net/mpls/platform_labels ] && [ "$2" -ge "$3" ] && [ "$2" -gt "$size" ] && ! allowed shrink; then
        report note sysctl "$1" "stays $2: making it $size would delete the label routes from $size on (--allow shrink)"
    elif [ "$2" = "$3" ] || { [ "$3" = 1 ] && [ "$2" != 0 ]; }; then
        report same sysctl "$1" "$2"
    else
        change sysctl "$1" "$2 -> $3" write_value "$1" "$3"
    fi
}

write_value() {
    echo "$2" >"/proc/sys/$1" && [ "$(cat "/proc/sys/$1")" = "$2" ] || {
        echo "stays $(cat "/proc/sys/$1")"
        return 1
    }
}

# --- addresses of lo --------------------------------------------------------------------------------------------

# `link set lo up` and `address add ADDRESS dev lo` are the lines of routes.batch that are no routes. The addresses that
# we added are in $state/addresses; one that was there before is nobody's business.
apply_addresses() {
    find_ip || return
    wanted=$(lines_before_routes)
    ours=$(lines "$state/addresses")
    theirs=$(lines "$others_addresses")
    [ -n "$wanted$ours" ] || return 0
    there=$("$ip" -o address show dev lo) || { report failed address lo "ip does not tell its addresses"; return; }
    left=
    for address in $wanted; do
        if [ "$address" = up ]; then
            lo_up
        elif on_lo "$address"; then
            report same address "$address" lo
            if has "$ours" "$address"; then left=$left$address$newline; else note_theirs "$address"; fi
        elif [ "$mode" = keep ] && has "$theirs" "$address"; then
            continue
        elif [ "${address#*:}" != "$address" ] && no_ipv6; then
            report failed address "$address" "$why"
        elif change address "$address" "added to lo" add_address "$address"; then
            left=$left$address$newline
        fi
    done
    for address in $ours; do
        has "$wanted" "$address" || ! on_lo "$address" || {
            [ "$mode" != keep ] && change address "$address" "taken off lo" "$ip" address del "$address" dev lo
        } || left=$left$address$newline
    done
    [ "$mode" = plan ] || [ "$left" = "${ours:+$ours$newline}" ] || record address lo keep_addresses
}

keep_addresses() { printf %s "$left" | store "$state/addresses"; }

# Addresses, and `up` for lo itself: they come before the routes.
lines_before_routes() {
    while read -r what _ address _; do
        case $what in
        link) echo up ;;
        address) echo "$address" ;;
        route) break ;;
        esac
    done <"$root$routes_file"
} 2>/dev/null

# lines FILE: a short file that may not be there
lines() { while read -r line; do echo "$line"; done <"$1"; } 2>/dev/null

on_lo() { case $there in *" inet $1 "* | *" inet6 $1 "*) return 0 ;; *) return 1 ;; esac; }

# Those of others are kept beyond a boot: who brings them there is not forestalled.
note_theirs() {
    [ "$mode" != node ] || has "$theirs" "$1" || record address "$1" keep_theirs "$1"
}

keep_theirs() { mkdir -p "${others_addresses%/*}" && echo "$1" >>"$others_addresses"; }

# It is ours before it is there: a run that is cut short leaves nothing that nobody takes away.
add_address() { printf '%s\n' "$1" >>"$state/addresses" && "$ip" address add "$1" dev lo; }

lo_up() {
    flags=0
    read -r flags 2>/dev/null </sys/class/net/lo/flags
    [ $((flags & 1)) != 0 ] || change interface lo up "$ip" link set lo up
}

# --- all of it --------------------------------------------------------------------------------------------------

# One run at a time: the keeper waits while a node is set up.
hold_lock() {
    if { [ -d "$state" ] && [ -w "$state/lock" ]; } || error=$({ mkdir -p "$state" && : >>"$state/lock"; } 2>&1); then
        exec 8>"$state/lock"
        flock -w 120 8 && return 0
        error="$state/lock is held for 120 s"
    fi
    report failed node lock "$error"
    return 1
}

# shellcheck source=SCRIPTDIR/routes.sh
. "$here/routes.sh"

apply_live() {
    apply_sysctls
    as_recorded || return
    apply_addresses
    apply_routes
}
