"""The stage of a lab: a network namespace for each node, veth links between them, the node setup carried in.

Everything on the machine is named with PREFIX and the lab's name, so that nothing else is touched; devices are made
inside the namespaces and never stand in the machine's own.
"""

from collections.abc import Iterator
from contextlib import suppress

from mplskit.lab.ground import Ground, Undone
from mplskit.lab.topology import End, Link, Topology
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import archive
from mplskit.node.report import Item, parse_line

PREFIX = "mplskit."


class Stage:
    """The namespaces of one lab on one machine, and the folder there."""

    def __init__(self, ground: Ground, lab: str) -> None:
        self.ground = ground
        self.folder = f"/run/{PREFIX}{lab}"
        self._prefix = f"{PREFIX}{lab}."

    def namespace(self, node: str) -> str:
        """The name of a node's namespace."""
        return self._prefix + node

    def inside(self, node: str, *argv: str) -> list[str]:
        """The command that runs `argv` in a node's namespace."""
        return ["ip", "netns", "exec", self.namespace(node), *argv]

    def build(self, topology: Topology) -> None:
        """Make namespaces and links; `lo` is up, as a popped packet comes in on it. Raises Undone."""
        self.ground.do(["mkdir", "-m", "700", self.folder])
        for node in topology.nodes:
            self.ground.do(["ip", "netns", "add", self.namespace(node)])
            self.ground.do([*self._ip(node), "link", "set", "lo", "up"])
        for link in topology.links:
            self._connect(link)

    def apply(self, node: str, spec: NodeSpec) -> None:
        """Set a node up by the payload that real nodes get. Raises Undone with the items that failed."""
        folder = f"{self.folder}/{node}"
        self.ground.do(["mkdir", "-p", folder])
        self.ground.do(["tar", "-x", "-C", folder, "-f", "-"], stdin=b"".join(archive(spec)))
        answer = self.ground.run(self.inside(node, "sh", f"{folder}/apply.sh", "live"))
        if answer.returncode != 0:
            failed = [item for item in _items(answer.output) if item.state == "failed"]
            said = "\n".join(f"{item.kind} {item.name}: {item.detail}" for item in failed)
            raise Undone(f"node setup of {node}", said or answer.output)

    def remove(self) -> None:
        """Take away everything of this lab on the machine, of an interrupted run too. Raises Undone."""
        self.ground.script("remove", self._prefix, self.folder)

    def _connect(self, link: Link) -> None:
        first, second = link.ends
        mtu = ["mtu", str(link.mtu)]
        peer = ["peer", "name", second.dev, *mtu, "netns", self.namespace(second.node)]
        self.ground.do([*self._ip(first.node), "link", "add", "name", first.dev, *mtu, "type", "veth", *peer])
        for end in link.ends:
            self._address(end)

    def _address(self, end: End) -> None:
        at_once = ["nodad"] if end.address.version == 6 else []
        ip = self._ip(end.node)
        self.ground.do([*ip, "address", "add", str(end.address), "dev", end.dev, *at_once])
        self.ground.do([*ip, "link", "set", end.dev, "up"])

    def _ip(self, node: str) -> list[str]:
        return ["ip", "-n", self.namespace(node)]


def _items(output: str) -> Iterator[Item]:
    for line in output.splitlines():
        with suppress(ValueError):
            yield parse_line(line)
