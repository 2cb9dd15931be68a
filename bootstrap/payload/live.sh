#!/bin/sh
# Read by apply.sh and by keep.sh, which stays on the node: sysctls, addresses of lo and routes, made what the files
# say. Whoever reads this sets mode (plan changes nothing), root (what comes before /etc), state (a folder in memory),
# unready (the state of an item that needs a module which is not loaded) and allowed.
# Routes of ours have the protocol number 77; no other route is ever replaced or deleted.
# shellcheck disable=SC2154,SC2034,SC2015,SC2013

sysctl_file=/etc/sysctl.d/90-mplskit.conf
routes_file=/etc/mplskit/routes.batch
labels_file=/etc/mplskit/labels.batch
others_addresses=/var/lib/mplskit/addresses
protocol=77
tab=$(printf '\t')
newline='
'

# report STATE KIND NAME DETAIL
report() {
    [ "$1" != failed ] || failures=1
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

# iproute2 by its path: busybox has an `ip`, too. The answer is kept in $ip.
ip=
find_ip() {
    [ -z "$ip" ] || return 0
    for ip in /sbin/ip /usr/sbin/ip /bin/ip; do
        case $("$ip" -V 2>&1) in *iproute2*) return 0 ;; esac
    done
    ip=
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

# The values are read at once, by a program: /proc gives a number only to who reads it whole, and `read` of sh does not.
apply_sysctls() {
    pairs=$(sysctls "$root$sysctl_file")
    values=$newline$(printf '%s\n' "$pairs" | sed 's| .*||; s|^|/proc/sys/|' | xargs grep -sH '' 2>/dev/null)$newline
    while read -r key value; do
        [ -z "$key" ] || apply_sysctl "$key" "$value"
    done <<EOF
$pairs
EOF
}

apply_sysctl() {
    case $1 in net/mpls/*) needs_router=yes ;; *) needs_router= ;; esac
    if [ -e "/proc/sys/$1" ]; then
        old=${values#*"$newline/proc/sys/$1:"}
        set_value "$1" "${old%%"$newline"*}" "$2"
    elif [ -n "$needs_router" ] && [ ! -d /proc/sys/net/mpls ]; then
        if [ "$mode" = plan ]; then
            report changed sysctl "$1" "$2, once mpls_router is loaded"
        else
            report "$unready" sysctl "$1" "there is no /proc/sys/net/mpls: mpls_router is not loaded"
        fi
    elif [ -n "$needs_router" ]; then
        report note sysctl "$1" "no such interface yet"
    else
        report failed sysctl "$1" "this kernel has no such sysctl"
    fi
}

# set_value KEY OLD NEW: any input but 0 is on; the label table only grows, since shrinking it deletes routes
set_value() {
    if [ "$2" = "$3" ] || { [ "$3" = 1 ] && [ "$2" != 0 ]; }; then
        report same sysctl "$1" "$2"
    elif [ "$1" = net/mpls/platform_labels ] && [ "$2" -gt "$3" ] && ! allowed shrink; then
        report note sysctl "$1" "stays $2: making it $3 would delete the label routes from $3 on (--allow shrink)"
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
    wanted=$(sed -n 's/^address add \(.*\) dev lo$/\1/p; s/^link set lo up$/up/p' "$root$routes_file" 2>/dev/null)
    ours=$(cat "$state/addresses" 2>/dev/null)
    theirs=$(cat "$others_addresses" 2>/dev/null)
    [ -n "$wanted$ours" ] || return 0
    there=$("$ip" -o address show dev lo | awk '{ print $4 }')
    left=
    for address in $wanted; do
        if [ "$address" = up ]; then
            lo_up
        elif has "$there" "$address"; then
            report same address "$address" lo
            if has "$ours" "$address"; then left=$left$address$newline; else note_theirs "$address"; fi
        elif [ "$mode" = keep ] && has "$theirs" "$address"; then
            continue
        elif change address "$address" "added to lo" add_address "$address"; then
            left=$left$address$newline
        fi
    done
    for address in $ours; do
        has "$wanted" "$address" || ! has "$there" "$address" ||
            change address "$address" "taken off lo" "$ip" address del "$address" dev lo || left=$left$address$newline
    done
    [ "$mode" = plan ] || [ "$left" = "${ours:+$ours$newline}" ] || printf %s "$left" | store "$state/addresses"
}

# Those of others are kept beyond a boot: who brings them there is not forestalled.
note_theirs() {
    [ "$mode" != node ] || has "$theirs" "$1" || { mkdir -p "${others_addresses%/*}" && echo "$1" >>"$others_addresses"; }
}

# It is ours before it is there: a run that is cut short leaves nothing that nobody takes away.
add_address() { printf '%s\n' "$1" >>"$state/addresses" && "$ip" address add "$1" dev lo; }

lo_up() {
    [ $(($(cat /sys/class/net/lo/flags) & 1)) != 0 ] || change interface lo up "$ip" link set lo up
}

# --- routes -----------------------------------------------------------------------------------------------------
#
# A route is known by FAMILY (4, 6, mpls) and KEY (prefix and table, or label). What the kernel showed after a line was
# applied is kept beside it in $state/routes (FAMILY, KEY, line, shown): what is so is told by comparing the kernel's
# words with the kernel's words, whatever version of `ip` writes them.

apply_routes() {
    find_ip || return
    work=$state/work
    [ "$mode" != plan ] || work=$here/work
    [ -d "$work" ] || mkdir -p "$work"
    known=$state/routes
    [ -e "$known" ] || known=/dev/null
    wanted_routes >"$work/wanted"
    shown_routes >"$work/shown"
    compare_routes >"$work/actions"
    if [ "$mode" = plan ]; then
        # What was refused the last time will be again.
        awk -F '\t' '$5 != "" { print $1 "\t" $2 "\t" $5 }' "$known" >"$work/errors"
    elif grep -qv '^same' "$work/actions"; then
        do_routes >"$work/errors"
        shown_routes >"$work/shown"
        remember_routes
    else
        : >"$work/errors"
    fi
    told=$(tell_routes)
    [ -z "$told" ] || printf '%s\n' "$told"
    case $newline$told in *"${newline}failed$tab"*) failures=1 ;; esac
}

# A route that could not be made what it should be is not known by what it is: it is tried again. One that the kernel does
# not show has failed, whatever was said.
remember_routes() {
    awk -F '\t' -v refused="$work/refused" '
        FILENAME == ARGV[1] { error[$1, $2] = $3; next }
        FILENAME == ARGV[2] { there[$1, $2] = $3; next }
        {
            id = $1 SUBSEP $2
            if (!(id in error) && !(id in there)) error[id] = "the kernel does not show it"
            print $0 "\t" (id in error ? "\t" error[id] : there[id])
        }
        END { for (id in error) { split(id, part, SUBSEP); print part[1] "\t" part[2] "\t" error[id] >refused } }
    ' "$work/errors" "$work/shown" "$work/wanted" >"$work/routes"
    [ ! -e "$work/refused" ] || mv -f "$work/refused" "$work/errors"
    mv -f "$work/routes" "$state/routes"
}

# wanted_routes: FAMILY<TAB>KEY<TAB>WORDS of every `route add WORDS` line
wanted_routes() {
    set --
    for file in "$root$routes_file" "$root$labels_file"; do
        [ ! -e "$file" ] || set -- "$@" "$file"
    done
    [ $# = 0 ] || awk "$key_of"'
        $1 == "route" && $2 == "add" {
            sub(/^route add /, "")
            print family($1) "\t" key($0, family($1)) "\t" $0
        }' "$@"
}

# shown_routes: FAMILY<TAB>KEY<TAB>WORDS of every route of ours that the kernel has
shown_routes() {
    {
        echo 4
        "$ip" -o -N -4 route show table all proto $protocol
        echo 6
        "$ip" -o -N -6 route show table all proto $protocol
        echo mpls
        "$ip" -o -N -f mpls route show proto $protocol
    } 2>/dev/null | awk "$key_of"'
        NF == 1 { of = $1 }
        NF > 1 {
            gsub(/ (dead|linkdown|offload|trap|rt_offload|rt_trap|notify)/, "")
            gsub(/[ \t\\]+/, " ")
            sub(/ $/, "")
            print of "\t" key($0, of) "\t" $0
        }'
}

# Both sides in one form: no length for a host, 0.0.0.0/0 and ::/0 for the default, table 254 unless another is named.
# shellcheck disable=SC2016 # it is awk
key_of='
    function family(dst) { return dst ~ /:/ ? "6" : dst ~ /^[0-9]+$/ ? "mpls" : "4" }
    function key(words, kind,   part, n, i, table) {
        n = split(words, part, " ")
        if (kind == "mpls") return part[1]
        if (part[1] == "default") part[1] = kind == "6" ? "::/0" : "0.0.0.0/0"
        sub(kind == "6" ? "/128$" : "/32$", "", part[1])
        table = 254
        for (i = 2; i < n; i++) if (part[i] == "table") table = part[i + 1]
        return part[1] " " table
    }'

# compare_routes: what is to be done: ACTION<TAB>FAMILY<TAB>KEY<TAB>WORDS, ACTION being same, add, replace, del, or waits
# for a line that was tried already.
compare_routes() {
    awk -F '\t' '
        FILENAME == ARGV[1] { line[$1, $2] = $3; seen[$1, $2] = $4; next }
        FILENAME == ARGV[2] { there[$1, $2] = $3; next }
        {
            id = $1 SUBSEP $2
            wanted[id] = 1
            known = id in line && line[id] == $3
            if (id in there) action = known && seen[id] == there[id] ? "same" : "replace"
            else action = known && seen[id] == "" ? "waits" : "add"
            print action "\t" $0
        }
        END {
            for (id in there) if (!(id in wanted)) {
                split(id, part, SUBSEP)
                print "del\t" part[1] "\t" part[2] "\t" there[id]
            }
        }' "$known" "$work/shown" "$work/wanted"
}

# do_routes: does it all, and says what failed: FAMILY<TAB>KEY<TAB>the kernel's words. Of several next hops each must have
# its interface: where one has not, `ip` ends at once and leaves out the rest of the batch, without naming the line.
do_routes() {
    "$ip" -o link show | awk '{
        sub(/(@.*)?:$/, "", $2)
        print $2
        for (i = 3; i < NF; i++) if ($i == "altname") print $(i + 1)
    }' >"$work/links"
    for family in 4 6 mpls; do : >"$work/batch.$family"; done
    awk -F '\t' -v batch="$work/batch." '
        function absent(words,   n, part, i) {
            n = split(words, part, " ")
            for (i = 2; i <= n; i++) if (part[i - 1] == "dev" && !(part[i] in there)) return part[i]
        }
        FILENAME == ARGV[1] { there[$1] = 1; next }
        $1 == "same" { next }
        # At such a line ip ends, and drops the rest of the batch.
        $1 != "del" && / nexthop / && (dev = absent($4)) {
            print $2 "\t" $3 "\tCannot find device \"" dev "\""
            next
        }
        $1 == "del" && $2 == "mpls" { print "route del " $3 >(batch $2); next }
        $1 == "del" { split($3, part, " "); print "route del " part[1] " table " part[2] " proto '$protocol'" >(batch $2); next }
        { print "route " ($1 == "waits" ? "add" : $1) " " $4 >(batch $2) }
    ' "$work/links" "$work/actions"
    for family in 4 6 mpls; do
        [ -s "$work/batch.$family" ] || continue
        case $family in mpls) option="-f mpls" ;; *) option=-$family ;; esac
        # shellcheck disable=SC2086 # one word or two
        "$ip" $option -force -batch "$work/batch.$family" 2>&1 | awk -v of="$family" "$key_of"'
            FILENAME == ARGV[1] { sub(/^route [a-z]+ /, ""); line[FNR] = $0; next }
            /^Command failed / { sub(/.*:/, ""); print of "\t" key(line[$0 + 0], of) "\t" said; said = ""; next }
            { sub(/^(Error|RTNETLINK answers): /, ""); said = said (said == "" ? "" : "; ") $0 }
        ' "$work/batch.$family" -
    done
}

# What cannot be done before its interface or its next hop is there waits for it.
tell_routes() {
    router=yes
    [ -d /proc/sys/net/mpls ] || router=
    awk -F '\t' -v mode="$mode" -v router="$router" -v unready="$unready" '
        FILENAME == ARGV[1] { error[$1, $2] = $3; next }
        function tell(state, detail) { print state "\troute\t" name "\t" detail }
        {
            name = $3
            if ($2 == "mpls") name = "label " $3
            else if (!sub(/ 254$/, "", name)) sub(/ /, " table ", name)
            why = error[$2, $3]
            if ($1 == "same") tell("same", $4)
            else if (why ~ /File exists/) tell("failed", "there is one already that is not ours; it is left alone")
            else if (!router && $2 == "mpls" && why != "") tell(unready, why ": " $4)
            else if (why ~ /[Cc]annot find device|No such device|[Nn]exthop has invalid|unreachable|not up|is down|No route to host|Invalid device/)
                tell("note", "waits for its interface or next hop (" why "): " $4)
            else if (why != "") tell("failed", why ": " $4)
            else if ($1 == "del") tell("changed", "taken away: " $4)
            else tell("changed", ($1 == "replace" ? "made anew: " : "added: ") $4)
        }' "$work/errors" "$work/actions"
}

# --- all of it --------------------------------------------------------------------------------------------------

# One run at a time: the keeper waits while a node is set up.
hold_lock() {
    { [ -d "$state" ] || mkdir -p "$state"; } && exec 8>"$state/lock" && flock -w 120 8 && return 0
    report failed node lock "$state/lock is held for 120 s"
    return 1
}

apply_live() {
    apply_sysctls
    apply_addresses
    apply_routes
}
