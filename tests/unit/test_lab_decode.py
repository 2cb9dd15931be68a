"""Frames in words, layer by layer."""

from hypothesis import given
from hypothesis import strategies as st

from mplskit.lab.html.decode import decode

ETHERNET = "020000000002020000000001"


def told(frame: str) -> list[str]:
    return [f"{layer.name}: {layer.told}" for layer in decode(bytes.fromhex(frame))]


def test_a_stack_is_told_entry_by_entry_with_the_names_of_reserved_labels() -> None:
    ipv6 = "6000000000083a40" + "20010db8" + "00" * 11 + "01" + "20010db8" + "00" * 11 + "02"
    assert told(ETHERNET + "8847" + "00065040" + "00002b3f" + ipv6 + "8000000000010002") == [
        "Ethernet: 02:00:00:00:00:01 → 02:00:00:00:00:02, type 0x8847 MPLS",
        "MPLS: label 101, TC 0, S 0, TTL 64",
        "MPLS: label 2 (IPv6 explicit null), TC 5, S 1, TTL 63",
        "IPv6: 2001:db8::1 → 2001:db8::2, hop limit 64, 48 bytes, ICMPv6",
        "ICMPv6: echo request, id 1, seq 2",
    ]


def test_vlan_udp_and_fragments_are_told() -> None:
    ip = "4500001c0000200040110000" + "0a000001" + "0a000002"
    assert told(ETHERNET + "81006064" + "0800" + ip + "04aa04aa00080000")[1:] == [
        "VLAN: 100, priority 3",
        "IPv4: 10.0.0.1 → 10.0.0.2, TTL 64, 28 bytes, fragment at 0, UDP",
        "UDP: port 1194 → 1194",
    ]


def test_what_breaks_off_is_told_as_cut_off() -> None:
    assert told("0200")[-1] == "cut off: 2 bytes"
    assert told(ETHERNET + "8847" + "00065040")[-1] == "cut off: the label stack has no bottom"


@given(st.binary(max_size=120), st.sampled_from(["", "8847", "0800", "86dd", "8100", "0806"]))
def test_any_bytes_have_layers(rest: bytes, ethertype: str) -> None:
    assert decode(bytes.fromhex(ETHERNET + ethertype) + rest)
