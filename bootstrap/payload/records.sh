#!/bin/sh
# Read by apply.sh: sysctls and modules as they were before us, and putting them back.
# shellcheck disable=SC2154,SC2034,SC2013,SC2015 # mode, here, root and records are apply.sh's

# sysctls_before: KEY VALUE, VALUE being - for a sysctl of mpls_router when that was not loaded: it begins as 0.
sysctls_before=$records/sysctls
modules_before=$records/modules

# The table only grows, at the next boot and by `sysctl --system`, too: our file gets the largest of what is live, what it
# says already, what another file says, and the spec's, which stays in $spec_labels. $larger_table is that file then.
keep_table() {
    spec_labels=$(table_size "$here/files$sysctl_file")
    [ -n "$spec_labels" ] && ! allowed shrink || return 0
    largest=$spec_labels
    for size in "$(live_labels)" "$(table_size "$sysctl_file")" "$(configured_value net/mpls/platform_labels)"; do
        # A file of others may name what no kernel takes.
        [ "${size:-0}" -le "$largest" ] || [ "$size" -gt 1048575 ] || largest=$size
    done
    [ "$largest" != "$spec_labels" ] && record file "$sysctl_file" enlarge_table && larger_table=$here/larger || return 0
}

table_size() { sysctls "$1" | sed -n 's|^net/mpls/platform_labels ||p'; }

# In an image nothing is live: what there is, is the builder's.
live_labels() { [ "$mode" = image ] || cat /proc/sys/net/mpls/platform_labels 2>/dev/null; }

enlarge_table() { sed "s|^\(net/mpls/platform_labels = \).*|\1$largest|" "$here/files$sysctl_file" >"$here/larger"; }

# Before files are put and modules are loaded: udev sets sysctls as soon as it can.
record_sysctls() {
    known=$(cut -d ' ' -f 1 "$sysctls_before" 2>/dev/null)
    for key in $(sysctls "$here/files$sysctl_file" | cut -d ' ' -f 1); do
        has "$known" "$key" || record sysctl "$key" record_sysctl "$key" || return
    done
}

# On a node that is ours already the value of an input is none of before us: its interface was called otherwise when it was
# set, or somebody switched it on against our files.
record_sysctl() {
    value=-
    case ${known:+$1} in
    net/mpls/conf/*) ;;
    *) [ ! -e "/proc/sys/$1" ] || value=$(cat "/proc/sys/$1") || return ;;
    esac
    mkdir -p "$records" && record_beside "$1" && printf '%s %s\n' "$1" "$value" >>"$sysctls_before"
}

# drop_sysctls FILE: those of ours that FILE names no more get the value that they had before us
drop_sysctls() {
    stay=$(sysctls "$1" | cut -d ' ' -f 1)
    for key in $({ sysctls "$sysctl_file"; cat "$sysctls_before" 2>/dev/null; } | sed 's/ .*//' | sort -u); do
        has "$stay" "$key" || put_back_sysctl "$key"
    done
}

# The switches of forwarding set these of every interface, too (inet_forward_change in net/ipv4/devinet.c).
beside() {
    case $1 in
    net/ipv4/ip_forward) echo 'net/ipv4/conf/*/forwarding net/ipv4/conf/*/accept_redirects' ;;
    net/ipv6/conf/all/forwarding) echo 'net/ipv6/conf/*/forwarding' ;;
    esac
}

# record_beside KEY: what will be set with it, as it is before
record_beside() {
    patterns=$(beside "$1")
    # shellcheck disable=SC2086 # they are patterns
    found=$(cd /proc/sys && [ -n "$patterns" ] && grep -sH '' $patterns)
    [ -z "$found" ] || printf '%s\n' "$found" >>"$records/beside"
}

put_back_beside() {
    for pattern in $(beside "$1"); do
        part=${pattern#*\*}
        for line in $(grep -s "^${pattern%%\**}[^:]*$part:" "$records/beside"); do
            key=${line%:*}
            [ ! -e "/proc/sys/$key" ] || [ "$(cat "/proc/sys/$key")" = "${line##*:}" ] ||
                error=$(write_value "$key" "${line##*:}" 2>&1) || report failed sysctl "$key" "$error"
        done
    done
}

put_back_sysctl() {
    value=$(awk -v key="$1" '$1 == key { print $2 }' "$sysctls_before" 2>/dev/null)
    case $1:$value in
    *:-) value=0 ;;
    net/mpls/*:) value=0 ;; # what our file opened, nobody else is known to have opened
    *:) return ;;           # the record went with an earlier run, which put it back
    esac
    configured=$(configured_value "$1")
    value=${configured:-$value}
    old=$(cat "/proc/sys/$1" 2>/dev/null)
    if [ -n "$old" ] && [ "$old" != "$value" ]; then
        if [ "$1" = net/mpls/platform_labels ] && [ "$(foreign_labels "$value")" != 0 ]; then
            report note sysctl "$1" "stays $old: label routes that are not ours need it"
        else
            change sysctl "$1" "$old -> $value" write_value "$1" "$value" || return
        fi
        [ "$mode" = plan ] || put_back_beside "$1"
    fi
    [ "$mode" = plan ] || [ ! -e "$sysctls_before" ] || record sysctl "$1" forget_sysctl "$1"
}

forget_sysctl() { awk -v key="$1" '$1 != key' "$sysctls_before" | store "$sysctls_before"; }

# configured_value KEY: what the files of others in sysctl.d say, the last of them
configured_value() {
    pattern=$(printf %s "$1" | sed 's|[./]|[./]|g')
    for file in /usr/lib/sysctl.d/*.conf /run/sysctl.d/*.conf /etc/sysctl.d/*.conf /etc/sysctl.conf; do
        [ "$file" = "$sysctl_file" ] || sed -n "s|^[[:space:]]*-\{0,1\}${pattern}[[:space:]]*=[[:space:]]*\([0-9]\{1,\}\)[[:space:]]*\$|\1|p" "$file"
    done 2>/dev/null | tail -n 1
}

# foreign_labels FROM: how many label routes that are not ours have a label from FROM on
foreign_labels() {
    has_ip || return
    "$ip" -o -N -f mpls route show 2>/dev/null |
        awk -v from="$1" -v ours=" proto $protocol " '!index($0 " ", ours) && $1 ~ /^[0-9]+$/ && $1 >= from + 0 { n++ } END { print n + 0 }'
}

record_module() { note_path "$modules_before" "$1"; }

# Modules that we loaded go when nobody needs them: the last loaded first.
unload_modules() {
    [ -e "$modules_before" ] || return 0
    for module in $(awk '{ line[NR] = $0 } END { for (i = NR; i; i--) print line[i] }' "$modules_before"); do
        grep -q "^$module " /proc/modules || continue
        if [ "$module" = mpls_router ] && [ "$(foreign_labels 0)" != 0 ]; then
            report note module "$module" "stays: label routes that are not ours need it"
        elif [ "$module" = mpls_router ] && has_ip && [ -n "$("$ip" netns list 2>/dev/null)" ]; then
            report note module "$module" "stays: the node has network namespaces, which may need it"
        elif [ "$mode" = plan ]; then
            report changed module "$module" "unloaded"
        elif unload "$module"; then
            report changed module "$module" "unloaded"
        else
            report note module "$module" "stays: $error"
        fi
    done
}

# The kernel lets go of a module some time after the last route that used it.
unload() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ! error=$(rmmod "$1" 2>&1) || return 0
        sleep 0.2
    done
    return 1
}
