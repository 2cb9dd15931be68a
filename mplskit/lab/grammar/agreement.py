"""What the parts of a topology say of each other: rules that no part can judge alone."""

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from mplskit.lab.grammar.links import End
from mplskit.lab.grammar.steps import Expect, Step
from mplskit.lab.grammar.topology import Topology, nodes_at
from mplskit.lab.probes import PROBES
from mplskit.lab.probes.probe import FromTo, OnInterface, OnNode
from mplskit.node.grammar.addresses import IP, Local
from mplskit.node.grammar.drops import Blackhole, Drop, Unreachable
from mplskit.node.grammar.interfaces import no_direct_push
from mplskit.node.grammar.part import Part
from mplskit.node.grammar.routes import Pop, Push, Swap
from mplskit.node.grammar.spec import NodeSpec
from mplskit.wording import no_such, several
from mplskit.yaml.spec_file import Fault, Place, Unfit


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
        for place, part in _parts(step):
            if isinstance(part, OnNode):
                named.append(((*at, *place, "on"), part.on))
            elif isinstance(part, FromTo):
                named.append(((*at, *place, "from"), part.from_))
                named += [((*at, *place, "at"), part.at_node)] if part.at_node else []
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
    tried = [probe.tries for probe in PROBES if probe.tries and getattr(step, probe.tries) is not None]
    if len(tried) > 1:
        yield Fault((tried[1],), f"a step tries one thing: it has a {tried[0]} already")
    for probe in PROBES:
        for name in probe.expected.model_fields if probe.tries and probe.tries not in tried else ():
            if getattr(step.expect, name) is not None:
                yield Fault(("expect", name), f"{name} is that of a {probe.tries}, and the step has none")
    if not any(getattr(step.expect, name) not in (None, ()) for name in Expect.model_fields):
        yield Fault((), "a step says what must be seen: expect is missing, or empty")
    for probe in PROBES:
        yield from probe.faults(step, step.expect, earlier)


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
        hops: list[tuple[Place, IP | None, str | None]] = [((), route.via, route.dev)]
        hops += [(("nexthops", i), hop.via, hop.dev) for i, hop in enumerate(route.nexthops)]
        for below, via, dev in hops:
            if via is not None and via not in near:
                rule = f"{via} is on no link of {name}; its neighbours are {several([str(ip) for ip in near])}"
                yield Fault((*place, *below, "via"), rule)
            if dev is not None and dev not in there:
                yield Fault((*place, *below, "dev"), no_such(f"interface of {name}", dev, list(there)))
            elif dev is not None and via is None and isinstance(route, Push):
                yield Fault((*place, *below, "dev"), no_direct_push(dev, "tun" if there[dev] == "tun" else "ethernet"))
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
    """Interfaces that a node does not have, or that are of another kind than they have to be."""
    there = {name: _interfaces(topology, name) for name in nodes}
    named: list[tuple[Place, str, str, OnInterface | None]] = []
    for name, spec in topology.nodes.items():
        named += [(("nodes", name, "mpls_input", i), name, dev, None) for i, dev in enumerate(spec.mpls_input)]
    for number, step in enumerate(topology.steps):
        at = ("steps", number)
        for name, addition in step.add.items():
            below = (*at, "add", name, "mpls_input")
            named += [((*below, i), name, dev, None) for i, dev in enumerate(addition.mpls_input)]
        found = [(place, part) for place, part in _parts(step) if isinstance(part, OnInterface)]
        named += [((*at, *place, "dev"), part.on, part.dev, part) for place, part in found]
    for place, name, dev, part in named:
        if dev not in there[name]:
            yield Fault(place, no_such(f"interface of {name}", dev, list(there[name])))
        elif part is not None and there[name][dev] not in part.kinds:
            yield Fault(place, part.why, dev)


def _parts(keys: Part, place: Place = ()) -> Iterator[tuple[Place, Part]]:
    """The parts of a step that the probes read, each with its place there."""
    for name in type(keys).model_fields:
        value = getattr(keys, name)
        if isinstance(value, Part):
            yield (*place, name), value
            yield from _parts(value, (*place, name))
        elif isinstance(value, tuple):
            yield from (((*place, name, i), item) for i, item in enumerate(value) if isinstance(item, Part))


def _interfaces(topology: Topology, name: str) -> dict[str, str]:
    """What a node has, each with its kind: lo, the ends of its links and tunnels, its taps."""
    found = {"lo": "lo"}
    for link in topology.links:
        found.update({end.dev: "tun" if link.tunnel else "link" for end in link.ends if end.node == name})
    return {**found, **{tunnel.dev: "tap" for tunnel in topology.nodes[name].openvpn}}


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
        for place, part in _parts(step):
            if not isinstance(part, FromTo):
                continue
            named = [("source", source, part.from_) for source in part.sources] + [("to", part.to, part.at_node)]
            for key, ip, node in named:
                if not node and ip not in everybodys:
                    yield Fault(("steps", i, *place, key), f"nobody has the address {ip}")
                elif node and ip not in own[node]:
                    rule = f"{ip} is no address of {node}: {several([str(one) for one in own[node]])}"
                    yield Fault(("steps", i, *place, key), rule)


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
