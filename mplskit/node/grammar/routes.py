"""Routes of a node: push, swap and pop, with one next hop or several (ECMP)."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import Discriminator, Field, Tag, model_validator

from mplskit.node.grammar.addresses import IP, Address, InterfaceName, Network, NextHop
from mplskit.node.grammar.drops import (
    OWN_METRIC,
    TABLE_LOCAL,
    TABLE_MAIN,
    Blackhole,
    Drop,
    Key,
    Table,
    Unreachable,
)
from mplskit.node.grammar.labels import InLabel, Stack, wrong_null
from mplskit.node.grammar.part import Part, RuledPart
from mplskit.wording import joined
from mplskit.yaml.spec_file import Fault, Unfit

# fib_metrics (net/ipv4/metrics.c) takes any number; below 68 no IPv4 packet fits (RFC 791).
Mtu = Annotated[int, Field(strict=True, ge=68, le=65535)]
MTU_OF_IPV6 = 1280  # RFC 8200
Ttl = Annotated[int, Field(strict=True, ge=1, le=255)]
Weight = Annotated[int, Field(strict=True, ge=1, le=256)]
TtlPropagate = Annotated[bool, Field(strict=True)]
Onlink = Annotated[bool, Field(strict=True)]
MOST_HOPS = 255  # nhn of struct mpls_route has 8 bits

NOWHERE = "a push needs via, or nexthops, or the dev of a point-to-point link: where the packets go next"
NO_WEIGHT = "next hops of a label route have no weight: Linux refuses it there (Invalid argument)"


class _Unweighted(Part):
    """A label route, or a next hop of one."""

    @model_validator(mode="before")
    @classmethod
    def _no_weight(cls, values: object) -> object:
        if isinstance(values, dict) and "weight" in values:
            raise Unfit(Fault(("weight",), NO_WEIGHT))
        return values


class _Hop(Part):
    """Where packets go next."""

    via: NextHop | None = None
    dev: InterfaceName | None = None


class PushHop(_Hop):
    """One of several next hops of a push, with its own stack (left out: the route's) and its share.

    `dev` alone is for interfaces that are point-to-point or know no ARP. `onlink`: `via` is on the link of `dev`,
    although no network of the node says so.
    """

    push: Stack | None = None
    weight: Weight = 1
    onlink: Onlink = False


class SwapHop(_Unweighted, _Hop):
    """One of several next hops of a swap, with its own stack (left out: the route's)."""

    via: NextHop
    as_: Stack | None = Field(None, alias="as")


class PopHop(_Unweighted, _Hop):
    """One of several next hops of a pop."""

    via: NextHop


class Push(RuledPart):
    """Packets to `to` get the label stack `push` (top first) and go to the next hop `via`, or to one of `nexthops`.

    `mtu` is the largest IP packet in bytes, labels not counted; `ttl` the labels' TTL (left out: that of the packet);
    `table` the number of a routing table, a VRF's say (left out: main).
    """

    kind: ClassVar[str] = "push"
    push: Stack | None = None
    to: Network
    via: NextHop | None = None
    dev: InterfaceName | None = None
    nexthops: tuple[PushHop, ...] = ()
    src: Address | None = None
    mtu: Mtu | None = None
    ttl: Ttl | None = None
    table: Table | None = None
    onlink: Onlink = False

    @property
    def hops(self) -> tuple[PushHop, ...]:
        """All next hops, each with its stack."""
        if not self.nexthops:
            return (PushHop.model_construct(push=self.push, via=self.via, dev=self.dev, onlink=self.onlink),)
        return tuple(hop.model_copy(update={"push": hop.push or self.push}) for hop in self.nexthops)

    @property
    def key(self) -> Key:
        """What the kernel tells routes apart by: the prefix, the number of the table, the metric."""
        return str(self.to), self.table or TABLE_MAIN, OWN_METRIC[self.to.version]

    def faults(self) -> Iterator[Fault]:
        """What cannot work."""
        rule = "" if self.dev is not None else NOWHERE
        yield from _next_hops(self, rule)
        yield from _stacks("push", self.push, self.via, self.nexthops)
        yield from self._families()
        yield from self._links()

    def _links(self) -> Iterator[Fault]:
        if self.onlink and self.nexthops:
            yield Fault(("onlink",), "with nexthops each of them has its own onlink")
            return
        hops: list[tuple[tuple[str | int, ...], PushHop]] = [
            (("nexthops", n), hop) for n, hop in enumerate(self.nexthops)
        ]
        for place, hop in hops or [((), self.hops[0])]:
            if hop.onlink and (hop.via is None or hop.dev is None):
                yield Fault((*place, "onlink"), "onlink says that via is on the link of dev: it needs both")

    def _families(self) -> Iterator[Fault]:
        version = self.to.version
        if self.table == TABLE_LOCAL:
            yield Fault(("table",), "255 is the kernel's own table (local)")
        if self.src is not None and self.src.version != version:
            yield Fault(("src",), "src and to must be of one address family", str(self.src))
        if version == 6 and self.mtu is not None and self.mtu < MTU_OF_IPV6:
            yield Fault(("mtu",), f"IPv6 needs an mtu of at least {MTU_OF_IPV6}", str(self.mtu))
        hops: list[tuple[tuple[str | int, ...], IP | None, Stack | None]] = [((), self.via, self.push)]
        hops += [(("nexthops", index), hop.via, hop.push) for index, hop in enumerate(self.nexthops)]
        for place, via, stack in hops:
            if version == 6 and place and via is None:
                yield Fault(
                    place, "an IPv6 destination with several next hops needs via in each: Linux takes no dev alone"
                )
            if version == 6 and via is not None and via.version == 4:
                yield Fault((*place, "via"), "an IPv6 destination cannot have an IPv4 next hop", str(via))
            if stack and (rule := wrong_null(stack[-1], version)):
                yield Fault((*place, "push", len(stack) - 1), rule)


class Swap(_Unweighted, RuledPart):
    """Packets with the top label `swap` get the stack `as` in its place and go to `via`, or to one of `nexthops`.

    Without `ttl_propagate` the node's net.mpls.ip_ttl_propagate counts.
    """

    kind: ClassVar[str] = "swap"
    swap: InLabel
    as_: Stack | None = Field(None, alias="as")
    via: NextHop | None = None
    dev: InterfaceName | None = None
    nexthops: tuple[SwapHop, ...] = ()
    ttl_propagate: TtlPropagate | None = None

    @property
    def hops(self) -> tuple[SwapHop, ...]:
        """All next hops, each with its stack."""
        if self.via is not None:
            return (SwapHop.model_construct(as_=self.as_, via=self.via, dev=self.dev),)
        return tuple(hop.model_copy(update={"as_": hop.as_ or self.as_}) for hop in self.nexthops)

    def faults(self) -> Iterator[Fault]:
        """What cannot work."""
        rule = "a swap needs via, or nexthops: where the packets go next"
        yield from _next_hops(self, rule)
        yield from _stacks("as", self.as_, self.via, self.nexthops)


class Pop(_Unweighted, RuledPart):
    """Packets with the top label `pop` lose it: delivered here (`dev: lo`), in a VRF (`dev`), or sent `via` (PHP)."""

    kind: ClassVar[str] = "pop"
    pop: InLabel
    via: NextHop | None = None
    dev: InterfaceName | None = None
    nexthops: tuple[PopHop, ...] = ()
    ttl_propagate: TtlPropagate | None = None

    @property
    def hops(self) -> tuple[PopHop, ...]:
        """All next hops; none when the packet is delivered here or in a VRF."""
        if self.via is None:
            return self.nexthops
        return (PopHop.model_construct(via=self.via, dev=self.dev),)

    def faults(self) -> Iterator[Fault]:
        """What cannot work."""
        rule = "" if self.dev is not None else "a pop needs dev (lo, a VRF), via (a next hop) or nexthops"
        return _next_hops(self, rule)


def _next_hops(route: Push | Swap | Pop, rule: str) -> Iterator[Fault]:
    """Faults of `via`, `dev` and `nexthops`; `rule` is the one that a route without via and nexthops breaks."""
    if route.nexthops and route.via is not None:
        yield Fault(("nexthops",), "a route has via, or nexthops, not both")
    elif route.nexthops and route.dev is not None:
        yield Fault(("dev",), "with nexthops each of them has its own dev", route.dev)
    elif not route.nexthops and route.via is None and rule:
        yield Fault((), rule)
    if len(route.nexthops) > MOST_HOPS:
        yield Fault(("nexthops",), f"a route has at most {MOST_HOPS} next hops")
    ways: list[tuple[tuple[str | int, ...], IP | None, str | None]] = [((), route.via, route.dev)]
    ways += [(("nexthops", index), hop.via, hop.dev) for index, hop in enumerate(route.nexthops)]
    for place, via, dev in ways:
        if via is not None and via.version == 6 and via.is_link_local and dev is None:
            yield Fault((*place, "via"), f"the link-local next hop {via} needs dev")
        if place and via is None and dev is None:
            yield Fault(place, "a next hop has via, or the dev of a point-to-point link")
        if dev == "lo" and (via is not None or isinstance(route, Push)):
            yield Fault((*place, "dev"), "no next hop is reached by lo")
    seen: dict[str, int] = {}
    for index, hop in enumerate(route.nexthops):
        same = hop.model_dump_json(exclude={"weight"})
        if same in seen:
            yield Fault(("nexthops", index), f"the same as nexthops[{seen[same]}]: weight gives a larger share")
        seen.setdefault(same, index)


def _stacks(
    key: str, stack: Stack | None, via: IP | None, nexthops: Sequence[PushHop] | Sequence[SwapHop]
) -> Iterator[Fault]:
    """Faults of next hops without labels."""
    if stack is not None:
        return
    if not nexthops:
        yield Fault((key,), "is missing: the labels, top first")
    for index, hop in enumerate(nexthops):
        if getattr(hop, "push" if key == "push" else "as_") is None:
            yield Fault(("nexthops", index), f"has no labels: {key} is missing here, or for all of them in the route")


KINDS = ("push", "swap", "pop", "unreachable", "blackhole")


def _kind(value: object) -> str | None:
    keys = value if isinstance(value, dict) else type(value).model_fields if isinstance(value, Part) else ()
    kinds = [kind for kind in KINDS if kind in keys]
    if not kinds and "to" in keys:
        return "push"
    return kinds[0] if len(kinds) == 1 else None


Route = Annotated[
    Annotated[Push, Tag("push")]
    | Annotated[Swap, Tag("swap")]
    | Annotated[Pop, Tag("pop")]
    | Annotated[Unreachable, Tag("unreachable")]
    | Annotated[Blackhole, Tag("blackhole")],
    Discriminator(
        _kind,
        custom_error_type="route",
        custom_error_message=f"a route has exactly one of {joined(KINDS)}",
    ),
]


def incoming(route: Push | Swap | Pop | Drop) -> int | None:
    """The label that a route matches on; None for one of a prefix."""
    return route.swap if isinstance(route, Swap) else route.pop if isinstance(route, Pop) else None
