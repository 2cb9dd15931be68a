"""What the playing of a lab leaves, as values: commands with their outputs, checks, counters that changed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A command that ran, quoted as it can be pasted; `on` is the node, empty for the machine that they all are in."""

    command: str
    status: int
    output: str
    seconds: float
    on: str = ""


@dataclass(frozen=True)
class Check:
    """One thing that had to be so: what it is about, what was expected, what was seen."""

    about: str
    expected: str
    seen: str
    passed: bool


@dataclass(frozen=True)
class Counter:
    """An MPLS counter of an interface that changed during a step."""

    node: str
    dev: str
    name: str
    before: int
    after: int


class Undone(Exception):
    """Something that a step needed could not be done: the step has failed, and what follows makes no sense."""

    def __init__(self, doing: str, output: str) -> None:
        super().__init__(doing)
        self.doing = doing
        self.output = output.strip()
