#!/bin/sh
# Read by apply.sh: the units of systemd that the payload wants. want/services: UNIT<TAB>the files that it reads, with
# spaces between them. A unit is restarted when what it takes from them is not what it was when we started it.
# shellcheck disable=SC2154 # mode, here, records are apply.sh's

# services/UNIT: what the unit was before us (`enabled active`), then `words` and the digest of what it read when it was
# started last; an older mplskit wrote the digest of the whole files there.
services=$records/services

apply_services() {
    has_systemd || return 0
    [ "$mode" = plan ] || reload_units
    [ -e "$here/want/services" ] && while IFS=$tab read -r unit reads; do
        [ -z "$unit" ] || apply_service "$unit" "$reads"
    done <"$here/want/services"
    drop_services running
    drop_services other
}

reload_units() { error=$(systemctl daemon-reload 2>&1) || report failed service systemd "daemon-reload: $error"; }

# drop_services running|other: those that are wanted no more, and that ran before us or did not
drop_services() {
    for record in "$services"/*; do
        [ -e "$record" ] || continue
        [ "$mode" = remove ] || ! grep -qs "^${record##*/}$tab" "$here/want/services" || continue
        case "$1: $(head -n 1 "$record")" in
        running:*\ active) drop_service "${record##*/}" ;;
        other:*\ active) ;;
        other:*) drop_service "${record##*/}" ;;
        esac
    done
}

has_systemd() {
    [ -d /run/systemd/system ] && return 0
    [ ! -s "$here/want/services" ] || report note service systemd "is not running here: no unit is started"
    return 1
}

# apply_service UNIT FILES
apply_service() {
    read_now="words $(digest words_of "$2")"
    known=$(sed -n 2p "$services/$1" 2>/dev/null)
    [ "$known" != "$(digest whole "$2")" ] || known=$read_now
    for path in $2; do
        # Somebody may have started it with other words since.
        case $rewritten in *" $path "*) known= ;; esac
    done
    if ! is_unit enabled "$1"; then
        todo="enabled and started"
    elif ! is_unit active "$1"; then
        todo="started"
    elif [ "$known" != "$read_now" ]; then
        todo="restarted"
    else
        report same service "$1" "enabled, active"
        [ "$mode" = plan ] || record service "$1" note_started "$1" "$read_now"
        return
    fi
    change service "$1" "$todo" start_service "$1" "$read_now"
}

# digest HOW FILES
digest() {
    # shellcheck disable=SC2086 # paths without spaces
    for path in $2; do
        file=$here/files$path
        [ -e "$file" ] || file=$path
        [ ! -e "$file" ] || "$1" "$path" "$file"
    done | sha256sum | cut -d ' ' -f 1
}

whole() { cat "$2"; }

# words_of PATH FILE: what the unit takes from it. A remark is nothing to restart for, and in /etc/frr/daemons whatever we
# did not switch on is not ours: with FRRouting all of its sessions would go.
words_of() {
    case $1 in
    "$daemons") grep -E "^($(paste -s -d '|' "$here/want/frr"))=" "$2" ;;
    "$frr_conf") grep -v '^ *[#!]' "$2" ;;
    *) grep -v '^ *#' "$2" ;;
    esac | grep -v '^ *$'
}

is_unit() { systemctl --quiet "is-$1" "$2" 2>/dev/null; }

# Before apt brings packages, which enable and start their units
record_services() {
    [ "$mode" != plan ] && [ -d /run/systemd/system ] && [ -e "$here/want/services" ] || return 0
    while IFS=$tab read -r unit _; do
        [ -z "$unit" ] || record service "$unit" record_service "$unit"
    done <"$here/want/services"
}

# record_service UNIT: what it was before us, once; a unit that we bring was nothing
record_service() {
    [ ! -e "$services/$1" ] || return 0
    was="disabled inactive"
    [ -e "$here/files/etc/systemd/system/$1" ] ||
        was="$(systemctl is-enabled "$1" 2>/dev/null) $(systemctl is-active "$1" 2>/dev/null)"
    mkdir -p "$services" && printf '%s\n' "$was" | store "$services/$1"
}

start_service() {
    record_service "$1" && systemctl enable "$1" && systemctl restart "$1" && note_started "$1" "$2"
}

note_started() {
    [ "$(sed -n 2p "$services/$1")" = "$2" ] ||
        { was=$(head -n 1 "$services/$1") && printf '%s\n%s\n' "$was" "$2" | store "$services/$1"; }
}

# What a unit was before us it is again; one that was running reads its files anew.
drop_service() {
    if ! systemctl cat "$1" >/dev/null 2>&1; then
        [ "$mode" = plan ] || record service "$1" rm -f "$services/$1"
        return
    fi
    was=$(head -n 1 "$services/$1")
    case $was in
    enabled*\ active) change service "$1" "restarted" systemctl restart "$1" ;;
    enabled*) change service "$1" "stopped" systemctl stop "$1" ;;
    *\ active) change service "$1" "disabled, restarted" disable_restart "$1" ;;
    *) change service "$1" "stopped and disabled" systemctl disable --now "$1" ;;
    esac && { [ "$mode" = plan ] || record service "$1" rm -f "$services/$1"; }
}

disable_restart() { systemctl disable "$1" && systemctl restart "$1"; }

# In an image nothing runs: the units are enabled for its first boot.
enable_services() {
    [ -e "$here/want/services" ] || return 0
    command -v systemctl >/dev/null || { report note service systemd "is not here: no unit is enabled"; return; }
    while IFS=$tab read -r unit _; do
        if is_unit enabled "$unit"; then
            report same service "$unit" "enabled"
        else
            record service "$unit" record_disabled "$unit" || continue
            change service "$unit" "enabled" systemctl enable "$unit"
        fi
    done <"$here/want/services"
}

record_disabled() { mkdir -p "$services" && echo 'disabled inactive' | store "$services/$1"; }

# and disabled again, those that were not enabled before us
disable_services() {
    for record in "$services"/*; do
        [ ! -e "$record" ] || [ "$(sed -n '1s/ .*//p' "$record")" = enabled ] || ! is_unit enabled "${record##*/}" ||
            change service "${record##*/}" "disabled" systemctl disable "${record##*/}"
    done
}
