"""Reads what iputils' ping prints."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STATISTICS = re.compile(r"^(\d{1,9}) packets transmitted, (\d{1,9}) received,.* packet loss", re.MULTILINE | re.ASCII)
_ERROR = re.compile(r"^(?:ping: |From \S+ .*?icmp_seq=\d+ )(.+)$", re.MULTILINE | re.ASCII)
_REPLY = re.compile(r"^\d+ bytes from .*\bttl=(\d{1,3})\b", re.MULTILINE | re.ASCII)


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
