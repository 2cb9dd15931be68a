#!/bin/sh
# Keeps what mplskit set on this node: the label table, `input`, addresses of lo and routes come back when an interface,
# an address or mpls_router does. Run by mplskit-routes.service; what it changes is told on stdout.
#   sh keep.sh           until `ip monitor` ends
#   sh keep.sh stopped   after it ended: systemd says by SERVICE_RESULT how
set -u
export LC_ALL=C PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
mode=keep
root=
state=/run/mplskit
unready=note
allowed() { false; }

# shellcheck source=SCRIPTDIR/live.sh
. "$here/live.sh"

fail() {
    report failed node keeper "$1"
    exit 1
}

# Without mpls_router there is nothing to do; a push would load it again after somebody took it away.
restore() {
    [ -d /proc/sys/net/mpls ] || return 0
    told=$(hold_lock && apply_live)
    [ -z "$told" ] || [ "$told" = "$last" ] || printf '%s\n' "$told"
    last=$told
}

# $state/starts: how often it was started without a minute of peace after it. What ends it (no memory, say) is tried again
# later each time: 1 s, 2 s, 4 s, … 256 s. systemd's own RestartSteps needs 254.
wait_after_ends() {
    starts=0
    read -r starts <"$state/starts"
    case $starts in '' | *[!0-9]*) starts=0 ;; esac
    echo $((starts + 1)) >"$state/starts" || fail "$state cannot be written"
    [ "$starts" != 0 ] || return 0
    pause=1
    for _ in $(seq 2 "$starts"); do [ "$pause" = 256 ] || pause=$((pause * 2)); done
    report note node keeper "ended $starts times with less than a minute between: goes on in $pause s"
    sleep "$pause"
} 2>/dev/null

# Nothing but the writer may hold the pipe: when the monitor ends, so does all of it.
events() {
    # What happened between the first look and the monitor's start is seen by the second; what no event of ours tells (a
    # next hop that is reached by a new route, events that were lost), by a later one.
    { echo start; sleep 1 >/dev/null; echo again; while sleep 60 >/dev/null; do echo look; done; } &
    looking=$!
    "$ip" -o -N monitor label link address route netconf 2>&1
    kill "$looking"
}

# Links, addresses, what mpls_router says when it comes, and routes of ours that somebody deletes; other routes come and
# go by the thousand. Deletions by a link that goes down are told by no route: the link tells them. Whatever has no
# label is a word of ours, or of `ip` when events were lost.
relevant='^[^[]|^\[(LINK|ADDR)\]|^\[ROUTE\]Deleted .*proto 77|^\[NETCONF\].*mpls'

case ${1:-} in
stopped)
    [ "${SERVICE_RESULT:-}" != success ] || rm -f "$state/starts"
    exit
    ;;
esac
last=
error=$(mkdir -p "$state" 2>&1) || fail "$error"
wait_after_ends
find_ip || exit 1
error=$({ rm -f "$state/events" && mkfifo "$state/events"; } 2>&1) || fail "$error"
{ events | grep -E --line-buffered "$relevant"; } >"$state/events" &
while read -r event; do
    rest=$(timeout 0.2 cat) # what happens now is one thing with it
    case $newline$rest$newline in *"${newline}look$newline"*) event=look ;; esac
    restore
    [ "$event" != look ] || echo 0 >"$state/starts"
done <"$state/events"
fail "ip monitor ended: systemd starts it again"
