"""Compares what a step saw with what it expects: pure, values in, checks out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mplskit.lab.grammar.steps import Captured, Expect, Logged, Ping, Rate, Rise, Table, Throughput, Traceroute
from mplskit.lab.probes.pcap import MPLS, Packet
from mplskit.lab.probes.ping import parse_ping, together
from mplskit.lab.probes.tables import lines_with
from mplskit.lab.probes.traceroute import parse_traceroute as output_hops
from mplskit.lab.report import Check

Counters = Mapping[str, Mapping[str, int]]


def judge_ping(ping: Ping, expect: Expect, outputs: Sequence[str]) -> Iterable[Check]:
    """Whether the pings, one from each source, lost as much, were answered and complained as the step expects."""
    source = str(ping.source[0]) if len(ping.source) == 1 else f"{len(ping.source)} sources"
    about = f"ping {source} → {ping.to}" + (f", {ping.size} bytes" if ping.size else "")
    read = [parse_ping(output) for output in outputs]
    if None in read:
        said = _first_line(outputs[read.index(None)])
        yield Check(about, f"{ping.count} requests sent", said, False)
        return
    pinged = together([one for one in read if one is not None])
    complaint = f": {'; '.join(pinged.errors[:2])}" if pinged.errors else ""
    if expect.loss is not None:
        seen = f"{pinged.loss:g} % loss ({pinged.sent} sent, {pinged.received} answered){complaint}"
        all_sent = pinged.sent == ping.count * len(ping.source)
        yield Check(about, f"{expect.loss} % loss", seen, all_sent and round(pinged.loss) == expect.loss)
    if expect.ttl is not None:
        ttls = Counter(pinged.ttls)
        seen = ", ".join(f"{count} × ttl={ttl}" for ttl, count in sorted(ttls.items())) or f"no reply{complaint}"
        yield Check(about, f"replies with ttl={expect.ttl}", seen, set(ttls) == {expect.ttl})
    if expect.error is not None:
        seen = "; ".join(pinged.errors) or "ping had nothing to complain of"
        yield Check(about, f"ping says {expect.error!r}", seen, any(expect.error in error for error in pinged.errors))


def judge_traceroute(wanted: Traceroute, hops: Sequence[str], output: str) -> Check:
    """Whether the same hops answered, in the same order."""
    seen = " ".join(output_hops(output)) or _first_line(output)
    expected = " ".join(hops)
    return Check(f"traceroute {wanted.source} → {wanted.to}", expected, seen, tuple(hops) == output_hops(output))


def judge_rate(
    wanted: Throughput, rate: Rate, seen: float | None, said: str, earlier: Mapping[str, float | None]
) -> Check:
    """Whether TCP was as fast as the step expects; an earlier step that was left out (None) is not compared with."""
    rules = [
        *([f"at least {rate.at_least:g} Mbit/s"] if rate.at_least is not None else []),
        *([f"at most {rate.at_most:g} Mbit/s"] if rate.at_most is not None else []),
    ]
    passed = seen is not None
    if seen is not None:
        passed = (rate.at_least is None or seen >= rate.at_least) and (rate.at_most is None or seen <= rate.at_most)
    told = f"{seen:g} Mbit/s" if seen is not None else said
    if rate.of is not None and rate.times is not None:
        rules.append(f"{rate.times:g} times that of “{rate.of}”")
        there = earlier.get(rate.of)
        if there is not None:
            told += f"; {there:g} Mbit/s there"
            passed = passed and seen is not None and seen >= rate.times * there
        elif rate.of in earlier:
            told += "; that one was left out"
        else:
            told += "; nothing was measured there"
            passed = False
    return Check(f"TCP {wanted.source} → {wanted.to}", ", ".join(rules), told, passed)


def judge_table(wanted: Table, output: str) -> Check:
    """Whether a node has, or lacks, such a route."""
    words = wanted.has or wanted.lacks or ""
    found = lines_with(output, words)
    return Check(
        f"routes of {wanted.on}",
        words if wanted.has else f"none with {words}",
        "; ".join(found) or f"none with {words}",
        bool(found) is (wanted.has is not None),
    )


def judge_log(wanted: Logged, text: str) -> Check:
    """Whether OpenVPN has logged that."""
    found = [line for line in text.splitlines() if wanted.text in line]
    last = text.splitlines()[-1] if text.strip() else "nothing"
    about = f"log of OpenVPN on {wanted.on} {wanted.dev}"
    return Check(about, f"a line with {wanted.text!r}", f"{len(found)} × {found[-1]}" if found else last, bool(found))


def judge_capture(expected: Captured, packets: Sequence[Packet]) -> Check:
    """Whether enough packets of a capture are as the step expects them."""
    matching = sum(_matches(expected, packet) for packet in packets)
    most = expected.at_most
    what = f"{_how_many(expected.at_least, most)} × {_wanted(expected)}" + (", or none" if expected.or_none else "")
    passed = matching >= expected.at_least and (most is None or matching <= most)
    passed = passed or (expected.or_none and matching == 0)
    return Check(f"capture on {expected.on} {expected.dev}", what, _seen(packets), passed)


def judge_counter(rise: Rise, before: Counters, after: Counters) -> Check:
    """Whether a counter has risen by as much as the step expects."""
    about = f"counter {rise.name} of {rise.on} {rise.dev}"
    wanted = f"a rise of {rise.at_least} or more"
    first, last = (known.get(rise.dev, {}).get(rise.name) for known in (before, after))
    if first is None or last is None:
        return Check(about, wanted, "no MPLS counters: is mpls_router loaded?", False)
    return Check(about, wanted, f"{first} → {last}, by {last - first}", last - first >= rise.at_least)


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


def _first_line(output: str) -> str:
    return next((line for line in output.splitlines() if line.strip()), "ping said nothing")
