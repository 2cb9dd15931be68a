"""Why a step failed: the conditions of the checklist that its nodes do not meet."""

import re
from collections.abc import Iterator, Sequence

from mplskit.lab.grammar.topology import nodes_at
from mplskit.lab.lab_report import Cause
from mplskit.lab.stage.ground import MachineShell
from mplskit.lab.stage.stage import Stage
from mplskit.node.verify.checklist import load_checklist
from mplskit.node.verify.suite import Suite
from mplskit.node.verify.verify import verify_live
from mplskit.remote.host import Host
from mplskit.remote.session import Answer

MTU, UP = "M1", "F11"
IFF_UP = 1  # linux/if.h
# The flags and the MTU of an interface, as sysfs has them.
LINK = re.compile(r"0x([0-9a-f]{1,8})\n([0-9]{1,10})\n")
# In a lab all ways are known; neighbours that were not asked yet, or routes of other programs, explain nothing.
NOT_ASKED = ("R3", "S17")


class NodeShell:
    """A node as the checks ask it."""

    def __init__(self, stage: Stage, node: str) -> None:
        self.host = Host(node)
        self._shell: MachineShell = stage.ground(node).shell
        self._stage, self._node = stage, node

    def run(self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: bytes = b"") -> Answer:
        """Run a command on the node; it is not kept as evidence."""
        return self._shell.run(self._stage.inside(self._node, *argv), check=check, timeout=timeout, stdin=stdin)


def diagnose(stage: Stage, number: int) -> tuple[Cause, ...]:
    """The conditions that do not hold on the nodes as they should be after step `number`. Nothing is changed.

    Raises OutsideFailed when a machine is lost.
    """
    with Suite() as suite:
        return tuple(_causes(stage, number, suite))


def _causes(stage: Stage, number: int, suite: Suite) -> Iterator[Cause]:
    for node, spec in nodes_at(stage.topology, number).items():
        shell = NodeShell(stage, node)
        own = list(_links(stage, node, shell))
        known = {cause.id for cause in own}
        yield from own
        yield from (
            Cause(node, check.id, check.title, check.seen, check.cause, check.cure)
            for check in verify_live(shell, spec, suite)
            if check.passed is False and check.id not in known and check.id not in NOT_ASKED
        )


def _links(stage: Stage, node: str, shell: NodeShell) -> Iterator[Cause]:
    """What the checks cannot know of a node's interfaces: that links are to be up, and with which MTU."""
    wrong: dict[str, list[str]] = {UP: [], MTU: []}
    for link in stage.topology.links:
        for end in (end for end in link.ends if end.node == node):
            said = shell.run(["sh", "-c", f"cd /sys/class/net/{end.dev} && cat flags mtu"], check=False).output
            found = LINK.fullmatch(said)
            if not found:
                wrong[UP].append(f"there is no {end.dev}")
                continue
            if not int(found[1], 16) & IFF_UP:
                wrong[UP].append(f"{end.dev} is down")
            if int(found[2]) != link.mtu:
                wrong[MTU].append(f"{end.dev} has an MTU of {found[2]}, and its link one of {link.mtu}")
    for id_, seen in wrong.items():
        if seen:
            condition = load_checklist()[id_]
            yield Cause(node, id_, condition.title, "; ".join(seen), condition.cause, condition.cure)
