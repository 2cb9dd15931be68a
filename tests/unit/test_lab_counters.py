"""MPLS counters as the kernel's tools print them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.lab.probes.counters import parse_counters

PRINTED = (
    '[{"ifindex":2,"ifname":"eth0","group":"afstats","subgroup":"mpls","mpls_stats":{"rx":{"bytes":440,"packets":5,'
    '"errors":1,"dropped":2,"noroute":5},"tx":{"bytes":88,"packets":1,"errors":3,"dropped":4}}}]\n'
)


def test_each_counter_has_its_direction_in_its_name() -> None:
    assert parse_counters(PRINTED)["eth0"] == {
        "rx.packets": 5,
        "rx.bytes": 440,
        "rx.errors": 1,
        "rx.dropped": 2,
        "rx.noroute": 5,
        "tx.packets": 1,
        "tx.bytes": 88,
        "tx.errors": 3,
        "tx.dropped": 4,
    }


@pytest.mark.parametrize(
    "output",
    [
        "",
        "\n",
        "[]",
        "[{}]",
        "{}",
        "null",
        '[{"ifname":"eth0","mpls_stats":{}}]',
        'Object "stats" is unknown, try "ip help".\n',
    ],
)
def test_an_interface_without_mpls_or_an_old_ip_gives_no_counters(output: str) -> None:
    assert parse_counters(output) == {}


@given(st.text())
def test_no_text_stops_the_reader(text: str) -> None:
    assert parse_counters(text) == {}
