"""Drop routes: what happens to packets that no better route takes, a push whose interface is down for one."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from mplskit.node.grammar.addresses import Network
from mplskit.node.grammar.part import RuledPart
from mplskit.yaml.spec_file import Fault


def _numbered(table: object) -> object:
    if isinstance(table, str):
        raise ValueError(
            "a routing table is its number here: /etc/iproute2/rt_tables of the node has the numbers of names, "
            "`ip -d link show VRF` says that of a VRF"
        )
    return table


Table = Annotated[int, BeforeValidator(_numbered), Field(strict=True, ge=1, le=(1 << 32) - 1)]
TABLE_LOCAL = 255
TABLE_MAIN = 254
LAST = (1 << 32) - 1
Metric = Annotated[int, Field(strict=True, ge=1, le=LAST)]
# What the kernel gives a route that says none (IP6_RT_PRIO_USER in include/net/ip6_fib.h).
OWN_METRIC = {4: 0, 6: 1024}
Key = tuple[str, int, int]


class _Drop(RuledPart):
    """`metric`: the route with the smallest one counts; left out it is the largest, below every other route."""

    kind: ClassVar[str]
    table: Table | None = None
    metric: Metric = LAST

    @property
    def to(self) -> IPv4Network | IPv6Network:
        """The prefix."""
        prefix: IPv4Network | IPv6Network = getattr(self, self.kind)
        return prefix

    @property
    def hops(self) -> tuple[()]:
        """Packets go nowhere."""
        return ()

    @property
    def key(self) -> Key:
        """What the kernel tells routes apart by: the prefix, the number of the table, the metric."""
        return str(self.to), self.table or TABLE_MAIN, self.metric

    def faults(self) -> Iterator[Fault]:
        """What cannot work."""
        if self.table == TABLE_LOCAL:
            yield Fault(("table",), "255 is the kernel's own table (local)")


class Unreachable(_Drop):
    """Packets to the prefix are dropped, and who sent them is told by ICMP."""

    kind: ClassVar[str] = "unreachable"
    unreachable: Network


class Blackhole(_Drop):
    """Packets to the prefix are dropped silently."""

    kind: ClassVar[str] = "blackhole"
    blackhole: Network


Drop = Unreachable | Blackhole
