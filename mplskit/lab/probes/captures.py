"""Captures by tcpdump while something is tried: how many frames with which label stacks passed an interface."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mplskit.files import write_atomically
from mplskit.lab.evidence import Check, Undone
from mplskit.lab.pcap import MPLS, Packet, read_pcap
from mplskit.lab.probes.probe import Look, Nodes, OnInterface, OnNode, Probe, Titled
from mplskit.node.grammar.addresses import InterfaceName
from mplskit.node.grammar.part import Part, RuledPart
from mplskit.yaml.spec_file import Fault

# Whole frames of up to 9216 bytes, and a buffer of 16 MiB: about a thousand frames may wait to be read.
ROOM = ("-s", "9216", "-B", "16384")

Ttl = Annotated[int, Field(strict=True, ge=0, le=255)]


class Capture(OnInterface):
    """Frames of one interface during the step: those that arrive (`in`), that leave (`out`), or both."""

    kinds: ClassVar = ("lo", "link", "tap")
    why: ClassVar = "a tun has no Ethernet frames: captures are read on links and taps"

    direction: Literal["in", "out", "inout"] = "inout"


class Captured(OnNode, RuledPart):
    """Packets that must be in a capture. `tc`, `ttl` and `bottom` are the top label's; what is left out may be any.

    `ip_ttl` is the TTL (hop limit) of the IP header. With `or_none` there may be none of them at all, too.
    """

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

    def faults(self) -> Iterator[Fault]:
        """What proves nothing."""
        if not self.labels:
            for key in ("bottom", "tc", "ttl"):
                if getattr(self, key) is not None:
                    yield Fault((key,), "is the top label's, and there is none; ip_ttl is that of the IP header")
        if self.at_least == 0 and self.at_most is None:
            yield Fault(("at_least",), "0 or more are always there: at_most is missing", "0")


class Asked(Titled):
    """In a step."""

    capture: tuple[Capture, ...] = ()


class Expected(Part):
    """What must be in them."""

    captured: tuple[Captured, ...] = ()


@dataclass(frozen=True)
class Running:
    """A capture under way: its process id on the machine, and the file there that it writes."""

    capture: Capture
    pid: str
    file: str


def start(nodes: Nodes, capture: Capture) -> Running:
    """Start a capture, and wait until it really captures. Raises Undone."""
    file = f"{nodes.home(capture.on)}/{capture.dev}.pcap"
    tcpdump = ["tcpdump", "-n", "-U", "--immediate-mode", *ROOM, "-Z", "root"]
    tcpdump += ["-i", capture.dev, "-Q", capture.direction, "-w", file]
    said = nodes.script(capture.on, "capture", file, *tcpdump)
    *_, pid = said.split() or [""]
    if not pid.isdecimal():
        raise Undone(f"{capture.on}: no process of tcpdump is named", said)
    return Running(capture, pid, file)


def stop(nodes: Nodes, running: Running) -> bytes:
    """Stop a capture when it has caught up, and return the pcap. Raises Undone."""
    nodes.script(running.capture.on, "stop", running.pid, running.file)
    return nodes.read(running.capture.on, running.file)


def judge_capture(expected: Captured, packets: Sequence[Packet]) -> Check:
    """Whether enough packets of a capture are as the step expects them."""
    matching = sum(_matches(expected, packet) for packet in packets)
    most = expected.at_most
    what = f"{_how_many(expected.at_least, most)} × {_wanted(expected)}" + (", or none" if expected.or_none else "")
    passed = matching >= expected.at_least and (most is None or matching <= most)
    passed = passed or (expected.or_none and matching == 0)
    return Check(f"capture on {expected.on} {expected.dev}", what, _seen(packets), passed)


def _how_many(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least}"
    return f"exactly {most}" if most == least else f"{least} to {most}"


def _matches(expected: Captured, packet: Packet) -> bool:
    if tuple(label.value for label in packet.stack) != expected.labels:
        return False
    if expected.echo is not None and (packet.ip is None or packet.ip.echo != expected.echo):
        return False
    if expected.ip_ttl is not None and (packet.ip is None or packet.ip.ttl != expected.ip_ttl):
        return False
    if not packet.stack:
        return packet.ip is not None
    top = packet.stack[0]
    return expected.bottom in (None, top.bottom) and expected.tc in (None, top.tc) and expected.ttl in (None, top.ttl)


def _wanted(expected: Captured) -> str:
    words = [
        _stack(expected.labels),
        "" if expected.bottom is None else "bottom of stack" if expected.bottom else "not bottom of stack",
        "" if expected.tc is None else f"TC {expected.tc}",
        "" if expected.ttl is None else f"TTL {expected.ttl}",
        "" if expected.ip_ttl is None else f"IP TTL {expected.ip_ttl}",
        "" if expected.echo is None else f"echo {expected.echo}",
    ]
    return ", ".join(word for word in words if word)


def _seen(packets: Sequence[Packet]) -> str:
    """The kinds of frames in a capture, the most frequent first."""
    kinds = Counter(_kind(packet) for packet in packets)
    return "; ".join(f"{count} × {kind}" for kind, count in kinds.most_common(5)) or "no frame at all"


def _kind(packet: Packet) -> str:
    words = []
    if packet.ethertype in MPLS:
        words.append(_stack(tuple(label.value for label in packet.stack)))
    if packet.stack:
        top = packet.stack[0]
        words += ["bottom of stack" if top.bottom else "not bottom of stack", f"TC {top.tc}", f"TTL {top.ttl}"]
    if packet.ip is None:
        words.append("no IP" if words else f"EtherType 0x{packet.ethertype:04x}")
    else:
        if not packet.stack:
            words.append("no label")
        words.append(f"IP TTL {packet.ip.ttl}")
        words.append(f"echo {packet.ip.echo}" if packet.ip.echo is not None else f"IP protocol {packet.ip.protocol}")
    return ", ".join(words)


def _stack(labels: tuple[int, ...]) -> str:
    return f"label {'/'.join(str(label) for label in labels)}" if labels else "no label"


def faults(step: Asked, expect: Expected, earlier: Sequence[Titled]) -> Iterator[Fault]:
    """Each interface is captured once, and what is expected is captured."""
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


def checks(look: Look, step: Asked, expect: Expected) -> Iterator[Check]:
    """One tcpdump for each; the frames are kept as PREFIX.NODE.DEV.pcap."""
    return _ended(look, [start(look.nodes, capture) for capture in step.capture], expect)


def _ended(look: Look, captures: Sequence[Running], expect: Expected) -> Iterator[Check]:
    packets: dict[tuple[str, str], tuple[Packet, ...]] = {}
    for running in captures:
        capture = running.capture
        file = look.folder / f"{look.prefix}.{capture.on}.{capture.dev}.pcap"
        write_atomically(file, stop(look.nodes, running))
        packets[capture.on, capture.dev] = read_pcap(file.read_bytes(), str(file))
        look.files.append(file.name)
    yield from (judge_capture(item, packets[item.on, item.dev]) for item in expect.captured)


PROBE = Probe(Asked, Expected, checks, faults, package="tcpdump")
