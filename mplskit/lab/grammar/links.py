"""Links of a topology: segments with two ends, and tunnels that labels do not pass."""

from typing import Annotated, Literal

from pydantic import Field

from mplskit.node.grammar.addresses import InterfaceName, LinkAddress
from mplskit.node.grammar.part import Part


class End(Part):
    """One end of a link."""

    node: str
    dev: InterfaceName
    address: LinkAddress


class Link(Part):
    """A segment with two ends. `delay` is in milliseconds and `loss` in percent, each way.

    Without `offload` the interfaces cut no TCP segments: the kernel does. With `tunnel: tun` the segment is an OpenVPN
    of the kind that carries IP only, which the first end calls the second for, over another link of theirs.
    """

    ends: tuple[End, End]
    mtu: Annotated[int, Field(strict=True, ge=68, le=65535)] = 1500
    delay: Annotated[float, Field(ge=0, le=10_000)] = 0
    loss: Annotated[float, Field(ge=0, le=100)] = 0
    offload: Annotated[bool, Field(strict=True)] = True
    tunnel: Literal["tun"] | None = None

    def other(self, end: End) -> End:
        """The end opposite to one of the two."""
        return self.ends[1] if end is self.ends[0] else self.ends[0]
