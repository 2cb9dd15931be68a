"""The stage of one machine: a network namespace for each node, veth links between them, the node setup carried in.

Everything on the machine is named with PREFIX and the lab's name, so that nothing else is touched; devices are made
inside the namespaces and never stand in the machine's own.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from mplskit.lab.evidence import Undone
from mplskit.lab.grammar.links import Link
from mplskit.lab.grammar.topology import Topology
from mplskit.lab.stage.ground import SCRIPT, Ground, MachineShell
from mplskit.lab.stage.stage import PREFIX, Stage, impairments
from mplskit.lab.stage.tunnels import Tunnel, tunnels
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import archive
from mplskit.node.payload_report import Item, parse_line
from mplskit.wording import several

# $1 is the folder of a node, $2 its namespace; the payload comes on stdin.
APPLY = 'mkdir -p "$1" && tar -x -C "$1" -f - && exec ip netns exec "$2" sh "$1/apply.sh" live'


class Namespaces(Stage):
    """The namespaces of one lab on one machine, and the folder there."""

    name = "namespaces"

    def __init__(self, topology: Topology, shell: MachineShell) -> None:
        super().__init__(topology)
        self._ground = Ground(shell, self.commands)
        self._prefix = f"{PREFIX}{topology.name}."

    def ground(self, node: str) -> Ground:
        """The one machine."""
        return self._ground

    def machines(self) -> list[str]:
        """One for all."""
        return [*self.topology.nodes][:1]

    def namespace(self, node: str) -> str:
        """The name of a node's namespace."""
        return self._prefix + node

    def inside(self, node: str, *argv: str) -> list[str]:
        """The command that runs `argv` in a node's namespace."""
        return ["ip", "netns", "exec", self.namespace(node), *argv]

    def build(self) -> None:
        """Make namespaces and links; `lo` is up, as a popped packet comes in on it. Raises Undone."""
        self._ground.do(["mkdir", "-m", "700", self.folder])
        cables = [link for link in self.topology.links if not link.tunnel]
        lines = [f"netns add {self.namespace(node)}" for node in self.topology.nodes]
        self._batch("", [*lines, *(self._cable(number, link) for number, link in enumerate(cables))])
        for node in self.topology.nodes:
            self._batch(node, ["link set lo up", *self._ends(node, cables)])
        for link in cables:
            for end in link.ends:
                for words in impairments(link):
                    self.do(end.node, *(end.dev if word == "DEV" else word for word in words))
        self._start(tunnels(self.topology))

    def apply(self, nodes: Mapping[str, NodeSpec]) -> None:
        """Set nodes up by the payload that real nodes get. Raises Undone with the items that failed."""
        for node, spec in nodes.items():
            words = ["sh", "-c", APPLY, "sh", self.home(node), self.namespace(node)]
            answer = self._ground.run(words, stdin=b"".join(archive(spec)), on=node)
            if answer.returncode != 0:
                failed = [item for item in _items(answer.output) if item.state == "failed"]
                wrong = [f"{item.kind} {item.name}: {item.detail}" for item in failed]
                raise Undone(f"node setup of {node}", several(wrong, between="\n") if wrong else answer.output)

    def unattended(self, node: str) -> None:
        """Nothing looks after a namespace."""

    def remove(self) -> None:
        """Take away everything of this lab on the machine, of an interrupted run too. Raises Undone."""
        self._ground.do(["sh", "-s", "remove", self._prefix, self.folder], stdin=SCRIPT)

    def _batch(self, node: str, lines: list[str]) -> None:
        """Lines for `ip`, in a node's namespace or on the machine."""
        words = ["ip", *(("-n", self.namespace(node)) if node else ()), "-batch", "-"]
        self._ground.do(words, stdin="".join(f"{line}\n" for line in lines).encode(), on=node)

    def _cable(self, number: int, link: Link) -> str:
        """A link whose ends get their names later: the kernel looks for those it is given in the machine's own, too."""
        ends = [
            f"name {_plug(number, index)} mtu {link.mtu} netns {self.namespace(end.node)}"
            for index, end in enumerate(link.ends)
        ]
        return f"link add {ends[0]} type veth peer {ends[1]}"

    def _ends(self, node: str, cables: list[Link]) -> Iterator[str]:
        for number, link in enumerate(cables):
            for index, end in enumerate(link.ends):
                if end.node == node:
                    at_once = " nodad" if end.address.version == 6 else ""
                    yield f"link set {_plug(number, index)} name {end.dev} up"
                    yield f"address add {end.address} dev {end.dev}{at_once}"

    def _start(self, found: list[Tunnel]) -> None:
        """Start OpenVPN where a node has an end of a tunnel: those that listen first. Return when all are connected."""
        for tunnel in found:
            self.need(tunnel.node, "openvpn", "openvpn")
            home = self.home(tunnel.node)
            for path, content in tunnel.files.items():
                words = ["sh", "-c", 'umask 077; mkdir -p "${1%/*}" && cat >"$1"', "sh", f"{home}{path}"]
                self._ground.do(words, stdin=content, on=tunnel.node)
            self.script(tunnel.node, "tunnel", f"{home}/etc/openvpn", tunnel.config, f"{home}/{tunnel.dev}.log")
        for tunnel in found:
            self.script(tunnel.node, "connected", f"{self.home(tunnel.node)}/{tunnel.dev}.log")


def _plug(number: int, index: int) -> str:
    """What an end of a link is called before it has its name."""
    return f"{PREFIX}{number}.{index}"


def _items(output: str) -> Iterator[Item]:
    for line in output.splitlines():
        with suppress(ValueError):
            yield parse_line(line)
