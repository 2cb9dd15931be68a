"""What every stage gives to the steps: its nodes run commands, get their set-up, and are taken away again."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from mplskit.lab.evidence import Command, Undone
from mplskit.lab.grammar.links import Link
from mplskit.lab.grammar.topology import Topology
from mplskit.lab.stage.ground import SCRIPT, Ground
from mplskit.node.grammar.spec import NodeSpec
from mplskit.remote.session import Answer

PREFIX = "mplskit."


class Stage(ABC):
    """The nodes of one lab. `patience` is how long, in seconds, a step is tried again here where it does not say so."""

    name: str
    patience = 0

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.folder = f"/run/{PREFIX}{topology.name}"
        self.commands: list[Command] = []

    # --- what each kind of stage knows

    @abstractmethod
    def ground(self, node: str) -> Ground:
        """The machine that a node is on."""

    @abstractmethod
    def machines(self) -> list[str]:
        """A node of each machine."""

    @abstractmethod
    def inside(self, node: str, *argv: str) -> list[str]:
        """The command that runs `argv` on a node, on its machine."""

    @abstractmethod
    def build(self) -> None:
        """Make nodes and links, and start what carries tunnels. Raises Undone."""

    @abstractmethod
    def apply(self, nodes: Mapping[str, NodeSpec]) -> None:
        """Set nodes up as their specs say. Raises Undone with the items that failed."""

    @abstractmethod
    def unattended(self, node: str) -> None:
        """See to it that nothing repairs what is done to a node until it is set up again. Raises Undone."""

    @abstractmethod
    def remove(self) -> None:
        """Take away everything of this lab, of an interrupted run too. Raises Undone."""

    def reboot(self) -> None:
        """Reboot every node, and return when all are up again. Raises Undone where nodes cannot be rebooted."""
        raise Undone(f"reboot of the nodes on the stage {self.name}", "namespaces do not outlive a boot: --stage vms")

    # --- what follows from it

    def run(self, node: str, *argv: str, timeout: float = 120, stdin: bytes = b"") -> Answer:
        """Run a command on a node to its end, whatever its exit status is."""
        return self.ground(node).run(self.inside(node, *argv), timeout=timeout, stdin=stdin, on=node)

    def do(self, node: str, *argv: str, timeout: float = 120, stdin: bytes = b"") -> str:
        """Run a command on a node that has to succeed. Raises Undone."""
        return self.ground(node).do(self.inside(node, *argv), timeout=timeout, stdin=stdin, on=node)

    def script(self, node: str, *words: str, timeout: float = 120) -> str:
        """Run a command of ground.sh on a node. Raises Undone."""
        return self.do(node, "sh", "-s", *words, stdin=SCRIPT, timeout=timeout)

    def read(self, node: str, path: str) -> bytes:
        """A file of the machine that a node is on."""
        return self.ground(node).shell.read(path)

    def log(self, node: str, dev: str) -> str:
        """What the OpenVPN at an end of a tunnel has logged."""
        return self.run(node, "cat", f"{self.home(node)}/{dev}.log").output

    def home(self, node: str) -> str:
        """The folder of a node's files on its machine."""
        return f"{self.folder}/{node}"

    def told(self) -> tuple[Command, ...]:
        """The commands since the last time this was asked."""
        commands = tuple(self.commands)
        self.commands.clear()
        return commands

    def need(self, node: str, program: str, package: str) -> None:
        """Raise Undone unless a node has a program."""
        if self.run(node, "sh", "-c", f"command -v {program}").returncode != 0:
            raise Undone(f"{node} has no {program}", f"on the machine of the lab: apt-get install {package}")


def impairments(link: Link) -> list[list[str]]:
    """The commands, for each end of a link, that make it slow, lossy, or without offload; DEV stands for the device."""
    commands = []
    if link.delay or link.loss:
        words = ["tc", "qdisc", "replace", "dev", "DEV", "root", "netem"]
        words += ["delay", f"{link.delay:g}ms"] if link.delay else []
        words += ["loss", f"{link.loss:g}%"] if link.loss else []
        commands.append(words)
    if not link.offload:
        commands.append(["ethtool", "-K", "DEV", "tso", "off"])
    return commands
