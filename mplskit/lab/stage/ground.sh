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
    mkdir -p "${file%/*}"
    rm -f "$file.log"
    setsid "$@" >"$file.log" 2>&1 </dev/null &
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

# tunnel FOLDER CONFIG LOG: start OpenVPN in the background, with FOLDER as its /etc/openvpn
tunnel() {
    # shellcheck disable=SC2016 # expanded in there
    unshare --mount sh -c 'mount --bind "$1" /etc/openvpn && exec openvpn --cd /etc/openvpn --config "$2" --log "$3" --writepid "$3.pid" --daemon' \
        sh "$1" "$2" "$3"
}

# connected LOG: return when OpenVPN has its peer
connected() {
    tries=0
    until grep -qs 'Initialization Sequence Completed' "$1"; do
        tries=$((tries + 1))
        if [ $tries = 600 ] || [ ! -e "/proc/$(cat "$1.pid" 2>/dev/null)/exe" ]; then
            tail -n 5 "$1"
            return 1
        fi
        sleep 0.1
    done
}

# listen FILE PORT COMMAND …: start a server in the background, return when it listens on PORT; FILE.pid names it
listen() {
    file=$1
    port=$2
    shift 2
    mkdir -p "${file%/*}"
    setsid "$@" >"$file" 2>&1 </dev/null &
    echo "$!" >"$file.pid"
    tries=0
    until ss -Hltn "sport = :$port" | grep -q .; do
        tries=$((tries + 1))
        if [ $tries = 100 ] || [ ! -e "/proc/$!/exe" ]; then
            cat "$file"
            return 1
        fi
        sleep 0.1
    done
}

# end FILE: end what `listen` started, if it has not ended
end() {
    kill "$(cat "$1.pid")" 2>/dev/null
    rm -f "$1.pid"
}

"$@"
