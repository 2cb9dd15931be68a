"""The grammar of topologies/NAME.yaml: nodes, the links between them, and steps that say what must be seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mplskit.errors import WrongInput
from mplskit.lab.counters import NAMES
from mplskit.node.grammar.addresses import Address, InterfaceName, LinkAddress
from mplskit.node.grammar.routes import Route
from mplskit.node.grammar.spec import NodeSpec, problems
from mplskit.paths import data
from mplskit.specfile import Fault, no_such, read_spec

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
Ttl = Annotated[int, Field(strict=True, ge=0, le=255)]
Number = Annotated[int, Field(strict=True, ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class End(_Part):
    """One end of a link."""

    node: str
    dev: InterfaceName
    address: LinkAddress


class Link(_Part):
    """A segment with two ends."""

    ends: tuple[End, End]
    mtu: Annotated[int, Field(strict=True, ge=68, le=65535)] = 1500


class Ping(_Part):
    """`count` echo requests from an address of the node `from`."""

    from_: str = Field(alias="from")
    source: Address
    to: Address
    count: Annotated[int, Field(strict=True, ge=1, le=1000)] = 5


class Capture(_Part):
    """Frames of one interface while the ping runs: those that arrive (`in`), that leave (`out`), or both."""

    on: str
    dev: InterfaceName
    direction: Literal["in", "out", "inout"] = "inout"


class Captured(_Part):
    """Packets that must be in a capture. `tc`, `ttl` and `bottom` are the top label's; what is left out may be any."""

    on: str
    dev: InterfaceName
    labels: tuple[Annotated[int, Field(strict=True, ge=0, le=(1 << 20) - 1)], ...]
    bottom: bool | None = None
    tc: Annotated[int, Field(strict=True, ge=0, le=7)] | None = None
    ttl: Ttl | None = None
    echo: Literal["request", "reply"] | None = None
    at_least: Number = 1


class Rise(_Part):
    """An MPLS counter of an interface that must rise while the step runs."""

    on: str
    dev: InterfaceName
    name: str
    at_least: Number = 1


class Expect(_Part):
    """What must be seen: loss in percent, the TTL of the replies, packets on the wire, counters rising."""

    loss: Percent | None = None
    ttl: Ttl | None = None
    captured: tuple[Captured, ...] = ()
    counters: tuple[Rise, ...] = ()


class Step(_Part):
    """Routes are added, captures begin, the ping runs; then what was seen is compared with what is expected."""

    step: str
    routes: dict[str, tuple[Route, ...]] = {}
    capture: tuple[Capture, ...] = ()
    ping: Ping | None = None
    expect: Expect = Expect()


class Topology(_Part):
    """A lab: what it proves, on which nodes and links, in which steps."""

    name: Name
    proves: str
    nodes: dict[Name, NodeSpec]
    links: tuple[Link, ...] = ()
    steps: tuple[Step, ...]


def nodes_at(topology: Topology, number: int) -> dict[str, NodeSpec]:
    """The nodes with the routes that the first `number` steps add. Raises ValidationError (of pydantic) on a clash."""
    nodes = dict(topology.nodes)
    for step in topology.steps[:number]:
        for name, routes in step.routes.items():
            nodes[name] = NodeSpec.model_validate({**dict(nodes[name]), "routes": (*nodes[name].routes, *routes)})
    return nodes


def known() -> list[str]:
    """The names of the labs that there are."""
    return sorted(path.stem for path in data("topologies").glob("*.yaml"))


def load(name: str) -> Topology:
    """The lab of that name. Raises WrongInput with the names that there are, or with the line that does not fit."""
    if name not in known():
        raise WrongInput(no_such("lab", name, known()), hint="`invoke lab.list` says what each of them proves")
    return read_topology(data("topologies") / f"{name}.yaml")


def read_topology(path: Path) -> Topology:
    """A topology from its file. Raises WrongInput with file, line, reason and what is allowed."""
    return read_spec(path, Topology, lambda topology: _faults(topology, path.stem))


def _faults(topology: Topology, stem: str) -> Iterator[Fault]:
    if topology.name != stem:
        yield Fault(("name",), f"a lab is named as its file: {stem} (here: {topology.name})")
    if not topology.steps:
        yield Fault(("steps",), "a lab has at least one step")
    strangers = list(_unknown_nodes(topology))
    yield from strangers
    yield from _wrong_links(topology)
    for index, step in enumerate(topology.steps):
        yield from (Fault(("steps", index, *fault.place), fault.reason) for fault in _wrong_step(step))
    if not strangers:
        yield from _clashing_routes(topology)


def _unknown_nodes(topology: Topology) -> Iterator[Fault]:
    named: list[tuple[tuple[str | int, ...], str]] = []
    for i, link in enumerate(topology.links):
        named += [(("links", i, "ends", j, "node"), end.node) for j, end in enumerate(link.ends)]
    for i, step in enumerate(topology.steps):
        at = ("steps", i)
        named += [((*at, "routes", node), node) for node in step.routes]
        named += [((*at, "capture", j, "on"), capture.on) for j, capture in enumerate(step.capture)]
        named += [((*at, "ping", "from"), step.ping.from_)] if step.ping else []
        named += [((*at, "expect", "captured", j, "on"), item.on) for j, item in enumerate(step.expect.captured)]
        named += [((*at, "expect", "counters", j, "on"), item.on) for j, item in enumerate(step.expect.counters)]
    yield from (
        Fault(at, no_such("node", node, list(topology.nodes))) for at, node in named if node not in topology.nodes
    )


def _wrong_links(topology: Topology) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for i, link in enumerate(topology.links):
        for j, end in enumerate(link.ends):
            at = ("links", i, "ends", j)
            if end.dev == "lo":
                yield Fault((*at, "dev"), "lo is every node's own; a link needs another name")
            elif (end.node, end.dev) in seen:
                yield Fault((*at, "dev"), f"{end.node} has a link on {end.dev} already")
            seen.add((end.node, end.dev))
        first, second = link.ends
        if first.address.network != second.address.network:
            yield Fault(("links", i), f"{first.address} and {second.address} are not on one segment")


def _clashing_routes(topology: Topology) -> Iterator[Fault]:
    for i in range(len(topology.steps)):
        try:
            nodes_at(topology, i + 1)
        except ValidationError as error:
            yield Fault(("steps", i, "routes"), "; ".join(problem.rule for problem in problems(error)))
            return


def _wrong_step(step: Step) -> Iterator[Fault]:
    expect = step.expect
    if step.ping is None and (expect.loss is not None or expect.ttl is not None):
        yield Fault(("expect",), "loss and ttl are those of a ping, and the step has none")
    captures = {(capture.on, capture.dev) for capture in step.capture}
    for i, item in enumerate(expect.captured):
        if (item.on, item.dev) not in captures:
            yield Fault(("expect", "captured", i), f"the step captures nothing on {item.on} {item.dev}")
    for i, rise in enumerate(expect.counters):
        if rise.name not in NAMES:
            yield Fault(("expect", "counters", i, "name"), no_such("counter", rise.name, NAMES))
