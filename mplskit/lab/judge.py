"""Compares what a step saw with what it expects: pure, values in, checks out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mplskit.lab.capture import Label, Packet
from mplskit.lab.ping import Pinged
from mplskit.lab.report import Check
from mplskit.lab.topology import Captured, Expect, Ping, Rise

Interface = tuple[str, str]
Counters = Mapping[str, int]


def judge_ping(ping: Ping, expect: Expect, output: str) -> Iterable[Check]:
    """Whether the ping lost as much, and its replies had the TTL, that the step expects."""
    about = f"ping {ping.source} → {ping.to}"
    pinged = parse(output)
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
    what = f"≥ {expected.at_least} × {_wanted(expected)}"
    return Check(f"capture on {expected.on} {expected.dev}", what, _seen(packets), matching >= expected.at_least)


def judge_counter(rise: Rise, before: Counters, after: Counters) -> Check:
    """Whether a counter has risen by as much as the step expects."""
    about = f"counter {rise.name} of {rise.on} {rise.dev}"
    wanted = f"rises by ≥ {rise.at_least}"
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
        return True
    top = packet.stack[0]
    return (
        expected.bottom in (None, top.bottom)
        and expected.tc in (None, top.tc)
        and expected.ttl in (None, top.ttl)
    )
