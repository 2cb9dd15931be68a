"""Ping (iputils): echo requests from addresses of a node; what is lost, answered and complained of."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from mplskit.lab.evidence import Check
from mplskit.lab.probes.probe import FromTo, Look, Probe, Titled, first_line
from mplskit.node.grammar.addresses import Address
from mplskit.node.grammar.part import Part
from mplskit.yaml.spec_file import Fault

# A ping that is never answered takes count × interval + the wait for the last one; an emulated machine is slow.
INTERVAL, WAIT, PATIENCE = 0.2, 2, 120
_STATISTICS = re.compile(r"^(\d{1,9}) packets transmitted, (\d{1,9}) received,.* packet loss", re.MULTILINE | re.ASCII)
_ERROR = re.compile(r"^(?:ping: |From \S+ .*?icmp_seq=\d+ )(.+)$", re.MULTILINE | re.ASCII)
_REPLY = re.compile(r"^\d+ bytes from .*\bttl=(\d{1,3})\b", re.MULTILINE | re.ASCII)

Sources = Annotated[
    tuple[Address, ...], BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,))
]


class Ping(FromTo):
    """`count` echo requests from each address in `source`, of the node `from`.

    `size` is that of the whole IP packet in bytes; without `fragment` it has the DF bit. `ttl` is that of the request.
    """

    source: Sources
    count: Annotated[int, Field(strict=True, ge=1, le=1000)] = 5
    size: Annotated[int, Field(strict=True, ge=48, le=65535)] | None = None
    fragment: Annotated[bool, Field(strict=True)] = True
    ttl: Annotated[int, Field(strict=True, ge=1, le=255)] | None = None

    def faults(self) -> Iterator[Fault]:
        """What cannot be tried."""
        if not self.source:
            yield Fault(("source",), "should name at least one address")
        yield from super().faults()

    def command(self, source: str) -> list[str]:
        """The command for one of the sources."""
        header = 28 if self.to.version == 4 else 48  # of IP and ICMP, before the payload
        words = ["ping", "-n", "-c", str(self.count), "-i", str(INTERVAL), "-W", str(WAIT), "-I", source]
        words += ["-s", str(self.size - header)] if self.size else []
        words += [] if self.fragment else ["-M", "do"]
        words += ["-t", str(self.ttl)] if self.ttl else []
        return [*words, str(self.to)]


class Asked(Titled):
    """In a step."""

    ping: Ping | None = None


class Expected(Part):
    """`loss` in percent, `ttl` of the replies, `error`: words that ping itself says."""

    loss: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    ttl: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    error: Annotated[str, Field(min_length=1)] | None = None


@dataclass(frozen=True)
class Pinged:
    """How many requests were sent, how many answers came, their TTLs (hop limits), and what else was said."""

    sent: int
    received: int
    ttls: tuple[int, ...]
    errors: tuple[str, ...] = ()

    @property
    def loss(self) -> float:
        """Lost answers in percent."""
        return 100 * (self.sent - self.received) / self.sent


def parse_ping(output: str) -> Pinged | None:
    """What a ping saw; None when it did not get as far as sending."""
    numbers = _STATISTICS.search(output)
    if numbers is None or int(numbers[1]) == 0:
        return None
    errors = tuple(dict.fromkeys(_ERROR.findall(output)))
    return Pinged(int(numbers[1]), int(numbers[2]), tuple(int(ttl) for ttl in _REPLY.findall(output)), errors)


def together(pings: Sequence[Pinged]) -> Pinged:
    """Several pings as one."""
    return Pinged(
        sum(ping.sent for ping in pings),
        sum(ping.received for ping in pings),
        tuple(ttl for ping in pings for ttl in ping.ttls),
        tuple(dict.fromkeys(error for ping in pings for error in ping.errors)),
    )


def judge_ping(ping: Ping, expect: Expected, outputs: Sequence[str]) -> Iterator[Check]:
    """Whether the pings, one from each source, lost as much, were answered and complained as the step expects."""
    source = str(ping.source[0]) if len(ping.source) == 1 else f"{len(ping.source)} sources"
    about = f"ping {source} → {ping.to}" + (f", {ping.size} bytes" if ping.size else "")
    read = [parse_ping(output) for output in outputs]
    if None in read:
        said = first_line("ping", outputs[read.index(None)])
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


def checks(look: Look, step: Asked, expect: Expected) -> Iterator[Check]:
    """A ping from each source, one after another."""
    if (ping := step.ping) is not None:
        timeout = ping.count * (INTERVAL + WAIT) + PATIENCE
        ran = [look.nodes.run(ping.from_, *ping.command(str(source)), timeout=timeout) for source in ping.source]
        yield from judge_ping(ping, expect, [answer.output for answer in ran])


PROBE = Probe(Asked, Expected, checks, tries="ping", package="iputils-ping")
