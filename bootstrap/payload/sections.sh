#!/bin/sh
# Read by apply.sh: what OpenVPN and FRRouting need beside their files and units. want/frr names daemons of FRRouting.
# shellcheck disable=SC2154,SC2034,SC2013 # mode, here, records, before and name are those of the other parts

frr_conf=/etc/frr/frr.conf
daemons=/etc/frr/daemons
frr_written=$records/frr.conf # the digests of all that we wrote there, one per line

# --- asked before anything is changed -----------------------------------------------------------------------------

check_sections() {
    list_files
    for conf in $brought; do
        case $conf in /etc/openvpn/*) check_openvpn "$conf" ;; esac
    done
    [ ! -e "$here/files$frr_conf" ] || check_frr
}

# check_openvpn CONF: its keys are on the node, and its OpenVPN knows peers by their fingerprint
check_openvpn() {
    for path in $(sed -n 's/^\(cert\|key\|ca\) //p' "$here/files$1"); do
        [ -s "$path" ] || report failed file "$path" "is not there, and $1 needs it: bring it to the node first"
    done
    grep -q '^peer-fingerprint ' "$here/files$1" || return 0
    name=openvpn
    version=$(installed_version)
    [ -n "$version" ] || version=$(candidate)
    case $version in [0-9]*) ! dpkg --compare-versions "$version" lt 2.6 ;; esac ||
        report failed package openvpn "$version knows no peer by its fingerprint, 2.6 does: let $1 have ca instead"
}

# FRRouting that somebody configured by hand stays as it is.
check_frr() {
    found=$(configured_by_hand) || return 0
    report failed file "$found" "was written by hand and is left alone: take ldp out of the spec, and add there what is missing: $(
        sed 's/^ *//' "$here/files$frr_conf" | awk '/^[^#!]/ { line = line (line == "" ? "" : "; ") $0 } END { print line }'
    )"
}

# Which file of FRRouting has a configuration that is neither ours nor its package's
configured_by_hand() {
    for file in zebra ldpd ospfd staticd; do
        ! grep -qs '^[^!#]' "/etc/frr/$file.conf" || { echo "/etc/frr/$file.conf"; return 0; }
    done
    [ -e "$frr_conf" ] && ! we_wrote_frr && ! dpkg-query -W -f '${Conffiles}\n' frr 2>/dev/null |
        grep -qxF " $frr_conf $(md5sum <"$frr_conf" | cut -d ' ' -f 1)" && grep -qv '^ *\([#!]\|log \|$\)' "$frr_conf" &&
        echo "$frr_conf"
}

we_wrote_frr() { grep -qsxF "$(sha256sum <"$frr_conf" | cut -d ' ' -f 1)" "$frr_written"; }

# --- files --------------------------------------------------------------------------------------------------------

# Before files are put: those that depend on what is on the node.
make_files() {
    [ "$mode" = plan ] || [ ! -e "$here/files$frr_conf" ] ||
        record file "$frr_conf" note_path "$frr_written" "$(sha256sum <"$here/files$frr_conf" | cut -d ' ' -f 1)"
    if [ -e "$here/want/frr" ] && [ -e "$daemons" ]; then
        error=$(make_daemons 2>&1) || {
            rm -f "$here/files$daemons"
            report failed file "$daemons" "$error"
        }
    elif [ -e "$here/want/frr" ] && [ "$mode" = plan ]; then
        for name in $(cat "$here/want/frr"); do report changed file "$daemons" "$name=yes"; done
    elif [ ! -e "$here/want/frr" ] && [ "$mode" != plan ]; then
        daemons_before
    fi
}

make_daemons() {
    mkdir -p "$here/files/etc/frr" && switch_daemons "$(tr '\n' ' ' <"$here/want/frr")" >"$here/files$daemons"
}

# switch_daemons NAMES: /etc/frr/daemons with these switched on, and our others as they were before us
switch_daemons() {
    old=$before$daemons
    [ -e "$old" ] || old=$daemons
    awk -v on=" $1 " '
        match($0, /^(ldpd|ospfd)=/) {
            name = substr($0, 1, RLENGTH - 1)
            if (NR == FNR) { was[name] = $0; next }
            seen[name] = 1
            print index(on, " " name " ") ? name "=yes" : name in was ? was[name] : $0
            next
        }
        NR > FNR
        END { n = split(on, names, " "); for (i = 1; i <= n; i++) if (names[i] != "" && !seen[names[i]]) print names[i] "=yes" }
    ' "$old" "$daemons"
}

# What others changed in /etc/frr/daemons since is in what will be put back.
daemons_before() {
    is_ours "$daemons" && [ -e "$daemons" ] && [ -e "$before$daemons" ] || return 0
    record file "$daemons" keep_daemons
}

keep_daemons() { switch_daemons '' >"$here/daemons" && cat "$here/daemons" >"$before$daemons"; }

# stays PATH: whether a file of ours was made somebody's own since
stays() {
    [ "$1" = "$frr_conf" ] && [ -e "$1" ] && ! we_wrote_frr || return 1
    report note file "$1" "stays: it was changed by hand since mplskit wrote it"
    [ "$mode" = plan ] || record file "$1" forget_path "$files_list" "$1"
}

# FRRouting runs as a user of its own, and reads no file of root's.
own_files() {
    [ -e "$here/files$frr_conf" ] && [ "$(stat -c %U "$frr_conf" 2>/dev/null)" = root ] || return 0
    error=$(chmod 640 "$frr_conf" 2>&1 && chown frr:frr "$frr_conf" 2>&1) || report failed file "$frr_conf" "$error"
}
