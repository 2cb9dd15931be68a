"""What iputils' ping printed, to numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.lab.probes.ping import Pinged, parse_ping, together

ANSWERED = """\
PING 192.168.10.152 (192.168.10.152) from 192.168.10.187 : 56(84) bytes of data.
64 bytes from 192.168.10.152: icmp_seq=1 ttl=63 time=2.57 ms
64 bytes from 192.168.10.152: icmp_seq=2 ttl=62 time=0.480 ms

--- 192.168.10.152 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 205ms
rtt min/avg/max/mdev = 0.480/1.526/2.573/1.046 ms
"""
LOST = """\
PING 192.168.10.152 (192.168.10.152) from 192.168.10.187 : 56(84) bytes of data.

--- 192.168.10.152 ping statistics ---
5 packets transmitted, 0 received, 100% packet loss, time 824ms

"""
UNREACHABLE = """\
PING 10.0.0.9 (10.0.0.9) 56(84) bytes of data.
From 10.0.0.1 icmp_seq=1 Destination Host Unreachable

--- 10.0.0.9 ping statistics ---
3 packets transmitted, 0 received, +1 errors, 100% packet loss, time 2040ms
"""


@pytest.mark.parametrize(
    ("output", "pinged", "loss"),
    [
        (ANSWERED, Pinged(2, 2, (63, 62)), 0),
        (LOST, Pinged(5, 0, ()), 100),
        (UNREACHABLE, Pinged(3, 0, (), ("Destination Host Unreachable",)), 100),
    ],
)
def test_a_ping_gives_sent_received_and_the_ttl_of_each_reply(output: str, pinged: Pinged, loss: float) -> None:
    assert parse_ping(output) == pinged
    assert pinged.loss == loss


@pytest.mark.parametrize(
    "output",
    [
        "",
        "ping: bind: Cannot assign requested address\n",
        "ping: connect: Network is unreachable\n",
        "0 packets transmitted, 0 received, \n",
    ],
)
def test_a_ping_that_sent_nothing_gives_nothing(output: str) -> None:
    assert parse_ping(output) is None


TOO_LONG = """\
PING 192.168.10.152 (192.168.10.152) from 192.168.10.187 : 1469(1497) bytes of data.
ping: local error: message too long, mtu=1496
ping: local error: message too long, mtu=1496

--- 192.168.10.152 ping statistics ---
2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 205ms
"""


def test_what_ping_complains_of_is_told_once() -> None:
    assert parse_ping(TOO_LONG) == Pinged(2, 0, (), ("local error: message too long, mtu=1496",))


def test_several_pings_are_counted_together() -> None:
    assert together([Pinged(2, 2, (63, 62)), Pinged(3, 0, (), ("lost",))]) == Pinged(5, 2, (63, 62), ("lost",))


@given(st.lists(st.integers(1, 255), max_size=9), st.integers(0, 9), st.integers(0, 3))
def test_every_reply_is_counted(ttls: list[int], lost: int, errors: int) -> None:
    sent = len(ttls) + lost
    replies = [f"64 bytes from fd00::2: icmp_seq={i} ttl={ttl} time=0.1 ms" for i, ttl in enumerate(ttls, 1)]
    more = f", +{errors} errors" if errors else ""
    total = (
        f"{sent} packets transmitted, {len(ttls)} received{more}, {100 * lost / max(sent, 1):g}% packet loss, time 1ms"
    )
    expected = Pinged(sent, len(ttls), tuple(ttls)) if sent else None
    assert parse_ping("\n".join(["PING fd00::2", *replies, "", "--- fd00::2 ---", total, ""])) == expected


@given(st.text())
def test_no_text_stops_the_reader(text: str) -> None:
    parse_ping(text)
