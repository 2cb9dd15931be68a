"""Links and routes of a contained node; they have no labels, so every kernel has them."""

from dataclasses import astuple
from pathlib import Path

from mplskit.node.payload_report import Item
from tests.worlds.contained_node import contained

# eth0 and its far end; $BATCH is where the payload has its routes, $IP a real `ip` that no stand-in takes the place of.
LINKS = """\
ip link set lo up; ip link add eth0 type veth peer name far; ip link set far up; ip link set eth0 up
ip address add 10.9.0.1/24 dev eth0
HERE=${APPLY%/*}; mkdir -p "$HERE/files/etc/mplskit"; BATCH=$HERE/files/etc/mplskit/routes.batch
routes() { for i in $(seq "$1" "$2"); do echo "route add 10.1.$((i / 200)).$((i % 200)) proto 77 via 10.9.0.2"; done; }
apply() { sh "$APPLY" live | grep -v sysctl | cut -f 1-3 | tr '\\t' ' '; }
IP=/run/real-ip; cp "$(readlink -f /sbin/ip)" $IP
instead() { cat >/run/ip; chmod +x /run/ip; mount --bind /run/ip "$(readlink -f /sbin/ip)"; }
"""
# The keeper, on a node that mplskit set up: with a mpls_router that has nothing but its folder.
KEEPER = (
    LINKS
    + """\
mount -t tmpfs none /proc/sys/net && mkdir /proc/sys/net/mpls
cat >"$BATCH" <<'END'
address add 10.200.0.1/32 dev lo
route add 10.1.0.0/16 proto 77 via 10.9.0.2
route add 10.2.0.0/16 proto 77 via 10.9.0.2
END
sh "$APPLY" image >/dev/null
keep=/usr/local/lib/mplskit/keep.sh
ours() { $IP -N route show table all proto 77 | cut -d ' ' -f 1 | xargs; }
awaited() { for _ in $(seq 300); do ! eval "$1" || return 0; sleep 0.1; done; echo "not so after 30 s: $1"; }
keeper() { sh $keep >/run/told 2>&1 & awaited '[ "$(ours)" = "10.1.0.0/16 10.2.0.0/16" ]'; }
"""
)


def said(folder: Path, script: str) -> list[str]:
    """What a script says in there, tabs as blanks."""
    return ["\t".join(astuple(line)) if isinstance(line, Item) else line for line in contained(folder, script)]
