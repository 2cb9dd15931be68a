"""Questions that are asked together, of a real shell."""

import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace

from mplskit.node.verify.questions import Said
from mplskit.node.verify.questions_ahead import Ahead


@dataclass
class Here:
    """This machine, as a host of testinfra; `asked` has what came."""

    asked: list[str] = field(default_factory=list)

    def run(self, command: str) -> SimpleNamespace:
        self.asked.append(command)
        ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        return SimpleNamespace(rc=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)


class Looks:
    """What is asked: two that know what to ask, one that needs both, one that fails, and one that is not for now."""

    def __init__(self, node: Ahead) -> None:
        self.node = node

    @cached_property
    def one(self) -> str:
        return self.node.run("printf 'on\\nstdout\\n'; echo \"it's\" >&2; exit 3").stdout

    @cached_property
    def two(self) -> str:
        return self.node.run("echo two").stdout.strip()

    @cached_property
    def both(self) -> str:
        return self.node.run(f"echo {len(self.one)} {self.two}").stdout

    @cached_property
    def fails(self) -> int:
        return int(self.node.run("echo three").stdout)

    @cached_property
    def later(self) -> str:
        return self.node.run("echo later").stdout


def test_what_can_be_asked_at_once_is_asked_at_once_and_known_afterwards() -> None:
    here = Here()
    looks = Looks(Ahead(here))
    looks.node.ask_for(looks, "later")
    assert len(here.asked) == 2
    assert looks.node.run("printf 'on\\nstdout\\n'; echo \"it's\" >&2; exit 3") == Said(3, "on\nstdout\n", "it's")
    assert (looks.one, looks.two, looks.both) == ("on\nstdout\n", "two", "10 two\n")
    assert len(here.asked) == 2
    assert looks.later == "later\n"
    assert len(here.asked) == 3


def test_what_goes_wrong_while_asking_ahead_goes_wrong_for_who_needs_it() -> None:
    looks = Looks(Ahead(Here()))
    looks.node.ask_for(looks)
    try:
        assert looks.fails == 0
    except ValueError as error:
        assert "three" in str(error)


def test_a_node_that_garbles_what_it_is_asked_together_is_asked_again_one_by_one() -> None:
    node = Ahead(SimpleNamespace(run=lambda command: SimpleNamespace(rc=0, stdout="noise", stderr="")))
    looks = Looks(node)
    looks.node.ask_for(looks)
    assert looks.two == "noise"
