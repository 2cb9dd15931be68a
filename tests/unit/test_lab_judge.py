"""What counts as seen: pings, packets and counters against what a step expects."""

from ipaddress import IPv4Address

import pytest

from mplskit.lab.evidence import Check
from mplskit.lab.pcap import Ip, Label, Packet
from mplskit.lab.probes.captures import Captured, judge_capture
from mplskit.lab.probes.counters import Rise, judge_counter
from mplskit.lab.probes.ping import Expected, Ping, judge_ping

PING = Ping.model_validate({"from": "ler-1", "source": "192.168.10.187", "to": "192.168.10.152", "count": 2})
REQUEST = Ip(IPv4Address("192.168.10.187"), IPv4Address("192.168.10.152"), 64, 1, 8)
LABELLED = Packet(0, 0x8847, (Label(101, 0, True, 64),), REQUEST)
ARP = Packet(0, 0x0806, (), None)


def printed(sent: int, ttls: list[int]) -> str:
    replies = "".join(f"64 bytes from 192.168.10.152: icmp_seq=1 ttl={ttl} time=1 ms\n" for ttl in ttls)
    return f"PING\n{replies}\n{sent} packets transmitted, {len(ttls)} received, ?% packet loss, time 1ms\n"


@pytest.mark.parametrize(
    ("expect", "output", "seen", "passed"),
    [
        (Expected(loss=100), printed(2, []), "100 % loss (2 sent, 0 answered)", True),
        (Expected(loss=100), printed(2, [63]), "50 % loss (2 sent, 1 answered)", False),
        (Expected(loss=0), printed(2, [63, 63]), "0 % loss (2 sent, 2 answered)", True),
        (Expected(loss=0), printed(1, [63]), "0 % loss (1 sent, 1 answered)", False),
        (Expected(ttl=63), printed(2, [63, 63]), "2 × ttl=63", True),
        (Expected(ttl=63), printed(2, [62, 63]), "1 × ttl=62, 1 × ttl=63", False),
        (Expected(ttl=63), printed(2, []), "no reply", False),
        (Expected(loss=0), "ping: connect: Network is unreachable\n", "ping: connect: Network is unreachable", False),
        (Expected(loss=100), "", "ping said nothing", False),
    ],
)
def test_a_ping_is_judged_by_loss_and_ttl(expect: Expected, output: str, seen: str, passed: bool) -> None:
    assert [(check.seen, check.passed) for check in judge_ping(PING, expect, [output])] == [(seen, passed)]


def captured(**wanted: object) -> Captured:
    return Captured.model_validate({"on": "ler-2", "dev": "eth0", "labels": [101], **wanted})


@pytest.mark.parametrize(
    ("wanted", "passed"),
    [
        ({}, True),
        ({"tc": 0, "ttl": 64, "bottom": True, "echo": "request"}, True),
        ({"labels": [102]}, False),
        ({"labels": [101, 102]}, False),
        ({"labels": []}, False),
        ({"tc": 1}, False),
        ({"ttl": 63}, False),
        ({"bottom": False}, False),
        ({"echo": "reply"}, False),
        ({"at_least": 2}, True),
        ({"at_least": 3}, False),
        ({"at_least": 1, "at_most": 1}, False),
        ({"at_least": 1, "at_most": 1, "or_none": True}, False),
        ({"at_least": 2, "at_most": 2, "or_none": True}, True),
        ({"labels": [102], "or_none": True}, True),
    ],
)
def test_a_capture_holds_enough_packets_that_are_as_expected(wanted: dict[str, object], passed: bool) -> None:
    assert judge_capture(captured(**wanted), [ARP, LABELLED, LABELLED]).passed is passed


def test_a_capture_says_what_was_wanted_and_what_was_there() -> None:
    wanted = captured(labels=[102], bottom=True, tc=0, ttl=64, echo="request", at_least=5)
    assert judge_capture(wanted, [ARP, LABELLED, LABELLED]) == Check(
        "capture on ler-2 eth0",
        "at least 5 × label 102, bottom of stack, TC 0, TTL 64, echo request",
        "2 × label 101, bottom of stack, TC 0, TTL 64, IP TTL 64, echo request; 1 × EtherType 0x0806",
        False,
    )


def test_unlabelled_packets_are_expected_by_an_empty_stack() -> None:
    bare = Packet(0, 0x0800, (), REQUEST)
    assert judge_capture(captured(labels=[], echo="request"), [bare]).passed
    assert not judge_capture(captured(), [bare]).passed


def test_an_empty_capture_is_said_to_be_empty() -> None:
    assert judge_capture(captured(), []).seen == "no frame at all"


@pytest.mark.parametrize(("last", "passed"), [(7, True), (8, True), (6, False), (2, False)])
def test_a_counter_is_judged_by_how_much_it_rose(last: int, passed: bool) -> None:
    rise = Rise(on="ler-2", dev="eth0", name="rx.noroute", at_least=5)
    assert judge_counter(rise, {"eth0": {"rx.noroute": 2}}, {"eth0": {"rx.noroute": last}}) == Check(
        "counter rx.noroute of ler-2 eth0", "a rise of 5 or more", f"2 → {last}, by {last - 2}", passed
    )


def test_a_counter_that_cannot_be_read_has_not_risen() -> None:
    check = judge_counter(Rise(on="ler-2", dev="eth0", name="rx.noroute"), {}, {})
    assert check.seen == "no MPLS counters: is mpls_router loaded?"
    assert not check.passed
