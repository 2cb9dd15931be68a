"""What the conditions say of nodes as they are met: good and bad in the least usual ways."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.verify.facts import Facts
from tests.conditions import judged

EDGE = {
    "mpls_input": ["d0"],
    "routes": [{"push": [100], "to": "0.0.0.0/1", "via": "fe80::1", "dev": "d0"}, {"pop": 101, "dev": "lo"}],
}


class _Host:
    """A node that answers commands which begin with these words after the path is set; any other one fails."""

    def __init__(self, answers: Mapping[str, str | Callable[[str], str]]) -> None:
        self._answers = answers

    def run(self, command: str, *words: str) -> SimpleNamespace:
        """Run a command."""
        asked = command.partition("export PATH LC_ALL; ")[2] % words
        for known, answer in self._answers.items():
            if known in asked:
                return SimpleNamespace(rc=0, stdout=answer if isinstance(answer, str) else answer(asked), stderr="")
        return SimpleNamespace(rc=127, stdout="", stderr=f"sh: {asked.split()[0]}: it cannot be asked")


def test_routes_that_cannot_be_read_are_neither_there_nor_away() -> None:
    facts = Facts(_Host({}), NodeSpec.model_validate(EDGE))
    facts.__dict__.update(tool=("/sbin/ip", "ip utility, iproute2-6.1.0"))
    for condition in ("R2", "R3"):
        assert judged(condition, facts) == (None, "it could not be read: sh: ip=/sbin/ip;: it cannot be asked")
