"""Links of a topology: segments with two ends, and tunnels that labels do not pass."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mplskit.node.grammar.addresses import InterfaceName, LinkAddress
from mplskit.node.grammar.part import Part, RuledPart
from mplskit.node.grammar.routes import MTU_OF_IPV6
from mplskit.yaml.spec_file import Fault

OF_SEGMENTS = ("delay", "loss", "offload")


class End(Part):
    """One end of a link."""

    node: str
    dev: InterfaceName
    address: LinkAddress


def _two(ends: object) -> object:
    if isinstance(ends, list | tuple) and len(ends) != 2:
        raise ValueError(
            f"a link has two ends, and this one has {len(ends)}: where more machines meet, one node has a link to each"
        )
    return ends


class Link(RuledPart):
    """A segment with two ends. `delay` is in milliseconds and `loss` in percent, each way.

    Without `offload` the interfaces cut no TCP segments: the kernel does. With `tunnel: tun` the segment is an OpenVPN
    of the kind that carries IP only, which the first end calls the second for, over another link of theirs.
    """

    ends: Annotated[tuple[End, End], BeforeValidator(_two)]
    mtu: Annotated[int, Field(strict=True, ge=68, le=65535)] = 1500
    delay: Annotated[float, Field(ge=0, le=10_000)] = 0
    loss: Annotated[float, Field(ge=0, le=100)] = 0
    offload: Annotated[bool, Field(strict=True)] = True
    tunnel: Literal["tun"] | None = None

    def faults(self) -> Iterator[Fault]:
        """What cannot work."""
        for key in OF_SEGMENTS if self.tunnel else ():
            if key in self.model_fields_set:
                yield Fault((key,), "is that of the link below a tunnel, not of the tunnel")
        if self.mtu < MTU_OF_IPV6 and any(end.address.version == 6 for end in self.ends):
            yield Fault(("mtu",), f"IPv6 needs an mtu of at least {MTU_OF_IPV6}", str(self.mtu))

    def other(self, end: End) -> End:
        """The end opposite to one of the two."""
        return self.ends[1] if end is self.ends[0] else self.ends[0]
