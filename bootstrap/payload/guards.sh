#!/bin/sh
# Read by apply.sh: what would cut an operator off, or delete routes of others, is refused before anything is changed.
# shellcheck disable=SC2154,SC2015,SC2013 # mode, here and allowances are apply.sh's

# allowed WORD
allowed() { case " $allowances " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# Labels are accepted by an interface's own name: another one of it would wait for ever.
check_names() {
    has_ip || return 0
    for name in $(sysctls "$here/files$sysctl_file" | sed -n 's|^net/mpls/conf/\(.*\)/input 1$|\1|p'); do
        real=$("$ip" -o link show dev "$name" 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/\1/')
        [ "${real:-$name}" = "$name" ] || report failed interface "$name" \
            "is an altname of $real: labels are accepted by names of their own: write $real"
    done
}

# What our file says already was allowed once.
check_inputs() {
    allowed default-route && return 0
    has_ip || return 0
    carriers=$({ "$ip" -o route show default; "$ip" -o -6 route show default; } 2>/dev/null | grep -o 'dev [^ ]*')
    said=$(sysctls "$sysctl_file")
    for key in $(sysctls "$here/files$sysctl_file" | sed -n 's|^\(net/mpls/conf/.*/input\) 1$|\1|p'); do
        name=${key#net/mpls/conf/}
        name=${name%/input}
        ! has "$said" "$key 1" && has "$carriers" "dev $name" || continue
        report failed interface "$name" \
            "carries the default route: whoever reaches it could inject any label (--allow default-route says that it may)"
    done
}

# A default route of ours comes before that of the node: its metric is 0. Whatever leaves the node's own one nothing to do
# takes its place, however it is written.
check_defaults() {
    allowed default-route && return 0
    for taken in $(taken_defaults); do
        others=${taken#"${taken%+*}"}
        report failed route "${taken%+*}" \
            "takes the place of the node's default route${others:+, together with ${others#+} others} (--allow default-route says that it may)"
    done
}

# taken_defaults: a line for each prefix in main that is half of all addresses or more (2000::/3 is all that IPv6 uses), and
# one, PREFIX+HOW MANY OTHERS, for prefixes down to /8 that are all public addresses together; a /8 that is private in part
# may be missing. A drop route below all others (metric 4294967295) for everything takes nothing's place. What our file says
# already was allowed once.
taken_defaults() {
    set -- phase=was
    [ ! -e "$routes_file" ] || set -- "$@" "$routes_file"
    set -- "$@" phase=is
    [ ! -e "$here/files$routes_file" ] || set -- "$@" "$here/files$routes_file"
    awk '
        function octet(prefix,   hex, value, i) {
            if (prefix !~ /:/) return int(prefix)
            hex = substr(prefix, 1, index(prefix, ":") - 1)
            for (i = 1; i <= length(hex) - 2; i++) value = value * 16 + index("123456789abcdef", substr(hex, i, 1))
            return value + 0
        }
        function covers_all(phase, family,   i, last) {
            last = family == 6 ? 63 : 223
            for (i = family == 6 ? 32 : 1; i <= last; i++)
                if (!((phase, family, i) in covered) && !(family == 4 && i ~ /^(10|127|172|192)$/)) return 0
            return 1
        }
        { sub(/ (blackhole|unreachable)/, "") }
        /^route add [0-9a-f:.]+\/[0-8] / {
            if ($3 ~ /\/0$/ && / metric 4294967295( |$)/) next
            for (i = 4; i < NF; i++) if ($i == "table" && $(i + 1) != 254) next
            family = $3 ~ /:/ ? 6 : 4
            size = 2 ^ (8 - substr($3, length($3)))
            first = octet($3)
            for (i = first; i < first + size; i++) covered[phase, family, i]
            whole = size >= (family == 6 ? 32 : 128)
            if (whole && phase == "was") allowed[$3]
            else if (whole && !($3 in allowed)) { print $3; told[family] }
            else if (!whole && phase == "is" && !n[family]++) prefix[family] = $3
        }
        END {
            for (family = 4; family <= 6; family += 2)
                if (n[family] && !(family in told) && covers_all("is", family) && !covers_all("was", family))
                    print prefix[family] "+" n[family] - 1
        }' "$@" </dev/null
}

# Labels without a next hop go nowhere, without an error, where an address of Ethernet is to be found out. What an interface
# is that is not there yet, only the inventory can say. 0x10: IFF_POINTOPOINT, 0x80: IFF_NOARP.
check_direct() {
    [ -e "$here/want/direct" ] || return 0
    while read -r name kind; do
        if flags=$(link_flags "$name"); then
            [ $((flags & 0x90)) != 0 ] || report failed interface "$name" \
                "is neither point-to-point nor without ARP: labelled packets would go nowhere, without an error; the push needs via"
        elif [ "$kind" = - ]; then
            report failed interface "$name" \
                "is not there, so whether labelled packets need a next hop on it is not known: add via to the push, or say what it is, as in interfaces: {$name: {kind: gre}}"
        fi
    done <"$here/want/direct"
}

# link_flags NAME: those of an interface, or of that which has NAME as another name
link_flags() {
    real=$1
    [ -e "/sys/class/net/$1" ] || ! has_ip ||
        real=$("$ip" -o link show dev "$1" 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/\1/')
    [ -n "$real" ] && cat "/sys/class/net/$real/flags" 2>/dev/null
}

# Forwarding makes Linux ignore router advertisements, and the default route that came by one runs out.
check_forwarding() {
    allowed default-route && return 0
    [ "$(cat /proc/sys/net/ipv6/conf/all/forwarding 2>/dev/null)" = 0 ] || return 0
    sysctls "$here/files$sysctl_file" | grep -qx 'net/ipv6/conf/all/forwarding 1' && has_ip || return 0
    for name in $("$ip" -o -6 route show default proto ra | sed -n 's/.* dev \([^ ]*\).*/\1/p' | sort -u); do
        [ "$(cat "/proc/sys/net/ipv6/conf/$name/accept_ra" 2>/dev/null)" = 2 ] || report failed interface "$name" \
            "its IPv6 default route comes by router advertisements, which are ignored once the node forwards: set net.ipv6.conf.$name.accept_ra = 2 first (--allow default-route goes on without)"
    done
}

# Shrinking the table deletes routes beyond it, silently: it is said how many.
tell_shrink() {
    allowed shrink && [ -e /proc/sys/net/mpls/platform_labels ] || return 0
    size=$(table_size "$here/files$sysctl_file")
    [ "$(cat /proc/sys/net/mpls/platform_labels)" -gt "${size:-0}" ] || return 0
    lost=$(foreign_labels "$size")
    [ "${lost:-0}" = 0 ] || report note sysctl net/mpls/platform_labels "$lost label routes that are not ours go: their labels are $size or more"
}

# All refusals are told together.
guard() {
    check_names
    check_inputs
    check_defaults
    check_direct
    check_forwarding
    check_sections
    [ "$failures" = 0 ] || exit 1
    tell_shrink
}
