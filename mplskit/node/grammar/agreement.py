"""What the parts of a spec say of each other: rules that no part can judge alone."""

from collections.abc import Iterable, Iterator

from mplskit.node.grammar.description import NodeDescription
from mplskit.node.grammar.drops import Blackhole, Key, Unreachable
from mplskit.node.grammar.interfaces import no_direct_push
from mplskit.node.grammar.labels import FIRST_FREE_LABEL
from mplskit.node.grammar.routes import Pop, Push, incoming
from mplskit.yaml.spec_file import Fault, Place


def disagreements(spec: NodeDescription) -> Iterator[Fault]:
    """Each fault with its place in the spec."""
    yield from _twice(("mpls_input",), spec.mpls_input)
    yield from _twice(("loopbacks",), (str(loopback.ip) for loopback in spec.loopbacks))
    yield from _label_routes(spec)
    yield from _pushes(spec)
    yield from _drops(spec)
    yield from (fault for fault in direct_pushes(spec) if spec.kind(fault.found) is not None)
    yield from _own_addresses(spec)
    yield from _deliveries(spec)
    yield from _tunnels(spec)
    yield from _ldp(spec)


def _twice(place: Place, names: Iterable[str], *below: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Fault((*place, index, *below), f"{name} stands there twice")
        seen.add(name)


def _label_routes(spec: NodeDescription) -> Iterator[Fault]:
    seen: dict[int, int] = {}
    for index, route in enumerate(spec.routes):
        label = incoming(route)
        if label is None:
            continue
        place = ("routes", index, route.kind)
        if label >= spec.platform_labels:
            yield Fault(place, f"label {label} needs platform_labels above {label}: it is {spec.platform_labels}")
        if label in seen:
            yield Fault(place, f"label {label} has a route already, routes[{seen[label]}]")
        seen.setdefault(label, index)


def _pushes(spec: NodeDescription) -> Iterator[Fault]:
    seen: dict[Key, int] = {}
    for index, route in enumerate(spec.routes):
        if not isinstance(route, Push):
            continue
        if route.key in seen:
            table = f" in table {route.table}" if route.table else ""
            rule = (
                f"{route.to} has a route{table} already, routes[{seen[route.key]}]; several next hops are its nexthops"
            )
            yield Fault(("routes", index, "to"), rule)
        seen.setdefault(route.key, index)


def _drops(spec: NodeDescription) -> Iterator[Fault]:
    pushes = {route.key[:2]: route.key[2] for route in spec.routes if isinstance(route, Push)}
    seen: dict[Key, int] = {}
    for index, route in enumerate(spec.routes):
        if not isinstance(route, Unreachable | Blackhole):
            continue
        above = pushes.get(route.key[:2])
        if route.key in seen:
            rule = f"{route.to} has a drop route of that metric already, routes[{seen[route.key]}]"
            yield Fault(("routes", index, route.kind), rule)
        elif above is not None and route.metric <= above:
            rule = f"the push to {route.to} has metric {above}: what is to come after it needs a larger one"
            yield Fault(("routes", index, "metric"), rule, str(route.metric))
        seen.setdefault(route.key, index)


def direct_pushes(spec: NodeDescription) -> Iterator[Fault]:
    """Pushes by an interface alone that is not known to need no next hop: `found` is its name."""
    for index, route in enumerate(spec.routes):
        if not isinstance(route, Push):
            continue
        hops: list[tuple[Place, str | None]] = [(("nexthops", i), hop.dev) for i, hop in enumerate(route.nexthops)]
        vias = [hop.via for hop in route.hops]
        for (place, dev), via in zip(hops or [((), route.dev)], vias, strict=True):
            if via is None and dev is not None and (rule := no_direct_push(dev, spec.kind(dev))):
                yield Fault(("routes", index, *place, "dev"), rule, dev)


def _own_addresses(spec: NodeDescription) -> Iterator[Fault]:
    own = {loopback.ip for loopback in spec.loopbacks}
    for index, route in enumerate(spec.routes):
        if isinstance(route, Unreachable | Blackhole):
            continue
        vias = [(("via",), route.via)] if route.via is not None else []
        hops: list[tuple[Place, object]] = [
            *vias,
            *((("nexthops", number, "via"), hop.via) for number, hop in enumerate(route.nexthops)),
        ]
        for place, via in hops:
            if via in own:
                yield Fault(("routes", index, *place), f"the next hop {via} is one of this node's own loopbacks")
        if isinstance(route, Push) and route.table is None and route.to.num_addresses == 1 and route.to[0] in own:
            yield Fault(("routes", index, "to"), f"{route.to[0]} is one of this node's own loopbacks")


def _deliveries(spec: NodeDescription) -> Iterator[Fault]:
    ports = {*spec.mpls_input, *(tunnel.dev for tunnel in spec.openvpn), *(spec.ldp.interfaces if spec.ldp else ())}
    for index, route in enumerate(spec.routes):
        if isinstance(route, Pop) and not route.hops and route.dev != "lo" and route.dev in ports:
            rule = f"a pop without via delivers here, on lo or in a VRF; to send packets on by {route.dev} it needs via"
            yield Fault(("routes", index, "dev"), rule)


def _tunnels(spec: NodeDescription) -> Iterator[Fault]:
    yield from _twice(("openvpn",), (tunnel.dev for tunnel in spec.openvpn), "dev")
    listening: set[tuple[str, str, int]] = set()
    for index, tunnel in enumerate(spec.openvpn):
        if tunnel.remote is not None:
            continue
        key = (str(tunnel.local or ""), tunnel.proto, tunnel.port)
        if key in listening:
            yield Fault(("openvpn", index), f"another one listens on {tunnel.proto} port {tunnel.port} already")
        listening.add(key)


def _ldp(spec: NodeDescription) -> Iterator[Fault]:
    if spec.ldp is None:
        return
    for index, name in enumerate(spec.ldp.interfaces):
        if name not in spec.mpls_input:
            rule = f"LDP lets neighbours send labelled packets in by {name}, so mpls_input must name it, too"
            yield Fault(("ldp", "interfaces", index), rule)
    if spec.platform_labels <= FIRST_FREE_LABEL:
        rule = f"LDP needs labels: platform_labels above {FIRST_FREE_LABEL}"
        yield Fault(("platform_labels",), rule, str(spec.platform_labels))
    last = min(spec.ldp.last_label, spec.platform_labels - 1)
    for index, route in enumerate(spec.routes):
        label = incoming(route)
        if label is not None and label <= last:
            rule = f"label {label} is one of those that LDP gives, {FIRST_FREE_LABEL} to {last} (ldp.last_label)"
            yield Fault(("routes", index, route.kind), rule)
