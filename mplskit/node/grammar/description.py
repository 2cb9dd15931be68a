"""A node, part by part, before it is known that the parts agree."""

from typing import Annotated, Literal

from pydantic import Field

from mplskit.node.grammar.addresses import InterfaceName, Loopback
from mplskit.node.grammar.interfaces import Interface, Kind
from mplskit.node.grammar.labels import LABEL_MAX
from mplskit.node.grammar.part import RuledPart
from mplskit.node.grammar.routes import Pop, PopHop, Push, PushHop, Route, Swap, SwapHop
from mplskit.node.grammar.sections import Ldp, OpenVPN

# What a bootstrap does only when it is told to in so many words.
Allowance = Literal["default-route", "shrink"]


class NodeDescription(RuledPart):
    """One node. `platform_labels` is the size of the label table: incoming labels are below it.

    `ip_forward` None is true when a pop goes into a VRF, and otherwise leaves forwarding as it is on the node.
    """

    platform_labels: Annotated[int, Field(strict=True, ge=0, le=LABEL_MAX)] = 100_000
    mpls_input: tuple[InterfaceName, ...] = ()
    loopbacks: tuple[Loopback, ...] = ()
    routes: tuple[Route, ...] = ()
    interfaces: dict[InterfaceName, Interface] = Field(default_factory=dict)
    ip_forward: Annotated[bool, Field(strict=True)] | None = None
    openvpn: tuple[OpenVPN, ...] = ()
    ldp: Ldp | None = None
    allow: tuple[Allowance, ...] = ()

    @property
    def delivers(self) -> bool:
        """Whether packets come out of labels on `lo`: so it must be up and not check their source.

        They do with a pop to `lo`, and without any route of ours at an edge that accepts labels: its neighbours may
        send explicit null (0, 2), and LDP pops to `lo` itself. A node that only swaps gets none of them.
        """
        popped = any(isinstance(route, Pop) and route.dev == "lo" and not route.hops for route in self.routes)
        is_edge = bool(self.loopbacks or self.ldp or any(isinstance(route, Push) for route in self.routes))
        return popped or bool(self.mpls_input and is_edge)

    @property
    def forwards(self) -> bool:
        """Whether packets are passed on as IP: when that is asked for, or when a pop goes into a VRF."""
        into_vrf = any(
            isinstance(route, Pop) and route.dev not in (None, "lo") and not route.hops for route in self.routes
        )
        return into_vrf if self.ip_forward is None else self.ip_forward

    @property
    def has_ipv6(self) -> bool:
        """Whether an address, a destination or a next hop is of IPv6."""
        hops = (hop.via for route in self.routes for hop in route.hops if hop.via is not None)
        ends = (route.to for route in self.routes if not isinstance(route, Swap | Pop))
        return any(address.version == 6 for address in (*self.loopbacks, *hops, *ends))

    @property
    def optional(self) -> tuple[str, ...]:
        """The interfaces that may come later than the node is ready."""
        said = {name: found.optional for name, found in self.interfaces.items() if found.optional is not None}
        return tuple(name for name, later in {**{tunnel.dev: True for tunnel in self.openvpn}, **said}.items() if later)

    def device(self, hop: PushHop | SwapHop | PopHop) -> str | None:
        """The interface of a next hop: as it says, or that of the tunnel in whose segment it is.

        Linux would look for a next hop of a tunnel that is not up yet by the default route, and leave it there.
        """
        tunnels = (tunnel.dev for tunnel in self.openvpn if hop.via is not None and hop.via in tunnel.address.network)
        return hop.dev or next(tunnels, None)

    def kind(self, dev: str) -> Kind | None:
        """What an interface is; None where nobody says."""
        if any(tunnel.dev == dev for tunnel in self.openvpn):
            return "tap"
        return self.interfaces[dev].kind if dev in self.interfaces else None

    @property
    def direct(self) -> dict[str, Kind | None]:
        """The interfaces by which pushes go without a next hop, and what each is."""
        pushes = (route for route in self.routes if isinstance(route, Push))
        names = (hop.dev for route in pushes for hop in route.hops if hop.via is None and hop.dev is not None)
        return {name: self.kind(name) for name in names}
