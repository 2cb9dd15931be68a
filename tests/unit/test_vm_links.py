import re
from collections.abc import Sequence
from ipaddress import ip_interface
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.vm.guest import Guest
from mplskit.vm.linked_machines import Card, in_order, linked


def refused(folder: Path, **cards: Sequence[Card]) -> WrongInput:
    guest = Guest(disk=folder / "disk", kernel=folder / "vmlinuz", key=folder / "key")
    with pytest.raises(WrongInput) as failed, linked({name: (guest, has) for name, has in cards.items()}, folder):
        pass
    return failed.value


def card(link: str, dev: str) -> Card:
    return Card(link, dev, ip_interface("10.0.0.1/24"))


@pytest.mark.parametrize(
    ("given", "order"),
    [
        (["eth0", "mgmt"], ["eth0", "mgmt"]),
        (["eth1", "mgmt"], ["mgmt", "eth1"]),
        (["eth1", "eth0", "mgmt"], ["eth0", "eth1", "mgmt"]),
        (["eth2", "core", "mgmt"], ["core", "mgmt", "eth2"]),
        (["core", "eth0", "eth7", "mgmt"], ["eth0", "core", "eth7", "mgmt"]),
        (["mgmt"], ["mgmt"]),
    ],
)
def test_cards_called_as_the_kernel_would_are_where_it_calls_them_so(given: list[str], order: list[str]) -> None:
    assert in_order(given) == order


@given(st.lists(st.sampled_from(["core", "vpn0", "wan", *(f"eth{n}" for n in range(6))]), unique=True))
def test_no_card_is_renamed_to_what_the_kernel_calls_another_one(devs: list[str]) -> None:
    order = in_order([*devs, "mgmt"])
    assert sorted(order) == sorted([*devs, "mgmt"])
    for place, dev in enumerate(order):
        number = re.fullmatch(r"eth(\d)", dev)
        assert number is None or int(number[1]) in (place, *range(len(order), 10))


def test_a_cable_needs_two_ends(tmp_path: Path) -> None:
    one = refused(tmp_path, a=[card("x", "eth0"), card("y", "eth1")], b=[card("x", "eth0")])
    assert one.message == "the cable y has 1 ends: it needs two"
    three = refused(tmp_path, a=[card("x", "eth0")], b=[card("x", "eth0"), card("x", "eth1")])
    assert three.message == "the cable x has 3 ends: it needs two"


def test_two_cards_of_a_machine_have_two_names_and_neither_is_that_of_the_way_in(tmp_path: Path) -> None:
    twice = refused(tmp_path, a=[card("x", "eth0"), card("y", "eth0")], b=[card("x", "eth0"), card("y", "eth1")])
    assert twice.message == "a: two cards are called eth0"
    way_in = refused(tmp_path, a=[card("x", "eth0")], b=[card("x", "mgmt")])
    assert way_in.message == "b: two cards are called mgmt"
    assert way_in.hint == "mgmt is the way to its SSH"


def test_a_file_that_is_missing_is_told_with_the_machine_that_needs_it(tmp_path: Path) -> None:
    missing = refused(tmp_path, a=[card("x", "eth0")], b=[card("x", "eth0")])
    assert re.fullmatch(rf"[ab]: no disk {tmp_path}/disk", missing.message)
