"""What the parts of a topology say of each other: rules that no part can judge alone."""

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from mplskit.lab.grammar.links import End
from mplskit.lab.grammar.steps import Step
from mplskit.lab.grammar.topology import Topology, nodes_at
from mplskit.node.grammar.addresses import IP, Local
from mplskit.node.grammar.drops import Blackhole, Drop, Unreachable
from mplskit.node.grammar.interfaces import no_direct_push
from mplskit.node.grammar.routes import Pop, Push, Swap
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.verify.counters import NAMES
from mplskit.specfile import Fault, Place, Unfit, no_such, several

TRIED = ("ping", "traceroute", "throughput")
EXPECTED_OF = {"ping": ("loss", "ttl", "error"), "traceroute": ("hops",), "throughput": ("rate",)}


def disagreements(topology: Topology, stem: str) -> Iterator[Fault]:
    """Each fault with its place in the topology, whose file is called `stem`.yaml."""
    if topology.name != stem:
        yield Fault(("name",), f"a lab is named as its file: {stem} (here: {topology.name})")
    if not topology.steps:
        yield Fault(("steps",), "a lab has at least one step")
    strangers = list(_unknown_nodes(topology))
    yield from strangers
    yield from _links(topology)
    for index, step in enumerate(topology.steps):
        yield from (_below(("steps", index), fault) for fault in _step(step, topology.steps[:index]))
    if strangers:
        return
    try:
        for number in range(len(topology.steps) + 1):
            nodes = nodes_at(topology, number)
    except Unfit as unfit:
        yield from unfit.faults
        return
    yield from _next_hops(topology)
    yield from _devices(topology, nodes)
    yield from _segments(topology)
    yield from _addresses(topology)
    yield from _tunnels(topology)
    for name, spec in topology.nodes.items():
        if spec.ldp is not None:
            yield Fault(("nodes", name, "ldp"), "a lab starts no LDP: its labels are those of its routes")


def _below(place: Place, fault: Fault) -> Fault:
    return Fault((*place, *fault.place), fault.rule, fault.found)


def _unknown_nodes(topology: Topology) -> Iterator[Fault]:
    named: list[tuple[Place, str]] = []
    for i, link in enumerate(topology.links):
        named += [(("links", i, "ends", j, "node"), end.node) for j, end in enumerate(link.ends)]
    for i, step in enumerate(topology.steps):
        at = ("steps", i)
        named += [((*at, "add", node), node) for node in step.add]
        named += [((*at, "capture", j, "on"), capture.on) for j, capture in enumerate(step.capture)]
        tried = [(name, getattr(step, name)) for name in TRIED]
        named += [((*at, name, "from"), what.from_) for name, what in tried if what is not None]
        named += [((*at, "throughput", "at"), step.throughput.at)] if step.throughput else []
        for key in ("captured", "counters", "tables", "logged"):
            items = getattr(step.expect, key)
            named += [((*at, "expect", key, j, "on"), item.on) for j, item in enumerate(items)]
    yield from (
        Fault(at, no_such("node", node, list(topology.nodes))) for at, node in named if node not in topology.nodes
    )


def _links(topology: Topology) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    addresses: dict[tuple[str, IP], str] = {}
    for i, link in enumerate(topology.links):
        for j, end in enumerate(link.ends):
            at = ("links", i, "ends", j)
            if end.dev == "lo":
                yield Fault((*at, "dev"), "lo is every node's own; a link needs another name")
            elif (end.node, end.dev) in seen:
                yield Fault((*at, "dev"), f"{end.node} has a link on {end.dev} already")
            seen.add((end.node, end.dev))
            if (end.node, end.address.ip) in addresses:
                yield Fault((*at, "address"), f"{end.node} has {end.address.ip} already", str(end.address))
            addresses[end.node, end.address.ip] = end.dev
        first, second = link.ends
        if first.node == second.node:
            yield Fault(("links", i), f"both ends are on {first.node}: a link joins two nodes")
        if first.address.network != second.address.network:
            yield Fault(("links", i), f"{first.address} and {second.address} are not on one segment")
        elif first.address.ip == second.address.ip:
            yield Fault(("links", i), f"both ends have the address {first.address.ip}")
        if link.tunnel and not _carriers(topology, first.node, second.node):
            yield Fault(
                ("links", i, "tunnel"), f"a tunnel needs a link between {first.node} and {second.node} below it"
            )


def _carriers(topology: Topology, first: str, second: str) -> list[int]:
    """The links between two nodes that a tunnel can go over."""
    pair = {first, second}
    return [i for i, link in enumerate(topology.links) if not link.tunnel and {end.node for end in link.ends} == pair]


def _step(step: Step, earlier: Sequence[Step]) -> Iterator[Fault]:
    if step.step in [before.step for before in earlier]:
        yield Fault(("step",), "another step has this title", step.step)
    tried = [name for name in TRIED if getattr(step, name) is not None]
    if len(tried) > 1:
        yield Fault((tried[1],), f"a step tries one thing: it has a {tried[0]} already")
    for what, names in EXPECTED_OF.items():
        for name in names:
            if getattr(step, what) is None and getattr(step.expect, name) is not None:
                yield Fault(("expect", name), f"{name} is that of a {what}, and the step has none")
    if not any(getattr(step.expect, name) not in (None, ()) for name in type(step.expect).model_fields):
        yield Fault((), "a step says what must be seen: expect is missing, or empty")
    yield from _expected(step, earlier)


def _expected(step: Step, earlier: Sequence[Step]) -> Iterator[Fault]:
    expect = step.expect
    captures: set[tuple[str, str]] = set()
    for i, capture in enumerate(step.capture):
        if (capture.on, capture.dev) in captures:
            yield Fault(("capture", i), f"{capture.on} {capture.dev} is captured already: inout is both directions")
        captures.add((capture.on, capture.dev))
    for i, item in enumerate(expect.captured):
        if (item.on, item.dev) not in captures:
            yield Fault(("expect", "captured", i), f"the step captures nothing on {item.on} {item.dev}")
        if item.at_most is not None and item.at_most < item.at_least:
            yield Fault(("expect", "captured", i, "at_most"), f"is less than at_least, {item.at_least}")
    for i, rise in enumerate(expect.counters):
        if rise.name not in NAMES:
            yield Fault(("expect", "counters", i, "name"), no_such("counter", rise.name, NAMES))
    measured = [before.step for before in earlier if before.throughput]
    if expect.rate and expect.rate.of is not None and expect.rate.of not in measured:
        yield Fault(("expect", "rate", "of"), no_such("earlier step with a throughput", expect.rate.of, measured))


def _next_hops(topology: Topology) -> Iterator[Fault]:
    """Next hops that nobody has on a link of the node, and interfaces that it does not have, or that lead elsewhere."""
    routes: list[tuple[Place, str, Push | Swap | Pop]] = []
    for name, spec in topology.nodes.items():
        routes += [(("nodes", name, "routes", i), name, route) for i, route in enumerate(spec.routes) if _leads(route)]
    for number, step in enumerate(topology.steps):
        for name, addition in step.add.items():
            place: Place = ("steps", number, "add", name, "routes")
            routes += [((*place, i), name, route) for i, route in enumerate(addition.routes) if _leads(route)]
    for place, name, route in routes:
        near = neighbours(topology, name)
        there = _interfaces(topology, name)
        tuns = [end.dev for link in topology.links for end in link.ends if link.tunnel and end.node == name]
        hops: list[tuple[Place, IP | None, str | None]] = [((), route.via, route.dev)]
        hops += [(("nexthops", i), hop.via, hop.dev) for i, hop in enumerate(route.nexthops)]
        for below, via, dev in hops:
            if via is not None and via not in near:
                rule = f"{via} is on no link of {name}; its neighbours are {several([str(ip) for ip in near])}"
                yield Fault((*place, *below, "via"), rule)
            if dev is not None and dev not in there:
                yield Fault((*place, *below, "dev"), no_such(f"interface of {name}", dev, there))
            elif dev is not None and via is None and isinstance(route, Push):
                yield Fault((*place, *below, "dev"), no_direct_push(dev, "tun" if dev in tuns else "ethernet"))
            elif dev is not None and via in near and near[via] != dev:
                yield Fault((*place, *below, "dev"), f"{via} is behind {near[via]}", dev)


def _leads(route: Push | Swap | Pop | Drop) -> TypeGuard[Push | Swap | Pop]:
    return not isinstance(route, Unreachable | Blackhole)


def neighbours(topology: Topology, name: str) -> dict[IP, str]:
    """The addresses at the far ends of a node's links and tunnels, each with the node's own interface there."""
    found: dict[IP, str] = {}
    for link in topology.links:
        for end in link.ends:
            if end.node == name:
                found[link.other(end).address.ip] = end.dev
    for tunnel in topology.nodes[name].openvpn:
        for other, spec in topology.nodes.items():
            for far in spec.openvpn:
                if other != name and far.address.network == tunnel.address.network:
                    found[far.address.ip] = tunnel.dev
    return found


def _devices(topology: Topology, nodes: dict[str, NodeSpec]) -> Iterator[Fault]:
    """Interfaces that a node does not have."""
    there = {name: _interfaces(topology, name) for name in nodes}
    named: list[tuple[Place, str, str]] = []
    for name, spec in topology.nodes.items():
        named += [(("nodes", name, "mpls_input", i), name, dev) for i, dev in enumerate(spec.mpls_input)]
    for i, step in enumerate(topology.steps):
        at = ("steps", i)
        for name, addition in step.add.items():
            below = (*at, "add", name, "mpls_input")
            named += [((*below, j), name, dev) for j, dev in enumerate(addition.mpls_input)]
        named += [((*at, "capture", j, "dev"), item.on, item.dev) for j, item in enumerate(step.capture)]
        for key in ("counters", "logged"):
            items = getattr(step.expect, key)
            named += [((*at, "expect", key, j, "dev"), item.on, item.dev) for j, item in enumerate(items)]
    for place, name, dev in named:
        if dev not in there[name]:
            yield Fault(place, no_such(f"interface of {name}", dev, there[name]))
    taps = {(name, vpn.dev) for name, spec in nodes.items() for vpn in spec.openvpn}
    tuns = {(end.node, end.dev) for link in topology.links if link.tunnel for end in link.ends}
    for place, name, dev in named:
        if place[2] == "capture" and (name, dev) in tuns:
            yield Fault(place, "a tun has no Ethernet frames: captures are read on links and taps", dev)
        if place[3:4] == ("logged",) and dev in there[name] and (name, dev) not in taps | tuns:
            yield Fault(place, "OpenVPN logs at the ends of tunnels", dev)


def _interfaces(topology: Topology, name: str) -> list[str]:
    """What a node has: lo, the ends of its links, its taps."""
    ends = [end.dev for end in _ends(topology, name)]
    return ["lo", *ends, *(tunnel.dev for tunnel in topology.nodes[name].openvpn)]


def _ends(topology: Topology, name: str) -> list[End]:
    return [end for link in topology.links for end in link.ends if end.node == name]


def _segments(topology: Topology) -> Iterator[Fault]:
    """Interfaces of one node on the same prefix: which of them a packet takes is the kernel's to choose."""
    for name, spec in topology.nodes.items():
        found: list[tuple[Place, str, Local]] = [
            (("links", i, "ends", j, "address"), end.dev, end.address)
            for i, link in enumerate(topology.links)
            for j, end in enumerate(link.ends)
            if end.node == name
        ]
        found += [
            (("nodes", name, "openvpn", i, "address"), vpn.dev, vpn.address) for i, vpn in enumerate(spec.openvpn)
        ]
        for index, (place, dev, own) in enumerate(found):
            for _, before, other in found[:index] if not own.ip.is_link_local else ():
                if before != dev and other.version == own.version and other.network.overlaps(own.network):
                    yield Fault(place, f"{before} of {name} is on {other.network} already")


def _addresses(topology: Topology) -> Iterator[Fault]:
    """Sources that are not the node's, and destinations that are nobody's, in the step that names them."""
    for i, step in enumerate(topology.steps):
        own: dict[str, list[IP]] = {}
        for name, spec in nodes_at(topology, i + 1).items():
            own[name] = [address.ip for address in spec.loopbacks]
            own[name] += [end.address.ip for end in _ends(topology, name)]
            own[name] += [tunnel.address.ip for tunnel in spec.openvpn]
        everybodys = [ip for addresses in own.values() for ip in addresses]
        for key in TRIED:
            what = getattr(step, key)
            if what is None:
                continue
            for source in what.source if key == "ping" else (what.source,):
                if source not in own[what.from_]:
                    rule = f"{source} is no address of {what.from_}: {several([str(ip) for ip in own[what.from_]])}"
                    yield Fault(("steps", i, key, "source"), rule)
            if what.to not in everybodys:
                yield Fault(("steps", i, key, "to"), f"nobody has the address {what.to}")
            elif key == "throughput" and what.to not in own[what.at]:
                yield Fault(("steps", i, key, "to"), f"{what.to} is no address of {what.at}")


def _tunnels(topology: Topology) -> Iterator[Fault]:
    """OpenVPN sections: two ends each, one that calls the other; certificates are made for the run, by an authority of
    its own whose certificate is the node's `ca`.
    """
    sections = [(name, i, vpn) for name, spec in topology.nodes.items() for i, vpn in enumerate(spec.openvpn)]
    for name, i, vpn in sections:
        place = ("nodes", name, "openvpn", i)
        if vpn.ca is None:
            rule = "a lab makes its own certificates: ca names the file on the node, peer_fingerprint is not known"
            yield Fault(place, rule)
        files = [path for path in (vpn.cert, vpn.key, vpn.ca) if path is not None]
        if len(set(files)) < len(files):
            yield Fault(place, "cert, key and ca are files of their own")
        for key in ("cert", "key", "ca"):
            path = getattr(vpn, key)
            if path is not None and not path.startswith("/etc/openvpn/"):
                yield Fault((*place, key), "a lab puts certificates below /etc/openvpn", path)
        if vpn.dev in [end.dev for end in _ends(topology, name)]:
            yield Fault((*place, "dev"), f"{name} has a link on {vpn.dev} already")
        far = [other for other in sections if other[0] != name and other[2].address.network == vpn.address.network]
        if len(far) != 1:
            ends = several([other for other, _, _ in far])
            yield Fault((*place, "address"), f"the segment {vpn.address.network} has two ends; others here: {ends}")
        elif (vpn.remote is None) == (far[0][2].remote is None):
            yield Fault((*place, "remote"), f"one end calls the other: one of {name} and {far[0][0]} has a remote")
        elif vpn.remote is not None and vpn.remote not in [end.address.ip for end in _ends(topology, far[0][0])]:
            yield Fault((*place, "remote"), f"{vpn.remote} is no address of {far[0][0]}")
