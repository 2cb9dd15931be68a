"""Reads what traceroute prints (Linux's traceroute 2, `-n -q 1`)."""

import re

_HOP = re.compile(r"^ *\d{1,3}  (\*|[0-9A-Fa-f.:]+)", re.MULTILINE | re.ASCII)


def command(source: str, to: str) -> list[str]:
    """The command: one probe for each TTL, one after another, no names; 3 s for an answer, 8 hops."""
    return ["traceroute", "-n", "-q", "1", "-N", "1", "-w", "3", "-m", "8", "-s", source, to]


def parse_traceroute(output: str) -> tuple[str, ...]:
    """The hops: the address that answered, or `*`."""
    return tuple(_HOP.findall(output))
