"""Faults that a lab can be given on purpose, to see what they look like: `--fault NODE:NAME[:DEV]`."""

from dataclasses import dataclass

from mplskit.errors import WrongInput
from mplskit.lab.grammar.topology import Topology
from mplskit.lab.stage.stage import Stage
from mplskit.wording import no_such

# $1 is the interface where the fault has one. With -o a route is one line, its next hops behind backslashes; from the
# highest label down, so that one above is free.
EVERY_LABEL = "ip -o -f mpls route show proto 77 | tr -d '\\\\' | sort -rn | while read -r label rest; do "


@dataclass(frozen=True)
class Kind:
    """One fault: what it is, the POSIX shell that makes it, and whether it is that of an interface."""

    name: str
    is_: str
    command: str
    of_interface: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "no-pop",
            "no label is popped to lo",
            "ip -o -f mpls route show proto 77 | grep 'dev lo' | "
            "while read -r label _; do ip -f mpls route del $label; done",
        ),
        Kind("no-route", "the label routes are gone", f"{EVERY_LABEL}ip -f mpls route del $label; done"),
        Kind(
            "no-push",
            "no packet gets a label",
            "ip -o route show proto 77 | while read -r prefix _; do ip route del $prefix; done; "
            "ip -o -6 route show proto 77 | while read -r prefix _; do ip -6 route del $prefix; done",
        ),
        Kind(
            "wrong-label",
            "each label route is that of the label one above",
            f"{EVERY_LABEL}ip -f mpls route del $label; rest=$(echo \"$rest\" | sed 's/as to/as/g'); "
            "ip -f mpls route add $((label + 1)) $rest; done",
        ),
        Kind("small-table", "the label table ends at 16", "echo 16 >/proc/sys/net/mpls/platform_labels"),
        Kind("lo-down", "lo is down", "ip link set lo down"),
        Kind("no-loopback", "lo has no address but its own", "ip address flush dev lo scope global"),
        Kind("rp-filter", "lo checks sources", "echo 1 >/proc/sys/net/ipv4/conf/lo/rp_filter"),
        Kind("input-off", "labels are not accepted", 'echo 0 >"/proc/sys/net/mpls/conf/$1/input"', True),
        Kind("link-down", "the interface is down", 'ip link set "$1" down', True),
        Kind("link-mtu", "its MTU is 1400", 'ip link set "$1" mtu 1400', True),
    )
}


@dataclass(frozen=True)
class Sabotage:
    """A fault on a node."""

    node: str
    kind: Kind
    dev: str = ""

    def do(self, stage: Stage) -> None:
        """Make it so. Raises Undone."""
        stage.unattended(self.node)
        stage.do(self.node, "sh", "-c", self.kind.command, "sh", self.dev)


def parse_fault(text: str, topology: Topology) -> Sabotage:
    """Read NODE:NAME[:DEV]. Raises WrongInput with what is allowed."""
    node, _, rest = text.partition(":")
    name, _, dev = rest.partition(":")
    if node not in topology.nodes:
        raise WrongInput(f"--fault {text}: {no_such('node', node, list(topology.nodes))}")
    if name not in KINDS:
        raise WrongInput(f"--fault {text}: {no_such('fault', name, list(KINDS))}")
    kind = KINDS[name]
    devices = [end.dev for link in topology.links for end in link.ends if end.node == node]
    devices += [vpn.dev for vpn in topology.nodes[node].openvpn]
    if kind.of_interface and dev not in devices:
        raise WrongInput(f"--fault {text}: {name} is that of an interface: {no_such('interface', dev, devices)}")
    if dev and not kind.of_interface:
        raise WrongInput(f"--fault {text}: {name} has no interface", hint=f"allowed: {node}:{name}")
    return Sabotage(node, kind, dev)
