"""Steps of a lab: what is added to the nodes, what is tried, and what must be seen."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mplskit.node.grammar.addresses import IP, Address, InterfaceName, Loopback
from mplskit.node.grammar.part import Part
from mplskit.node.grammar.routes import Route
from mplskit.specfile import Fault, Unfit

Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
Ttl = Annotated[int, Field(strict=True, ge=0, le=255)]
Number = Annotated[int, Field(strict=True, ge=1)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=600)]
Mbits = Annotated[float, Field(gt=0)]
Sources = Annotated[
    tuple[Address, ...], BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,))
]


def _hop(text: str) -> str:
    """A hop as traceroute prints it."""
    try:
        return text if text == "*" else str(ip_address(text))
    except ValueError:
        raise ValueError('a hop is an address, or "*" where nobody answers') from None


Hop = Annotated[str, AfterValidator(_hop)]


class Addition(Part):
    """What a node gets in a step, beyond what it has."""

    mpls_input: tuple[InterfaceName, ...] = ()
    loopbacks: tuple[Loopback, ...] = ()
    routes: tuple[Route, ...] = ()


class Ping(Part):
    """`count` echo requests from each address in `source`, of the node `from`.

    `size` is that of the whole IP packet in bytes; without `fragment` it has the DF bit. `ttl` is that of the request.
    """

    from_: str = Field(alias="from")
    source: Sources
    to: Address
    count: Annotated[int, Field(strict=True, ge=1, le=1000)] = 5
    size: Annotated[int, Field(strict=True, ge=48, le=65535)] | None = None
    fragment: Annotated[bool, Field(strict=True)] = True
    ttl: Annotated[int, Field(strict=True, ge=1, le=255)] | None = None

    @property
    def header(self) -> int:
        """Bytes of IP and ICMP headers before the payload."""
        return 28 if self.to.version == 4 else 48

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        if not self.source:
            raise Unfit(Fault(("source",), "should name at least one address"))
        _one_family(self.source, self.to)
        return self


class Traceroute(Part):
    """A traceroute (UDP) from an address of the node `from`."""

    from_: str = Field(alias="from")
    source: Address
    to: Address

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        _one_family([self.source], self.to)
        return self


class Throughput(Part):
    """One TCP connection (iperf3) from an address of the node `from` to one of the node `at`, for `seconds`."""

    from_: str = Field(alias="from")
    source: Address
    at: str
    to: Address
    seconds: Seconds = 3

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        _one_family([self.source], self.to)
        return self


def _one_family(sources: Sequence[IP], to: IP) -> None:
    for index, source in enumerate(sources):
        if source.version != to.version:
            place = ("source", index) if len(sources) > 1 else ("source",)
            raise Unfit(Fault(place, "source and to must be of one address family", str(source)))


class Capture(Part):
    """Frames of one interface during the step: those that arrive (`in`), that leave (`out`), or both."""

    on: str
    dev: InterfaceName
    direction: Literal["in", "out", "inout"] = "inout"


class Captured(Part):
    """Packets that must be in a capture. `tc`, `ttl` and `bottom` are the top label's; what is left out may be any.

    `ip_ttl` is the TTL (hop limit) of the IP header. With `or_none` there may be none of them at all, too.
    """

    on: str
    dev: InterfaceName
    labels: tuple[Annotated[int, Field(strict=True, ge=0, le=(1 << 20) - 1)], ...]
    bottom: Annotated[bool, Field(strict=True)] | None = None
    tc: Annotated[int, Field(strict=True, ge=0, le=7)] | None = None
    ttl: Ttl | None = None
    ip_ttl: Ttl | None = None
    echo: Literal["request", "reply"] | None = None
    at_least: Annotated[int, Field(strict=True, ge=0)] = 1
    at_most: Annotated[int, Field(strict=True, ge=0)] | None = None
    or_none: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        faults = list(self._proves_nothing())
        if faults:
            raise Unfit(*faults)
        return self

    def _proves_nothing(self) -> Iterator[Fault]:
        if not self.labels:
            for key in ("bottom", "tc", "ttl"):
                if getattr(self, key) is not None:
                    yield Fault((key,), "is the top label's, and there is none; ip_ttl is that of the IP header")
        if self.at_least == 0 and self.at_most is None:
            yield Fault(("at_least",), "0 or more are always there: at_most is missing", "0")


class Rise(Part):
    """An MPLS counter of an interface that must rise while the step runs."""

    on: str
    dev: InterfaceName
    name: str
    at_least: Number = 1


class Table(Part):
    """Words that must be in a line of the node's route tables (`has`), or in none (`lacks`): `ip -f mpls route` and
    `ip route show table all`, of both address families.
    """

    on: str
    has: str | None = None
    lacks: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.has is None) == (self.lacks is None):
            raise Unfit(Fault((), "should have exactly one of has and lacks"))
        if not (self.has or self.lacks or "").split():
            raise Unfit(Fault(("has" if self.has is not None else "lacks",), "should be words of a route"))
        return self


class Rate(Part):
    """TCP throughput in Mbit/s, and as a multiple of that of an earlier step (its title) where that was measured."""

    at_least: Mbits | None = None
    at_most: Mbits | None = None
    times: Mbits | None = None
    of: str | None = None

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if (self.times is None) != (self.of is None):
            raise Unfit(Fault((), "times and of go together: how many times, of which step"))
        if self.at_least is None and self.at_most is None and self.of is None:
            raise Unfit(Fault((), "should have at_least, at_most, or times and of"))
        return self


class Logged(Part):
    """Words that OpenVPN must have logged on a node, at the end `dev` of a tunnel."""

    on: str
    dev: InterfaceName
    text: Annotated[str, Field(min_length=1)]


class Expect(Part):
    """What must be seen.

    Of a ping: `loss` in percent, `ttl` of the replies, `error`: words that ping itself says. Of a traceroute: its
    `hops`, `*` where nobody answers. Of a throughput: `rate`. Of any step: packets captured,
    counters rising, routes, logs.
    """

    loss: Percent | None = None
    ttl: Ttl | None = None
    error: Annotated[str, Field(min_length=1)] | None = None
    hops: tuple[Hop, ...] | None = None
    rate: Rate | None = None
    captured: tuple[Captured, ...] = ()
    counters: tuple[Rise, ...] = ()
    tables: tuple[Table, ...] = ()
    logged: tuple[Logged, ...] = ()


class Step(Part):
    """What is added to the nodes; then captures begin, something is tried, and what was seen is compared.

    With `within` it is tried again until all is as expected or that many seconds are over. `without_module` takes a
    module out while the step runs; where it is built in, the step is left out.
    """

    step: Annotated[str, Field(min_length=1)]
    add: dict[str, Addition] = Field(default_factory=dict)
    without_module: Literal["mpls_gso"] | None = None
    capture: tuple[Capture, ...] = ()
    ping: Ping | None = None
    traceroute: Traceroute | None = None
    throughput: Throughput | None = None
    within: Seconds | None = None
    expect: Expect = Expect()
