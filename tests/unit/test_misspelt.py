"""Which names are misspelt, and which are those of other symbols: pairs of the kernel's own, past and present."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.config.explain.misspelt import close_names, edit_distance, misspelt

NAMES = st.from_regex(r"[A-Z]{1,8}(_[A-Z0-9]{1,8}){0,3}", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MPLS_IPTUNEL", "MPLS_IPTUNNEL"),
        ("MPLS_ROUTNG", "MPLS_ROUTING"),
        ("MPLS_ROUTIGN", "MPLS_ROUTING"),
        ("NET_MPLS_GOS", "NET_MPLS_GSO"),
        ("MPLSS", "MPLS"),
        ("DEBUGFS", "DEBUG_FS"),
        ("NETFILTR", "NETFILTER"),
        ("STRICT_KERNEL_RXW", "STRICT_KERNEL_RWX"),
    ],
)
def test_a_slip_of_the_fingers_is_a_misspelling(name: str, meant: str) -> None:
    assert misspelt(name, [meant, "NET"]) == close_names(name, [meant, "NET"]) == [meant]


@pytest.mark.parametrize(
    ("gone", "here"),
    [
        ("DEVKMEM", "DEVMEM"),
        ("SLAB", "SLUB"),
        ("X86_X32", "X86_32"),
        ("IP_DCCP", "IP_SCTP"),
        ("NET_SCH_CBQ", "NET_SCH_CBS"),
        ("NET_CLS_RSVP6", "NET_CLS_RSVP"),
        ("CRYPTO_FCRYPT", "CRYPTO_PCRYPT"),
        ("RTW88_8821A", "RTW88_8821C"),
        ("LEGACY_VSYSCALL_EMULATE", "LEGACY_VSYSCALL_XONLY"),
        ("HARDENED_USERCOPY_FALLBACK", "HARDENED_USERCOPY"),
        ("SECURITY_SELINUX_DISABLE", "SECURITY_SELINUX_DEVELOP"),
        ("BINFMT_AOUT", "BINFMT_ELF"),
    ],
)
def test_a_symbol_of_other_releases_is_no_misspelling_of_its_neighbour(gone: str, here: str) -> None:
    assert misspelt(gone, [here]) == close_names(gone, [here]) == []


@pytest.mark.parametrize(
    ("name", "meant"), [("MPLS_ITUNEL", "MPLS_IPTUNNEL"), ("NET_MPLS_ROUTING", "MPLS_ROUTING"), ("WAIT", "")]
)
def test_of_what_is_lost_anyway_more_is_guessed(name: str, meant: str) -> None:
    assert misspelt(name, [meant, "NET"]) == []
    assert close_names(name, [meant, "NET"]) == ([meant] if meant else [])


@given(NAMES, st.lists(NAMES, unique=True))
def test_what_is_told_is_there_and_is_another_name(name: str, names: list[str]) -> None:
    told = close_names(name, names)
    assert set(told) <= set(names) - {name} and len(told) <= 3
    assert set(misspelt(name, names)) <= set(names) - {name}


@given(st.text("ABC", max_size=8), st.text("ABC", max_size=8))
def test_the_distance_is_the_same_both_ways_and_none_only_for_the_same(one: str, other: str) -> None:
    distance = edit_distance(one, other)
    assert distance == edit_distance(other, one)
    assert (distance == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))
