"""The stage of machines: a virtual machine for each node, cables of QEMU between them, set up by node.bootstrap."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mplskit import progress
from mplskit.errors import Failure
from mplskit.lab.evidence import Command, Undone
from mplskit.lab.grammar.topology import Topology
from mplskit.lab.stage.ground import Ground
from mplskit.lab.stage.stage import Stage, impairments
from mplskit.lab.stage.tunnels import Tunnel, tunnels
from mplskit.node.bootstrap import bootstrap
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.payload.render import KEEPER, OPENVPN_UNIT
from mplskit.node.verify.reboot import reboot
from mplskit.remote.session import shell
from mplskit.vm.guest import Guest
from mplskit.vm.linked_machines import Card, linked
from mplskit.vm.machine import Machine
from mplskit.wording import several

WRITE = 'umask 077; mkdir -p "${1%/*}" && cat >"$1"'


class Machines(Stage):
    """The machines of one lab. Made by `machines`."""

    name = "vms"
    # After a boot tunnels connect, and the keeper brings routes back, when they are ready.
    patience = 90

    def __init__(self, topology: Topology, running: Mapping[str, Machine], stack: ExitStack) -> None:
        super().__init__(topology)
        self._running = running
        self._sessions = stack.enter_context(ExitStack())
        self._tunnels: list[Tunnel] = []
        self._grounds = self._open()

    def ground(self, node: str) -> Ground:
        """The node's own."""
        return self._grounds[node]

    def machines(self) -> list[str]:
        """Every node is one."""
        return list(self.topology.nodes)

    def inside(self, node: str, *argv: str) -> list[str]:
        """The command itself."""
        return list(argv)

    def build(self) -> None:
        """The cables are there already: bring certificates, make links slow or lossy. Raises Undone."""
        self._tunnels = tunnels(self.topology)
        own = {(node, vpn.dev) for node, spec in self.topology.nodes.items() for vpn in spec.openvpn}
        for tunnel in self._tunnels:
            for path, content in tunnel.files.items():
                # The configuration is node.bootstrap's.
                if path != tunnel.config or (tunnel.node, tunnel.dev) not in own:
                    self.do(tunnel.node, "sh", "-c", WRITE, "sh", path, stdin=content)
        self._tunnels = [tunnel for tunnel in self._tunnels if (tunnel.node, tunnel.dev) not in own]
        self._after_boot()

    def apply(self, nodes: Mapping[str, NodeSpec]) -> None:
        """Run node.bootstrap on them, at the same time. Raises Undone with the items that failed."""
        self._at_once(nodes, lambda node: self._bootstrap(node, nodes[node]))

    def reboot(self) -> None:
        """Reboot all nodes at the same time. Raises Undone when one does not come back."""
        self._sessions.close()
        for machine in self._running.values():
            machine.let_reboot()

        def again(node: str) -> None:
            seconds = reboot(self._running[node].host)
            self.commands.append(Command("systemctl reboot", 0, f"back after {seconds:.0f} s", round(seconds, 3), node))

        self._at_once(self.topology.nodes, again)
        self._grounds = self._open()
        self._after_boot()

    def log(self, node: str, dev: str) -> str:
        """What the OpenVPN at an end of a tunnel has logged: in the journal where it is a unit of the node."""
        if dev in [vpn.dev for vpn in self.topology.nodes[node].openvpn]:
            return self.run(node, "journalctl", "--boot", "--output=cat", f"--unit={OPENVPN_UNIT.format(dev)}").output
        return super().log(node, dev)

    def unattended(self, node: str) -> None:
        """The keeper would repair a fault as it does any other change."""
        self.do(node, "systemctl", "stop", KEEPER)

    def remove(self) -> None:
        """Nothing is left of machines that have ended."""

    def _open(self) -> dict[str, Ground]:
        return {
            node: Ground(self._sessions.enter_context(shell(machine.host)), self.commands)
            for node, machine in self._running.items()
        }

    def _after_boot(self) -> None:
        """What no node remembers."""
        for link in self.topology.links:
            for end in link.ends:
                for words in impairments(link):
                    self.do(end.node, *(end.dev if word == "DEV" else word for word in words))
        for tunnel in self._tunnels:
            self.need(tunnel.node, "openvpn", "openvpn")
            self.do(tunnel.node, "mkdir", "-p", self.home(tunnel.node))
            folder = tunnel.config.rpartition("/")[0]
            self.script(tunnel.node, "tunnel", folder, tunnel.config, f"{self.home(tunnel.node)}/{tunnel.dev}.log")

    def _bootstrap(self, node: str, spec: NodeSpec) -> None:
        host = self._running[node].host
        report = bootstrap(Node(node, host, spec))
        lines = [f"{item.state} {item.kind} {item.name}: {item.detail}" for item in report.items]
        self.commands.append(Command("node.bootstrap", bool(report.failed), "\n".join(lines), 0.0, node))
        if report.failed or report.reboot_needed:
            wrong = [f"{item.kind} {item.name}: {item.detail}" for item in report.failed]
            raise Undone(f"node.bootstrap of {node}", several([*wrong, report.reboot_needed or ""], between="\n"))

    def _at_once(self, nodes: Mapping[str, NodeSpec], work: Callable[[str], None]) -> None:
        def quiet(node: str) -> None:
            try:
                with progress.told_to(lambda text: None):
                    work(node)
            except Failure as failure:
                raise Undone(f"{node}: {failure.message}", failure.detail) from None

        with ThreadPoolExecutor(len(nodes)) as pool:
            for ended in [pool.submit(quiet, node) for node in nodes]:
                ended.result()


@contextmanager
def machines(topology: Topology, guest: Guest, folder: Path) -> Iterator[Machines]:
    """A machine for each node, booted from the same image, for the time of the block. Raises what `linked` raises."""
    cards: dict[str, list[Card]] = {node: [] for node in topology.nodes}
    for number, link in enumerate(topology.links):
        for end in link.ends if not link.tunnel else ():
            cards[end.node].append(Card(str(number), end.dev, end.address, link.mtu))
    with linked({node: (guest, cards[node]) for node in topology.nodes}, folder) as running, ExitStack() as stack:
        yield Machines(topology, running, stack)
