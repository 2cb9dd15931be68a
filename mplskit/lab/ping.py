"""Reads what iputils' ping prints."""

import re
from dataclasses import dataclass

_STATISTICS = re.compile(r"^(\d{1,9}) packets transmitted, (\d{1,9}) received,.* packet loss", re.MULTILINE | re.ASCII)
_REPLY = re.compile(r"^\d+ bytes from .*\bttl=(\d{1,3})\b", re.MULTILINE | re.ASCII)


@dataclass(frozen=True)
class Pinged:
    """How many requests were sent, how many answers came, and the TTL (hop limit) of each answer."""

    sent: int
    received: int
    ttls: tuple[int, ...]

    @property
    def loss(self) -> float:
        """Lost answers in percent."""
        return 100 * (self.sent - self.received) / self.sent


def parse_ping(output: str) -> Pinged | None:
    """What a ping saw; None when it did not get as far as sending."""
    numbers = _STATISTICS.search(output)
    if numbers is None or int(numbers[1]) == 0:
        return None
    return Pinged(int(numbers[1]), int(numbers[2]), tuple(int(ttl) for ttl in _REPLY.findall(output)))
