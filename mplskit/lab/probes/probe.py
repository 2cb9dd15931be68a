"""What every probe is: keys of a step and of its `expect`, something to do while the step runs, and a verdict."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Generic, Protocol, TypeVar

from pydantic import Field

from mplskit.lab.evidence import Check, Counter
from mplskit.node.grammar.addresses import IP, Address, InterfaceName
from mplskit.node.grammar.part import Part, RuledPart
from mplskit.remote.session import Answer
from mplskit.yaml.spec_file import Fault

Seconds = Annotated[int, Field(strict=True, ge=1, le=600)]


class Titled(Part):
    """The keys of a step: what it shows, in a sentence; each probe adds its own."""

    step: Annotated[str, Field(min_length=1)]


class OnNode(Part):
    """What is looked at on a node."""

    on: str


class OnInterface(OnNode):
    """What is looked at on an interface of a node; `kinds` are those that it can be of, and `why`."""

    kinds: ClassVar[tuple[str, ...]] = ("lo", "link", "tap", "tun")
    why: ClassVar[str] = ""

    dev: InterfaceName


class FromTo(RuledPart):
    """What is tried from an address of the node `from`, or from each of several, to one that some node has."""

    from_: str = Field(alias="from")
    source: Address | tuple[Address, ...]
    to: Address

    @property
    def sources(self) -> tuple[IP, ...]:
        """All of them."""
        return self.source if isinstance(self.source, tuple) else (self.source,)

    @property
    def at_node(self) -> str:
        """The node that has to have `to`; empty where any will do."""
        return ""

    def faults(self) -> Iterator[Fault]:
        """What cannot be tried."""
        for index, source in enumerate(self.sources):
            if source.version != self.to.version:
                place = ("source", index) if len(self.sources) > 1 else ("source",)
                yield Fault(place, "source and to must be of one address family", str(source))
                return


Asked = TypeVar("Asked", bound=Titled)
Expected = TypeVar("Expected", bound=Part)


class Nodes(Protocol):
    """The nodes of a lab, on whatever stage; each method raises Undone where something that is needed is not there."""

    def run(self, node: str, *argv: str, timeout: float = 120, stdin: bytes = b"") -> Answer:
        """Run a command on a node to its end, whatever its exit status is."""

    def script(self, node: str, *words: str, timeout: float = 120) -> str:
        """Run a command of ground.sh on a node."""

    def read(self, node: str, path: str) -> bytes:
        """A file of the machine that a node is on."""

    def log(self, node: str, dev: str) -> str:
        """What the OpenVPN at an end of a tunnel has logged."""

    def home(self, node: str) -> str:
        """The folder of a node's files on its machine."""

    def need(self, node: str, program: str, package: str) -> None:
        """Make sure that a node has a program."""


@dataclass
class Look:
    """One try of a step: the nodes, and their names; what is kept is written to `folder` as PREFIX.…, and named.

    `rates` has the throughput of each earlier step, and None for each that was left out.
    """

    nodes: Nodes
    names: Sequence[str]
    folder: Path
    prefix: str
    rates: dict[str, float | None]
    files: list[str] = field(default_factory=list)
    counters: list[Counter] = field(default_factory=list)


def _nothing(step: Titled, expect: Part, earlier: Sequence[Titled]) -> Iterator[Fault]:
    yield from ()


@dataclass(frozen=True)
class Probe(Generic[Asked, Expected]):
    """One way to look at a lab. `asked` has its keys in a step, `expected` those in the step's `expect`: all optional.

    `checks` does at once what has to be done before anything is tried; the rest it does as they are taken. Raises
    Undone. `faults` are those that no key has alone, their places below the step; it gets the earlier steps, too.
    `tries` is the key of what is tried: a step tries one thing, or none. `package` is Debian's, with the program.
    """

    asked: type[Asked]
    expected: type[Expected]
    checks: Callable[[Look, Asked, Expected], Iterator[Check]]
    faults: Callable[[Asked, Expected, Sequence[Titled]], Iterator[Fault]] = _nothing
    tries: str = ""
    package: str = ""


def first_line(program: str, output: str) -> str:
    """The first line that a program said."""
    return next((line for line in output.splitlines() if line.strip()), f"{program} said nothing")
