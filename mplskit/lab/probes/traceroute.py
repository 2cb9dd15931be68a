"""Traceroute over UDP (Linux's traceroute 2): which hops answer, in which order."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator

from mplskit.lab.evidence import Check
from mplskit.lab.probes.probe import FromTo, Look, Probe, Titled, first_line
from mplskit.node.grammar.addresses import Address
from mplskit.node.grammar.part import Part

_HOP = re.compile(r"^ *\d{1,3}  (\*|[0-9A-Fa-f.:]+)", re.MULTILINE | re.ASCII)


def _hop(text: str) -> str:
    """A hop as traceroute prints it."""
    try:
        return text if text == "*" else str(ip_address(text))
    except ValueError:
        raise ValueError('a hop is an address, or "*" where nobody answers') from None


Hop = Annotated[str, AfterValidator(_hop)]


class Traceroute(FromTo):
    """A traceroute from an address of the node `from`."""

    source: Address

    def command(self) -> list[str]:
        """The command: one probe for each TTL, one after another, no names; 3 s for an answer, 8 hops."""
        words = ["traceroute", "-n", "-q", "1", "-N", "1", "-w", "3", "-m", "8"]
        return [*words, "-s", str(self.source), str(self.to)]


class Asked(Titled):
    """In a step."""

    traceroute: Traceroute | None = None


class Expected(Part):
    """`hops` in their order, `*` where nobody answers."""

    hops: tuple[Hop, ...] | None = None


def parse_traceroute(output: str) -> tuple[str, ...]:
    """The hops: the address that answered, or `*`."""
    return tuple(_HOP.findall(output))


def judge_traceroute(asked: Traceroute, hops: Sequence[str], output: str) -> Check:
    """Whether the same hops answered, in the same order."""
    answered = parse_traceroute(output)
    seen = " ".join(answered) or first_line("traceroute", output)
    return Check(f"traceroute {asked.source} → {asked.to}", " ".join(hops), seen, tuple(hops) == answered)


def checks(look: Look, step: Asked, expect: Expected) -> Iterator[Check]:
    """A traceroute."""
    if (asked := step.traceroute) is not None:
        look.nodes.need(asked.from_, "traceroute", "traceroute")
        output = look.nodes.run(asked.from_, *asked.command()).output
        if expect.hops is not None:
            yield judge_traceroute(asked, expect.hops, output)


PROBE = Probe(Asked, Expected, checks, tries="traceroute", package="traceroute")
