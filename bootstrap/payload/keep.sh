#!/bin/sh
# Keeps what mplskit set on this node: the label table, `input`, addresses of lo and routes come back when an interface,
# an address or mpls_router does. Run by mplskit-routes.service; what it changes is told on stdout.
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

# Without mpls_router there is nothing to do; a push would load it again after somebody took it away.
restore() {
    [ -d /proc/sys/net/mpls ] || return 0
    told=$(hold_lock && apply_live)
    [ -z "$told" ] || [ "$told" = "$last" ] || printf '%s\n' "$told"
    last=$told
}

events() {
    # What happened between the first look and the monitor's start is seen by the second; what no event of ours tells (a
    # next hop that is reached by a new route, events that were lost), by a later one.
    { echo start; sleep 1; while echo look; do sleep 60; done; } &
    looking=$!
    "$ip" -o -N monitor label link address route netconf 2>&1
    kill "$looking"
}

# Links, addresses, what mpls_router says when it comes, and routes of ours that somebody deletes; other routes come and
# go by the thousand. Deletions by a link that goes down are told by no route: the link tells them. Whatever has no
# label is a word of ours, or of `ip` when events were lost.
relevant='^[^[]|^\[(LINK|ADDR)\]|^\[ROUTE\]Deleted .*proto 77|^\[NETCONF\].*mpls'

last=
mkdir -p "$state" && find_ip || exit 1
events | grep -E --line-buffered "$relevant" | while read -r _; do
    timeout 0.2 cat >/dev/null # the rest of what happens now is one thing with it
    restore
done
exit 1
