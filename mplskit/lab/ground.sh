#!/bin/sh
# What a lab does on its machine beyond single commands; it comes on stdin: `sh -s COMMAND ARGUMENT …`.
set -u

# remove PREFIX FOLDER: end what runs in the namespaces named PREFIX…, and take them and the folder away
remove() {
    ip netns list | while read -r name _; do
        case $name in "$1"*) ;; *) continue ;; esac
        for pid in $(ip netns pids "$name"); do
            kill -KILL "$pid" 2>/dev/null
        done
        ip netns delete "$name" || exit 1
    done && rm -rf -- "$2"
}

# capture FILE TCPDUMP …: start the command, which writes FILE; print its process id as soon as it captures
capture() {
    file=$1
    shift
    "$@" >"$file.log" 2>&1 </dev/null &
    until grep -qs 'listening on' "$file.log"; do
        running "$!" "$file" || return 1
        sleep 0.1
    done
    echo "$!"
}

# stop PID FILE: tcpdump sleeps only when it has read all that was captured; a signal before that would lose the rest
stop() {
    until grep -qs '^State:[[:space:]]*S' "/proc/$1/status"; do
        running "$1" "$2" || return 1
        sleep 0.1
    done
    kill -INT "$1"
    while [ -e "/proc/$1/exe" ]; do
        sleep 0.1
    done
    cat "$2.log"
}

# running PID FILE: what has ended has no exe, even while nobody has asked for its exit status
running() {
    [ -e "/proc/$1/exe" ] || {
        cat "$2.log"
        return 1
    }
}

"$@"
