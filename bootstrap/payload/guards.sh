#!/bin/sh
# Read by apply.sh: what would cut an operator off, or delete routes of others, is refused before anything is changed.
# shellcheck disable=SC2154,SC2015,SC2013 # mode, here and allowances are apply.sh's

# allowed WORD
allowed() { case " $allowances " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# What our file says already was allowed once.
check_inputs() {
    allowed default-route && return 0
    find_ip >/dev/null || return 0
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

# A default route of ours comes before that of the node: its metric is 0.
check_defaults() {
    allowed default-route && return 0
    for prefix in $(sed -n 's|^route add \(0.0.0.0/0\|::/0\) proto .*|\1|p' "$here/files$routes_file" 2>/dev/null); do
        grep -qs "^route add $prefix proto " "$routes_file" || report failed route "$prefix" \
            "takes the place of the node's default route (--allow default-route says that it may)"
    done
}

# Forwarding makes Linux ignore router advertisements, and the default route that came by one runs out.
check_forwarding() {
    allowed default-route && return 0
    [ "$(cat /proc/sys/net/ipv6/conf/all/forwarding 2>/dev/null)" = 0 ] || return 0
    sysctls "$here/files$sysctl_file" | grep -qx 'net/ipv6/conf/all/forwarding 1' && find_ip >/dev/null || return 0
    for name in $("$ip" -o -6 route show default proto ra | sed -n 's/.* dev \([^ ]*\).*/\1/p' | sort -u); do
        [ "$(cat "/proc/sys/net/ipv6/conf/$name/accept_ra" 2>/dev/null)" = 2 ] || report failed interface "$name" \
            "its IPv6 default route comes by router advertisements, which are ignored once the node forwards: set net.ipv6.conf.$name.accept_ra = 2 first (--allow default-route goes on without)"
    done
}

# Shrinking the table deletes routes beyond it, silently: it is said how many.
tell_shrink() {
    allowed shrink && [ -e /proc/sys/net/mpls/platform_labels ] || return 0
    size=$(sysctls "$here/files$sysctl_file" | sed -n 's|^net/mpls/platform_labels ||p')
    [ "$(cat /proc/sys/net/mpls/platform_labels)" -gt "${size:-0}" ] || return 0
    lost=$(foreign_labels "$size")
    [ "$lost" = 0 ] || report note sysctl net/mpls/platform_labels "$lost label routes that are not ours go: their labels are $size or more"
}

# All refusals are told together.
guard() {
    check_inputs
    check_defaults
    check_forwarding
    check_sections
    [ "$failures" = 0 ] || exit 1
    tell_shrink
}
