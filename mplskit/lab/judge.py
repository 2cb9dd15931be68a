"""Compares what a step saw with what it expects: pure, values in, checks out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mplskit.lab.capture import MPLS, Packet
from mplskit.lab.ping import parse_ping
from mplskit.lab.report import Check
from mplskit.lab.topology import Captured, Expect, Ping, Rise

Counters = Mapping[str, int]


def judge_ping(ping: Ping, expect: Expect, output: str) -> Iterable[Check]:
    """Whether the ping lost as much, and its replies had the TTL, that the step expects."""
    about = f"ping {ping.source} → {ping.to}"
    pinged = parse_ping(output)
    if pinged is None:
        yield Check(about, f"{ping.count} requests sent", _first_line(output), False)
        return
    if expect.loss is not None:
        seen = f"{pinged.loss:g} % loss ({pinged.sent} sent, {pinged.received} answered)"
        yield Check(about, f"{expect.loss} % loss", seen, pinged.sent == ping.count and pinged.loss == expect.loss)
    if expect.ttl is not None:
        ttls = Counter(pinged.ttls)
        seen = ", ".join(f"{count} × ttl={ttl}" for ttl, count in sorted(ttls.items())) or "no reply"
        yield Check(about, f"replies with ttl={expect.ttl}", seen, set(ttls) == {expect.ttl})


def judge_capture(expected: Captured, packets: Sequence[Packet]) -> Check:
    """Whether enough packets of a capture are as the step expects them."""
    matching = sum(_matches(expected, packet) for packet in packets)
    what = f"at least {expected.at_least} × {_wanted(expected)}"
    return Check(f"capture on {expected.on} {expected.dev}", what, _seen(packets), matching >= expected.at_least)


def judge_counter(rise: Rise, before: Counters, after: Counters) -> Check:
    """Whether a counter has risen by as much as the step expects."""
    about = f"counter {rise.name} of {rise.on} {rise.dev}"
    wanted = f"a rise of {rise.at_least} or more"
    if rise.name not in before or rise.name not in after:
        return Check(about, wanted, "no MPLS counters: is mpls_router loaded, and iproute2 5.19 or later?", False)
    first, last = before[rise.name], after[rise.name]
    return Check(about, wanted, f"{first} → {last}, by {last - first}", last - first >= rise.at_least)


def _matches(expected: Captured, packet: Packet) -> bool:
    if tuple(label.value for label in packet.stack) != expected.labels:
        return False
    if expected.echo is not None and (packet.ip is None or packet.ip.echo != expected.echo):
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
    elif packet.ip.echo is not None:
        words.append(f"echo {packet.ip.echo}")
    else:
        words.append(f"IP protocol {packet.ip.protocol}")
    return ", ".join(words)


def _stack(labels: tuple[int, ...]) -> str:
    return f"label {'/'.join(str(label) for label in labels)}" if labels else "no label"


def _first_line(output: str) -> str:
    return next((line for line in output.splitlines() if line.strip()), "ping said nothing")
