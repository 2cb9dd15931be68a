"""The MPLS counters of interfaces, as `ip stats show … subgroup mpls` and the older `ip link afstats` print them."""

import re
import shlex
from collections.abc import Mapping

NAMES = tuple(f"rx.{name}" for name in ("packets", "bytes", "errors", "dropped", "noroute")) + tuple(
    f"tx.{name}" for name in ("packets", "bytes", "errors", "dropped")
)
# The kernel counts in 64 bits.
NUMBERS = re.compile(r" *[0-9]{1,20}(?: +[0-9]{1,20})* *")

# What a rise of one says of an interface (net/mpls/af_mpls.c).
MEANINGS = {
    "rx.dropped": "labelled packets came in where they are not accepted: net.mpls.conf.IF.input is 0",
    "rx.noroute": "labelled packets came in whose label has no route",
    "rx.errors": "labelled packets came in that cannot go on: a TTL of 1, a frame for another machine",
    "tx.errors": "labelled packets did not fit the MTU, or the interface was down",
    "tx.dropped": "labelled packets were not taken by the interface",
}
OF_LO = {
    "rx.dropped": "packets were popped to lo and had a label left, and lo accepts none: net.mpls.conf.lo.input is 0",
    "tx.errors": "packets were popped to lo, and lo is down",
}


def meaning(dev: str, name: str) -> str:
    """What it says when a counter of an interface rises; nothing when that is as it should be."""
    return (OF_LO if dev == "lo" else {}).get(name) or MEANINGS.get(name, "").replace("IF", dev)


def command(ip: str = "ip") -> str:
    """A line of shell that prints those of every interface. iproute2 before 5.19 has the second alone, and no JSON."""
    ip = shlex.quote(ip)
    return f"{ip} stats show group afstats subgroup mpls 2>/dev/null || {ip} link afstats"


def parse(text: str) -> Mapping[str, Mapping[str, int]]:
    """Interface -> its counters by the names of NAMES, for each that MPLS runs on; none where `ip` shows none."""
    found: dict[str, dict[str, int]] = {}
    dev, way, names = "", "", list[str]()
    for line in text.splitlines():
        if begin := re.match(r"\d+: ?([^\s:@]+)", line):
            dev, names = begin[1], []
        elif head := re.match(r"\s+(RX|TX): (.*)", line):
            way, names = head[1].lower(), head[2].split()
        elif dev and names and NUMBERS.fullmatch(line):
            values = zip(names, map(int, line.split()), strict=False)
            found.setdefault(dev, {}).update({f"{way}.{name}": value for name, value in values})
            names = []
    return found
