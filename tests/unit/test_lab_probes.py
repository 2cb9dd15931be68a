"""What traceroute, iperf3 and `ip route` printed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.lab.probes import PROBES
from mplskit.lab.probes.route_tables import Table, judge_table, lines_with
from mplskit.lab.probes.throughput import Rate, Throughput, judge_rate, parse_iperf
from mplskit.lab.probes.traceroute import parse_traceroute

TRACED = """\
traceroute to 192.168.24.2 (192.168.24.2), 8 hops max, 60 byte packets
 1  *
 2  10.0.0.1  0.512 ms
 3  192.168.24.2  1.034 ms
"""
ROUTES = """\
101 as to 201 via inet 10.10.2.1 dev eth1 proto 77
192.168.10.152  encap mpls  101 via 10.10.0.152 dev eth0 proto 77
"""
MEASURED = {"end": {"sum_received": {"bits_per_second": 22_812_345.6}}}
WANTED = Throughput.model_validate({"from": "a", "source": "10.0.0.1", "at": "b", "to": "10.0.0.2"})


def test_the_hops_of_a_traceroute_are_addresses_and_stars() -> None:
    assert parse_traceroute(TRACED) == ("*", "10.0.0.1", "192.168.24.2")


@pytest.mark.parametrize(
    ("output", "result"),
    [
        (json.dumps(MEASURED), (22.8, "")),
        ('{"error": "unable to connect to server"}', (None, "unable to connect to server")),
        ("iperf3: error - no route\n", (None, "iperf3: error - no route")),
        ("", (None, "iperf3 said nothing")),
        ("[]", (None, "[]")),
    ],
)
def test_a_throughput_is_what_arrived_in_mbit_a_second(output: str, result: tuple[float | None, str]) -> None:
    assert parse_iperf(output) == result


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("101 as to 201", 1),
        ("192.168.10.152 encap mpls 101 via 10.10.0.152", 1),
        ("101 via", 1),
        ("101", 2),
        ("10 as to 201", 0),
        ("101 dev lo", 0),
    ],
)
def test_words_are_looked_for_one_after_another_in_one_line(words: str, found: int) -> None:
    assert len(lines_with(ROUTES, words)) == found


def test_a_route_is_there_or_is_not() -> None:
    assert judge_table(Table(on="lsr", has="101 as to 201"), ROUTES).passed
    assert not judge_table(Table(on="lsr", has="101 dev lo"), ROUTES).passed
    assert judge_table(Table(on="lsr", lacks="101 dev lo"), ROUTES).passed
    assert not judge_table(Table(on="lsr", lacks="101 as to 201"), ROUTES).passed


@pytest.mark.parametrize(
    ("rate", "seen", "earlier", "passed"),
    [
        (Rate(at_least=50), 60.0, {}, True),
        (Rate(at_least=50), 40.0, {}, False),
        (Rate(at_most=50), 60.0, {}, False),
        (Rate(times=4, of="slow"), 100.0, {"slow": 25.0}, True),
        (Rate(times=4, of="slow"), 99.0, {"slow": 25.0}, False),
        (Rate(times=4, of="slow"), 1.0, {"slow": None}, True),
        (Rate(times=4, of="slow"), 1.0, {}, False),
        (Rate(at_least=50), None, {}, False),
    ],
)
def test_a_rate_is_compared_with_bounds_and_with_an_earlier_step(
    rate: Rate, seen: float | None, earlier: dict[str, float | None], passed: bool
) -> None:
    assert judge_rate(WANTED, rate, seen, "nobody listens", earlier).passed is passed


def test_a_step_that_was_left_out_is_not_compared_with() -> None:
    check = judge_rate(WANTED, Rate(times=4, of="slow"), 80.0, "", {"slow": None})
    assert (check.expected, check.seen) == ("4 times that of “slow”", "80 Mbit/s; that one was left out")


@given(st.text())
def test_no_text_stops_the_readers(text: str) -> None:
    parse_traceroute(text)
    parse_iperf(text)
    lines_with(text, "101 dev lo")


def test_no_two_probes_have_a_key_in_common() -> None:
    asked = [key for probe in PROBES for key in probe.asked.model_fields if key != "step"]
    expected = [key for probe in PROBES for key in probe.expected.model_fields]
    assert len(set(asked)) == len(asked)
    assert len(set(expected)) == len(expected)
    assert {probe.tries for probe in PROBES} - {""} <= set(asked)
