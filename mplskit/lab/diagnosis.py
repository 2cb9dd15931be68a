"""Why a step failed: the conditions of the checklist that its nodes do not meet."""

from collections.abc import Iterator, Sequence

from mplskit.lab.grammar.topology import nodes_at
from mplskit.lab.report import Cause
from mplskit.lab.stage.ground import Runs
from mplskit.lab.stage.stage import Stage
from mplskit.node.verify.checklist import load_checklist
from mplskit.node.verify.verify import verify_live
from mplskit.remote.host import Host
from mplskit.remote.session import Answer

MTU = "M1"
# In a lab all ways are known; neighbours that were not asked yet, or routes of other programs, explain nothing.
NOT_ASKED = ("R3", "S17")


class NodeShell:
    """A node as the checks ask it."""

    def __init__(self, stage: Stage, node: str) -> None:
        self.host = Host(node)
        self._shell: Runs = stage.ground(node).shell
        self._stage, self._node = stage, node

    def run(self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: bytes = b"") -> Answer:
        """Run a command on the node; it is not kept as evidence."""
        return self._shell.run(self._stage.inside(self._node, *argv), check=check, timeout=timeout, stdin=stdin)


def diagnose(stage: Stage, number: int) -> tuple[Cause, ...]:
    """The conditions that do not hold on the nodes as they should be after step `number`. Nothing is changed.

    Raises OutsideFailed when a machine is lost.
    """
    found = []
    for node, spec in nodes_at(stage.topology, number).items():
        shell = NodeShell(stage, node)
        found += list(_mtus(stage, node, shell))
        checks = verify_live(shell, spec)
        found += [
            Cause(node, check.id, check.title, check.seen, check.cause, check.cure)
            for check in checks
            if check.passed is False and check.id not in NOT_ASKED
        ]
    return tuple(found)


def _mtus(stage: Stage, node: str, shell: NodeShell) -> Iterator[Cause]:
    """Interfaces whose MTU is not that of their link, which the checks cannot know."""
    condition = load_checklist()[MTU]
    for link in stage.topology.links:
        for end in (end for end in link.ends if end.node == node):
            said = shell.run(["cat", f"/sys/class/net/{end.dev}/mtu"], check=False).output.strip()
            if said.isdigit() and int(said) != link.mtu:
                seen = f"{end.dev} has an MTU of {said}, and its link one of {link.mtu}"
                yield Cause(node, MTU, condition.title, seen, condition.cause, condition.cure)
