"""The route tables of a node: words of a route that must be there, or must not."""

from collections.abc import Iterator

from mplskit.lab.evidence import Check
from mplskit.lab.probes.probe import Look, OnNode, Probe, Titled
from mplskit.node.grammar.part import Part, RuledPart
from mplskit.yaml.spec_file import Fault

COMMAND = "ip -f mpls route show; ip -4 route show table all; ip -6 route show table all"


class Table(OnNode, RuledPart):
    """Words that must be in a line of the node's route tables (`has`), or in none (`lacks`): `ip -f mpls route` and
    `ip route show table all`, of both address families.
    """

    has: str | None = None
    lacks: str | None = None

    def faults(self) -> Iterator[Fault]:
        """What cannot be looked for."""
        if (self.has is None) == (self.lacks is None):
            yield Fault((), "should have exactly one of has and lacks")
        elif not (self.has or self.lacks or "").split():
            yield Fault(("has" if self.has is not None else "lacks",), "should be words of a route")


class Expected(Part):
    """What they must have or lack."""

    tables: tuple[Table, ...] = ()


def lines_with(output: str, words: str) -> list[str]:
    """The lines of a route table in which the words stand one after another."""
    wanted = words.split()
    return [line for line in output.splitlines() if _within(wanted, line.split())]


def _within(wanted: list[str], words: list[str]) -> bool:
    return any(words[i : i + len(wanted)] == wanted for i in range(len(words) - len(wanted) + 1))


def judge_table(wanted: Table, output: str) -> Check:
    """Whether a node has, or lacks, such a route."""
    words = wanted.has or wanted.lacks or ""
    found = lines_with(output, words)
    return Check(
        f"routes of {wanted.on}",
        words if wanted.has else f"none with {words}",
        "; ".join(found) or f"none with {words}",
        bool(found) is (wanted.has is not None),
    )


def checks(look: Look, step: Titled, expect: Expected) -> Iterator[Check]:
    """They are read afterwards."""
    for table in expect.tables:
        yield judge_table(table, look.nodes.run(table.on, "sh", "-c", COMMAND).output)


PROBE = Probe(Titled, Expected, checks)
