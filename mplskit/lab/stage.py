"""The stage of a lab: a network namespace for each node, veth links between them, the node setup carried in.

Everything on the machine is named with PREFIX and the lab's name, so that nothing else is touched; devices are made
inside the namespaces and never stand in the machine's own.
"""

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mplskit.lab.ground import Ground
from mplskit.lab.topology import End, Link, Topology
from mplskit.node.payload import stage as stage_payload
from mplskit.node.spec import NodeSpec

PREFIX = "mplskit."

# $1: the prefix of the lab's namespaces, $2: its folder. Ends what still runs in them, too.
REMOVE = """
ip netns list | while read -r name rest; do
    case $name in "$1"*) ;; *) continue ;; esac
    for pid in $(ip netns pids "$name"); do kill -KILL "$pid" 2>/dev/null; done
    ip netns delete "$name" || exit 1
done && rm -rf -- "$2"
"""


class Stage:
    """The namespaces of one lab on one machine, and the folder there. Made by `staged`."""

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
            self.ground.do(["ip", "-n", self.namespace(node), "link", "set", "lo", "up"])
        for link in topology.links:
            self._connect(link)

    def apply(self, node: str, spec: NodeSpec) -> None:
        """Set a node up by the payload that real nodes get. Raises Undone when an item of it failed."""
        folder = f"{self.folder}/{node}"
        self.ground.do(["mkdir", "-p", folder])
        self.ground.do(["tar", "-x", "-C", folder, "-f", "-"], stdin=_payload(spec))
        self.ground.do(self.inside(node, "sh", f"{folder}/apply.sh", "live"))

    def remove(self) -> None:
        """Take away everything of this lab on the machine, of an interrupted run too. Raises Undone."""
        self.ground.do(["sh", "-c", REMOVE, "sh", self._prefix, self.folder])

    def _connect(self, link: Link) -> None:
        first, second = link.ends
        one, other = (["name", end.dev, "mtu", str(link.mtu), "netns", self.namespace(end.node)] for end in link.ends)
        self.ground.do(["ip", "link", "add", *one, "type", "veth", "peer", *other])
        for end in (first, second):
            self._address(end)

    def _address(self, end: End) -> None:
        ip = ["ip", "-n", self.namespace(end.node)]
        at_once = ["nodad"] if end.address.version == 6 else []
        self.ground.do([*ip, "address", "add", str(end.address), "dev", end.dev, *at_once])
        self.ground.do([*ip, "link", "set", end.dev, "up"])


@contextmanager
def staged(ground: Ground, lab: str) -> Iterator[Stage]:
    """A stage on clean ground; nothing of it is left when the block is left. Raises Undone."""
    stage = Stage(ground, lab)
    stage.remove()
    try:
        yield stage
    finally:
        stage.remove()


def _payload(spec: NodeSpec) -> bytes:
    """What a carrier brings to a node, as a tar archive."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        stage_payload(Path(folder), spec)
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(folder, arcname=".")
    return packed.getvalue()


