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

# The values are read by awk: /proc gives a number only to who reads it whole, and `read` of sh does not.
apply_sysctls() {
    [ -e "$root$sysctl_file" ] || return 0
    values=$(awk '/^net\/[^ ]* = [0-9]+$/ {
        file = "/proc/sys/" $1
        now = "-"
        getline now <file
        close(file)
        print $1, $3, now
    }' "$root$sysctl_file")
    while read -r key wanted now; do
        [ -z "$key" ] || apply_sysctl "$key" "$now" "$wanted"
    done <<EOF
$values
EOF
}

# apply_sysctl KEY NOW WANTED, NOW being - where there is none
apply_sysctl() {
    case $1 in net/mpls/*) needs_router=yes ;; *) needs_router= ;; esac
    if [ "$2" != - ]; then
        set_value "$@"
    elif [ -n "$needs_router" ] && [ ! -d /proc/sys/net/mpls ]; then
        if [ "$mode" = plan ]; then
            report changed sysctl "$1" "$3, once mpls_router is loaded"
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
    wanted=$(lines_before_routes)
    ours=$(lines "$state/addresses")
    theirs=$(lines "$others_addresses")
    [ -n "$wanted$ours" ] || return 0
    there=$("$ip" -o address show dev lo)
    left=
    for address in $wanted; do
        if [ "$address" = up ]; then
            lo_up
        elif on_lo "$address"; then
            report same address "$address" lo
            if has "$ours" "$address"; then left=$left$address$newline; else note_theirs "$address"; fi
        elif [ "$mode" = keep ] && has "$theirs" "$address"; then
            continue
        elif change address "$address" "added to lo" add_address "$address"; then
            left=$left$address$newline
        fi
    done
    for address in $ours; do
        has "$wanted" "$address" || ! on_lo "$address" ||
            change address "$address" "taken off lo" "$ip" address del "$address" dev lo || left=$left$address$newline
    done
    [ "$mode" = plan ] || [ "$left" = "${ours:+$ours$newline}" ] || printf %s "$left" | store "$state/addresses"
}

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
    [ "$mode" != node ] || has "$theirs" "$1" || { mkdir -p "${others_addresses%/*}" && echo "$1" >>"$others_addresses"; }
}

# It is ours before it is there: a run that is cut short leaves nothing that nobody takes away.
add_address() { printf '%s\n' "$1" >>"$state/addresses" && "$ip" address add "$1" dev lo; }

lo_up() {
    read -r flags </sys/class/net/lo/flags
    [ $((flags & 1)) != 0 ] || change interface lo up "$ip" link set lo up
}

# --- routes -----------------------------------------------------------------------------------------------------
#
# A route is known by FAMILY (4, 6, mpls) and KEY (prefix and table, or label). What the kernel showed after a line was
# applied is kept beside it in $state/routes (FAMILY, KEY, line, shown): what is so is told by comparing the kernel's
# words with the kernel's words, whatever version of `ip` writes them.

# The keeper does this whenever something happens, so as few programs as can be are started.
apply_routes() {
    find_ip || return
    work=$state/work
    [ "$mode" != plan ] || work=$here/work
    [ -d "$work" ] || mkdir -p "$work"
    known=$state/routes
    [ -e "$known" ] || known=/dev/null
    did=
    for file in wanted actions errors routes batch.4 batch.6 batch.mpls; do : >"$work/$file"; done
    if ! todo=$(compare_routes); then
        report failed route routes "they could not be compared with the kernel's"
        return
    fi
    [ "$mode" != plan ] || todo=
    [ -z "$todo" ] || did=$(do_routes)
    case $mode:$todo in keep: | "keep:again "*) [ -n "$did" ] || return 0 ;; esac
    told=$({ [ -z "$todo" ] || kernel_has; } | tell_routes)
    [ -z "$todo" ] || mv -f "$work/routes" "$state/routes"
    [ -z "$told" ] || printf '%s\n' "$told"
    case $newline$told in *"${newline}failed$tab"*) failures=1 ;; esac
}

# kernel_has: every route of ours that the kernel has, of all families: where none is named, `table all` is all of them
kernel_has() { "$ip" -o -N route show table all proto $protocol 2>/dev/null; }

# Both sides in one form: no length for a host, 0.0.0.0/0 and ::/0 for the default, table 254 unless another is named.
# shellcheck disable=SC2016 # it is awk
words='
    function family(words,   dst) {
        dst = words
        sub(/ .*/, "", dst)
        if (dst == "default") return words ~ / pref (low|medium|high)/ ? "6" : "4"
        return dst ~ /:/ ? "6" : dst ~ /^[0-9]+$/ ? "mpls" : "4"
    }
    function key(words, kind,   part, n, i, table) {
        n = split(words, part, " ")
        if (kind == "mpls") return part[1]
        if (part[1] == "default") part[1] = kind == "6" ? "::/0" : "0.0.0.0/0"
        sub(kind == "6" ? "/128$" : "/32$", "", part[1])
        table = 254
        for (i = 2; i < n; i++) if (part[i] == "table") table = part[i + 1]
        return part[1] " " table
    }
    function plain(words) {
        gsub(/ (dead|linkdown|offload|trap|rt_offload|rt_trap|notify)/, "", words)
        gsub(/[ \t\\]+/, " ", words)
        sub(/ $/, "", words)
        return words
    }'

# compare_routes: what there is to do, in $work: `wanted` has FAMILY, KEY and WORDS of each line; `actions` has the same
# behind same, add, replace, del, or waits for a line that was tried already; batch.FAMILY is for `ip`; `errors` has FAMILY,
# KEY and why of what cannot be. On stdout, if there is anything: `again`, or `new` where something was not tried already, and
# the families that have a batch.
compare_routes() {
    set -- phase=wanted
    for file in "$root$routes_file" "$root$labels_file"; do
        [ ! -e "$file" ] || set -- "$@" "$file"
    done
    {
        kernel_has
        printf '%s\n' /sys/class/net/*
    } | awk -F '\t' -v mode="$mode" -v work="$work/" -v ip="$ip" "$words"'
        function absent(words,   part, n, i) {
            n = split(words, part, " ")
            for (i = 1; i < n; i++) if (part[i] == "dev" && !(part[++i] in link)) {
                if (!asked) ask_names()
                if (!(part[i] in link)) return part[i]
            }
        }
        # What the folder does not know: other names of an interface, and those of a namespace that has no /sys of its own.
        function ask_names(   text, part, n, i) {
            for (asked = 1; ((ip " -o link show") | getline text) > 0;) {
                n = split(text, part, " ")
                sub(/(@.*)?:$/, "", part[2])
                link[part[2]]
                for (i = 3; i < n; i++) if (part[i] == "altname") link[part[i + 1]]
            }
        }
        function refuse(of, id, why) { print of "\t" id "\t" why >(work "errors") }
        function act(what, of, id, words,   dev, part) {
            print what "\t" of "\t" id "\t" words >(work "actions")
            if (what == "same" || mode == "plan") return
            # Where one of several next hops has no interface, ip ends, and drops the rest of the batch.
            if (what != "del" && (dev = absent(words)) != "") {
                if (what == "waits") refuse(of, id, refused[of, id])
                else { refuse(of, id, "Cannot find device \"" dev "\""); new = 1 }
                return
            }
            any = batch[of] = 1
            if (what == "waits") what = "add"
            else new = 1
            if (what == "del") {
                split(id, part, " ")
                words = of == "mpls" ? id : part[1] " table " part[2] " proto '$protocol'"
            }
            print "route " what " " words >(work "batch." of)
        }
        phase == "known" {
            line[$1, $2] = $3
            seen[$1, $2] = $4
            refused[$1, $2] = $5
            # What was refused the last time will be again.
            if (mode == "plan" && $5 != "") refuse($1, $2, $5)
            next
        }
        phase == "kernel" && /^\/sys/ { link[substr($0, 16)]; next }
        phase == "kernel" { there[family($0), key($0, family($0))] = plain($0); next }
        /^route add / {
            text = substr($0, 11)
            of = family(text)
            id = of SUBSEP key(text, of)
            wanted[id] = 1
            print of "\t" key(text, of) "\t" text >(work "wanted")
            as_it_was = id in line && line[id] == text
            if (id in there) what = as_it_was && seen[id] == there[id] ? "same" : "replace"
            else what = as_it_was && seen[id] == "" ? "waits" : "add"
            act(what, of, key(text, of), text)
        }
        END {
            for (id in there) if (!(id in wanted)) {
                split(id, part, SUBSEP)
                act("del", part[1], part[2], there[id])
            }
            if (any || new) print (new ? "new " : "again ") (batch[4] ? " 4" : "") (batch[6] ? " 6" : "") (batch["mpls"] ? " mpls" : "")
        }' phase=known "$known" phase=kernel - "$@"
}

# do_routes: does the batches of $todo, and says `done` if any of it was; what failed is in `errors`, with the kernel's words
do_routes() {
    for family in ${todo#* }; do
        case $family in mpls) option="-f mpls" ;; *) option=-$family ;; esac
        echo "= $family"
        # shellcheck disable=SC2086 # one word or two
        "$ip" $option -force -batch "$work/batch.$family" 2>&1
    done | awk -v work="$work/" "$words"'
        /^= / {
            of = $2
            for (n = 0; (getline text <(work "batch." of)) > 0; line[++n] = text) sub(/^route [a-z]+ /, "", text)
            left += n
            next
        }
        /^Command failed / {
            sub(/.*:/, "")
            print of "\t" key(line[$0 + 0], of) "\t" said >>(work "errors")
            said = ""
            left--
            next
        }
        { sub(/^(Error|RTNETLINK answers): /, ""); said = said (said == "" ? "" : "; ") $0 }
        END { if (left) print "done" }'
}

# tell_routes: one line for each action; what cannot be done before its interface or its next hop is there waits for it.
# With what the kernel has now on stdin, after something was tried, $work/routes is what is known from now on: a route that could not be made what it
# should be is not known by what it is: it is tried again. One that the kernel does not show has failed, whatever was said.
tell_routes() {
    router=yes
    [ -d /proc/sys/net/mpls ] || router=
    awk -F '\t' -v mode="$mode" -v router="$router" -v unready="$unready" -v remember="$todo" -v file="$work/routes" "$words"'
        function tell(state, detail) { if (mode != "keep" || state != "same") print state "\troute\t" name "\t" detail }
        phase == "errors" { error[$1, $2] = $3; next }
        phase == "kernel" { there[family($0), key($0, family($0))] = plain($0); next }
        phase == "wanted" {
            if (!remember) next
            id = $1 SUBSEP $2
            if (!(id in error) && !(id in there)) error[id] = "the kernel does not show it"
            print $0 "\t" (id in error ? "\t" error[id] : there[id]) >file
            next
        }
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
        }' phase=errors "$work/errors" phase=kernel - phase=wanted "$work/wanted" phase=actions "$work/actions"
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
