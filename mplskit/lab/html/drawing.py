"""The topology as a drawing: where each node and link goes, and what is written on it. Units are those of the SVG."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mplskit.lab.grammar.links import End, Link
from mplskit.lab.grammar.topology import Topology, nodes_at
from mplskit.node.grammar.addresses import IP
from mplskit.node.grammar.drops import Drop
from mplskit.node.grammar.routes import Pop, Push, Swap
from mplskit.node.grammar.spec import NodeSpec

WIDTH, ROW, LINE = 340, 150, 15
BOX = 120
LETTER = 6.6


@dataclass(frozen=True)
class Text:
    """A line of text; `kind` is a class of the style sheet, `anchor` start, middle or end."""

    x: float
    y: float
    words: str
    kind: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Box:
    """A node, by its middle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Wire:
    """A link between two boxes."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: str


@dataclass(frozen=True)
class Drawing:
    """All of it. Nodes are drawn below each other, so that it reads on a phone as on a screen."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Cable:
    """A link or a tunnel, as it is drawn."""

    ends: tuple[End, End]
    about: str
    kind: str


def draw(topology: Topology) -> Drawing:
    """The topology as it is after its last step."""
    nodes = nodes_at(topology, len(topology.steps))
    found = list(cables(topology))
    layers = _layers(list(nodes), found)
    across = max(len(layer) for layer in layers)
    operations = {node: list(_operations(spec)) for node, spec in nodes.items()}
    width = max(WIDTH, across * WIDTH) + _beside(found, layers)
    boxes: dict[str, Box] = {}
    texts: list[Text] = []
    y = 16.0
    for layer in layers:
        lines = {node: [*map(str, nodes[node].loopbacks[:3]), *_more(nodes[node])] for node in layer}
        told = {node: lines[node] + operations[node] for node in layer}
        height = 34 + LINE * max(len(told[node]) for node in layer)
        for index, node in enumerate(layer):
            x = width * (2 * index + 1) / (2 * len(layer)) if len(layer) > 1 else width / 2
            longest = max(len(line) for line in [node, *told[node]])
            boxes[node] = Box(x, y + height / 2, max(BOX, longest * LETTER + 20), height)
            texts.append(Text(x, y + 20, node, "node"))
            for number, line in enumerate(told[node]):
                kind = "loopback" if number < len(lines[node]) else "operation"
                texts.append(Text(x, y + 38 + number * LINE, line, kind))
        y += height + ROW
    wires, on_wires = _wires(found, boxes, nodes, topology, width)
    return Drawing(width, y - ROW + 16, tuple(boxes.values()), tuple(wires), (*texts, *on_wires))


def cables(topology: Topology) -> Iterator[Cable]:
    """The links, and the tunnels that two nodes have an end of."""
    for link in topology.links:
        yield Cable(link.ends, ", ".join(_about(link)), "tunnel" if link.tunnel else "link")
    ends = [
        End.model_validate({"node": node, "dev": vpn.dev, "address": str(vpn.address)})
        for node, spec in topology.nodes.items()
        for vpn in spec.openvpn
    ]
    for index, end in enumerate(ends):
        for other in ends[index + 1 :]:
            if other.address.network == end.address.network:
                yield Cable((end, other), "OpenVPN (tap)", "tunnel")


def labels_towards(nodes: Mapping[str, NodeSpec], cable: Cable, near: End) -> list[str]:
    """What packets carry that go over a cable from its end `near`: stacks, or `no label` behind a penultimate pop."""
    far = cable.ends[1] if near is cable.ends[0] else cable.ends[0]
    stacks = [stack for route in nodes[near.node].routes for stack in _sent(route, far.address.ip)]
    return list(dict.fromkeys(stacks))


def _sent(route: Push | Swap | Pop | Drop, far: IP) -> Iterator[str]:
    for hop in route.hops:
        if hop.via == far:
            stack = getattr(hop, "push", None) or getattr(hop, "as_", None)
            yield "/".join(str(label) for label in stack) if stack else "no label"


def _operations(spec: NodeSpec) -> Iterator[str]:
    """What a node does with labels, in the field's words; several of the same kind in one line."""
    for route in spec.routes:
        if isinstance(route, Push):
            stacks = dict.fromkeys("/".join(map(str, hop.push or ())) for hop in route.hops)
            yield f"push {' or '.join(stacks)}: {route.to.network_address}"
        elif isinstance(route, Swap):
            stacks = dict.fromkeys("/".join(map(str, hop.as_ or ())) for hop in route.hops)
            yield f"swap {route.swap} → {' or '.join(stacks)}"
        elif isinstance(route, Pop):
            yield f"pop {route.pop}" + (
                "" if route.dev == "lo" else " and send on" if route.hops else f" into {route.dev}"
            )
        else:
            yield f"drop {route.to.network_address}"


def _more(spec: NodeSpec) -> list[str]:
    return [f"and {len(spec.loopbacks) - 3} more"] if len(spec.loopbacks) > 3 else []


def _about(link: Link) -> Iterator[str]:
    if link.tunnel:
        yield "OpenVPN (tun)"
    if link.mtu != 1500:
        yield f"MTU {link.mtu}"
    if link.delay:
        yield f"{link.delay:g} ms"
    if link.loss:
        yield f"{link.loss:g} % loss"
    if not link.offload:
        yield "no offload"


def _layers(names: list[str], found: list[Cable]) -> list[list[str]]:
    """The nodes by their distance from the first; those that nothing leads to come last."""
    near: dict[str, list[str]] = {name: [] for name in names}
    for cable in found:
        first, second = (end.node for end in cable.ends)
        near[first].append(second)
        near[second].append(first)
    left, layers, layer = list(names), [], names[:1]
    while left:
        layer = layer or left[:1]
        layers.append(layer)
        left = [name for name in left if name not in layer]
        layer = [name for name in left if any(name in near[other] for other in layer)]
    return layers


def _beside(found: list[Cable], layers: list[list[str]]) -> float:
    """Room for cables that lie beside each other."""
    pairs = [frozenset(end.node for end in cable.ends) for cable in found]
    most = max((pairs.count(pair) for pair in pairs), default=1)
    return (most - 1) * 50.0


def _wires(
    found: list[Cable], boxes: Mapping[str, Box], nodes: Mapping[str, NodeSpec], topology: Topology, width: float
) -> tuple[list[Wire], list[Text]]:
    wires: list[Wire] = []
    texts: list[Text] = []
    pairs = [frozenset(end.node for end in cable.ends) for cable in found]
    for number, cable in enumerate(found):
        same = [index for index, pair in enumerate(pairs) if pair == pairs[number]]
        if len({boxes[end.node].y for end in cable.ends}) == 1:
            wire, words = _level(cable, boxes, nodes, (same.index(number) - (len(same) - 1) / 2) * 90)
            wires.append(wire)
            texts += words
            continue
        upper, lower = sorted(cable.ends, key=lambda end: boxes[end.node].y)
        top, bottom = boxes[upper.node], boxes[lower.node]
        shift = (same.index(number) - (len(same) - 1) / 2) * 80
        x1, x2 = top.x + shift, bottom.x + shift
        y1, y2 = top.y + top.height / 2, bottom.y - bottom.height / 2
        if abs(shift) > min(top.width, bottom.width) / 2 - 10:
            reach = min(top.width, bottom.width) / 2 - 14
            x1 = top.x + max(-reach, min(reach, shift))
            x2 = bottom.x + max(-reach, min(reach, shift))
        wires.append(Wire(x1, y1, x2, y2, cable.kind))
        side = _side(len(same), same.index(number), top.x != bottom.x, (x1 + x2) / 2 < width / 2)
        texts += _written(cable, upper, lower, (x1, y1, x2, y2), side, nodes)
    return wires, texts


def _level(
    cable: Cable, boxes: Mapping[str, Box], nodes: Mapping[str, NodeSpec], shift: float
) -> tuple[Wire, list[Text]]:
    """A cable between nodes that stand beside each other: what the left end sends is above it, the other way below."""
    left, right = sorted(cable.ends, key=lambda end: boxes[end.node].x)
    x1 = boxes[left.node].x + boxes[left.node].width / 2
    x2 = boxes[right.node].x - boxes[right.node].width / 2
    x, y = (x1 + x2) / 2, boxes[left.node].y + shift
    there, back = labels_towards(nodes, cable, left), labels_towards(nodes, cable, right)
    texts = [
        Text(x, y - 8, f"{left.dev} {left.address}", "address"),
        Text(x, y + 18, f"{right.dev} {right.address}", "address"),
    ]
    texts += [Text(x, y - 25, f"→ {', '.join(there)}", "label")] if there else []
    texts += [Text(x, y + 35, f"← {', '.join(back)}", "label")] if back else []
    texts += [Text(x, y + 52, cable.about, "about")] if cable.about else []
    return Wire(x1, y, x2, y, cable.kind), texts


def _side(many: int, index: int, slopes: bool, is_left: bool) -> str:
    """On which side of a wire its words stand: outwards where there are two wires or the wire is not upright."""
    if many > 1:
        return "end" if index == 0 else "start"
    return "end" if slopes and is_left else "start"


def _written(
    cable: Cable,
    upper: End,
    lower: End,
    at: tuple[float, float, float, float],
    anchor: str,
    nodes: Mapping[str, NodeSpec],
) -> Iterator[Text]:
    x1, y1, x2, y2 = at
    sign = 1 if anchor == "start" else -1

    def text(part: float, words: str, kind: str) -> Text:
        return Text(x1 + (x2 - x1) * part + sign * 10, y1 + (y2 - y1) * part + 4, words, kind, anchor)

    yield text(0.10, f"{upper.dev} {upper.address}", "address")
    down, up = labels_towards(nodes, cable, upper), labels_towards(nodes, cable, lower)
    if down:
        yield text(0.32, f"↓ {', '.join(down)}", "label")
    if cable.about:
        yield text(0.50, cable.about, "about")
    if up:
        yield text(0.68, f"↑ {', '.join(up)}", "label")
    yield text(0.90, f"{lower.dev} {lower.address}", "address")
