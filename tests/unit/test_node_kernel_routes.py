"""Routes as `ip` 5.10 to 6.19 writes them, and what of a written route is not so in the kernel."""

import string
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.node.verify.kernel_routes import Family, Hop, KernelRoute, beyond, missing, of_batch, of_show, parse

SHOWN = {
    "10.1.0.0/24  encap mpls  101/102 ttl 7 via 10.9.0.2 dev d0 proto 77 src 10.9.0.1 mtu 1400 ": KernelRoute(
        "10.1.0.0/24", 254, (Hop("10.9.0.2", "d0", (101, 102)),), 1400, 7, "10.9.0.1"
    ),
    "192.168.10.152  encap mpls  101 via 10.9.0.2 dev d0 table 100 proto 77 scope 0 ": KernelRoute(
        "192.168.10.152/32", 100, (Hop("10.9.0.2", "d0", (101,)),)
    ),
    "10.1.1.0/24 proto 77 \\\tnexthop  encap mpls  101 via 10.9.0.2 dev d0 weight 2 "
    "\\\tnexthop  encap mpls  103 via 10.9.0.3 dev d0 weight 1 ": KernelRoute(
        "10.1.1.0/24", 254, (Hop("10.9.0.2", "d0", (101,), 2), Hop("10.9.0.3", "d0", (103,)))
    ),
    "10.1.3.0/24  encap mpls  101 via inet6 fd00:9::2 dev d0 proto 77 dead linkdown ": KernelRoute(
        "10.1.3.0/24", 254, (Hop("fd00:9::2", "d0", (101,), 1, frozenset({"dead", "linkdown"})),)
    ),
    "fd01::/48  encap mpls  101 via fd00:9::2 dev d0 proto 77 metric 1024 mtu 1300 pref medium": KernelRoute(
        "fd01::/48", 254, (Hop("fd00:9::2", "d0", (101,)),), 1300
    ),
    "default  encap mpls  101 via fd00:9::2 dev d0 proto 77 metric 1024 pref medium": KernelRoute(
        "::/0", 254, (Hop("fd00:9::2", "d0", (101,)),)
    ),
    "default  encap mpls  101 via 10.9.0.2 dev d0 proto 77 ": KernelRoute(
        "0.0.0.0/0", 254, (Hop("10.9.0.2", "d0", (101,)),)
    ),
    "100 dev lo proto 77 ": KernelRoute("100", 254, (Hop(dev="lo"),)),
    "101 as to 200/201 via inet 10.9.0.2 dev eth0.100 proto 77 ttl-propogate disabled": KernelRoute(
        "101", 254, (Hop("10.9.0.2", "eth0.100", (200, 201)),), ttl_propagate="disabled"
    ),
    "102 proto 77 \\\tnexthop as to 200 via inet 10.9.0.2 dev d0 \\\tnexthop via inet 10.9.0.3 dev d0 ": KernelRoute(
        "102", 254, (Hop("10.9.0.2", "d0", (200,)), Hop("10.9.0.3", "d0"))
    ),
    "10.9.0.0/24  encap mpls  100 dev gre1 proto 77 scope 253 ": KernelRoute(
        "10.9.0.0/24", 254, (Hop(None, "gre1", (100,)),)
    ),
    "unreachable 10.9.0.0/24 proto 77 metric 4294967295 ": KernelRoute(
        "10.9.0.0/24", drop="unreachable", metric=4294967295
    ),
    "unreachable 2001:db8::/32 dev lo proto 77 metric 4294967295 error -101 pref medium": KernelRoute(
        "2001:db8::/32", drop="unreachable", metric=4294967295
    ),
    "blackhole default dev lo table 100 proto 77 metric 2000 error -22 pref medium": KernelRoute(
        "::/0", 100, drop="blackhole", metric=2000
    ),
    "7 172.16.0.2 proto 77 metric 4294967295 ": KernelRoute("172.16.0.2/32", drop="unreachable", metric=4294967295),
    "6 172.16.6.0/24 table 100 proto 77 metric 4294967295 ": KernelRoute(
        "172.16.6.0/24", 100, drop="blackhole", metric=4294967295
    ),
    "7 fd09::/64 dev lo proto 77 metric 4294967295 pref medium": KernelRoute(
        "fd09::/64", drop="unreachable", metric=4294967295
    ),
    "172.16.9.0/24 proto 77 \\\tnexthop  encap mpls  300 dev gre1 weight 1 "
    "\\\tnexthop  encap mpls  301 via 10.1.0.2 dev ab weight 1 ": KernelRoute(
        "172.16.9.0/24", 254, (Hop(None, "gre1", (300,)), Hop("10.1.0.2", "ab", (301,)))
    ),
    "103 via inet6 fe80::1 dev dead proto 77 ": KernelRoute("103", 254, (Hop("fe80::1", "dead"),)),
}


def named(wrong: Mapping[KernelRoute, str]) -> dict[str, str]:
    return {route.name: why for route, why in wrong.items()}


@pytest.mark.parametrize("line", SHOWN)
def test_a_route_is_read_as_the_kernel_shows_it(line: str) -> None:
    family: Family = "mpls" if SHOWN[line].dst.isdigit() else "inet6" if ":" in SHOWN[line].dst else "inet"
    assert parse(line, family) == SHOWN[line]


def test_a_default_route_is_of_the_family_that_was_asked_for_whatever_its_next_hop_is() -> None:
    # As iproute2 6.1 shows them, in the order in which all families are asked for.
    [four] = of_show("default  encap mpls  100 via inet6 fe80::1 dev d0 proto 77 \n", "inet")
    [six] = of_show("default  encap mpls  100 via fe80::1 dev d0 proto 77 metric 1024 pref medium\n", "inet6")
    assert (four.dst, six.dst) == ("0.0.0.0/0", "::/0")
    wanted = of_batch("route add 0.0.0.0/0 proto 77 encap mpls 100 via inet6 fe80::1 dev d0\n")
    assert missing(wanted, [four, six]) == {}
    assert beyond(wanted, [four, six]) == [six]
    assert named(missing(wanted, [six])) == {"0.0.0.0/0": "is not there"}


@pytest.mark.parametrize(
    ("line", "family"), [("default dev d0", "mpls"), ("10.0.0.0/8 dev d0", "inet6"), ("100", "inet")]
)
def test_a_route_of_another_family_than_was_asked_for_is_not_understood(line: str, family: Family) -> None:
    with pytest.raises(ValueError, match=line.split(maxsplit=1)[0]):
        parse(line, family)


def test_a_batch_is_read_as_it_is_written_for_ip() -> None:
    batch = (
        "# a comment\naddress replace 192.168.10.187/32 dev lo\n\n"
        "route replace 192.168.10.152/32 encap mpls 101 via 10.10.0.152 proto 77\n"
        "route add 101 as 200/201 via inet 10.9.0.2 proto 77 ttl-propagate disabled\n"
    )
    assert of_batch(batch) == [
        KernelRoute("192.168.10.152/32", 254, (Hop("10.10.0.152", None, (101,)),)),
        KernelRoute("101", 254, (Hop("10.9.0.2", None, (200, 201)),), ttl_propagate="disabled"),
    ]


def _shown(text: str) -> list[KernelRoute]:
    return of_show(text, "mpls" if text.split(maxsplit=1)[:1] == ["100"] else "inet")


@pytest.mark.parametrize(
    ("written", "shown", "wrong"),
    [
        ("10.0.0.1/32 encap mpls 16 via 10.9.0.2", "10.0.0.1  encap mpls  16 via 10.9.0.2 dev d0 proto 77", ""),
        ("10.0.0.1/32 encap mpls 16 via 10.9.0.2", "", "is not there"),
        (
            "10.0.0.1/32 encap mpls 16 via 10.9.0.2",
            "10.0.0.1 via 10.9.0.2 dev d0 proto 77",
            "wants labels 16 via 10.9.0.2",
        ),
        (
            "10.0.0.1/32 encap mpls 16 via 10.9.0.2 dev d1",
            "10.0.0.1  encap mpls  16 via 10.9.0.2 dev d0",
            "wants labels 16 via 10.9.0.2 dev d1",
        ),
        (
            "100 via inet 10.9.0.2",
            "100 \\\tnexthop via inet 10.9.0.2 dev d0 \\\tnexthop via inet 10.9.0.3 dev d0",
            "wants only via 10.9.0.2, and not via 10.9.0.3 dev d0",
        ),
        ("10.0.0.1/32 encap mpls 16 via 10.9.0.2 mtu 1400", "10.0.0.1  encap mpls  16 via 10.9.0.2", "wants mtu 1400"),
        ("100 dev lo ttl-propagate disabled", "100 dev lo", "wants ttl-propagate disabled"),
    ],
)
def test_what_of_a_written_route_is_not_so_is_said(written: str, shown: str, wrong: str) -> None:
    found = missing([parse(written)], _shown(shown))
    assert list(found.values()) == ([wrong] if wrong else [])


def test_the_same_prefix_in_another_table_is_another_route() -> None:
    wanted = of_show("10.0.0.0/24 encap mpls 16 via 10.9.0.2 table 100", "inet")
    shown = [*of_show("10.0.0.0/24 encap mpls 16 via 10.9.0.2 dev d0", "inet"), *of_show("500 dev lo", "mpls")]
    assert named(missing(wanted, shown)) == {"10.0.0.0/24": "is not there"}
    assert [str(route) for route in beyond(wanted, shown)] == [
        "10.0.0.0/24 labels 16 via 10.9.0.2 dev d0",
        "label 500 dev lo",
    ]


def test_ten_thousand_routes_are_compared_in_a_moment() -> None:
    text = "\n".join(f"{label} as to {label + 1} via inet 10.9.0.2 dev d0 proto 77 " for label in range(16, 10_016))
    assert missing(of_show(text, "mpls"), of_show(text, "mpls")) == {}


LABELS = st.lists(st.integers(16, (1 << 20) - 1), max_size=3).map(tuple)
NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=15)
HOPS = st.builds(Hop, st.ip_addresses().map(str), NAMES, LABELS, st.integers(1, 256))


@given(st.ip_addresses(), st.integers(1, 1 << 31), st.lists(HOPS, min_size=1, max_size=4), st.none() | st.integers(68))
def test_any_route_that_is_written_is_read_again(address: object, table: int, hops: list[Hop], mtu: int | None) -> None:
    length = "128" if ":" in str(address) else "32"
    words = [f"{address}/{length} table {table} proto 77"]
    for hop in hops:
        labels = f"encap mpls {'/'.join(map(str, hop.labels))} " if hop.labels else ""
        family = "inet6" if ":" in str(hop.via) else "inet"
        words.append(f"\\\tnexthop {labels}via {family} {hop.via} dev {hop.dev} weight {hop.weight}")
    words.append(f"mtu {mtu}" if mtu is not None else "")
    route = parse(" ".join(words))
    assert (route.dst, route.table, route.mtu) == (f"{address}/{length}", table, mtu)
    assert route.hops == tuple(hops)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        return


def test_a_drop_route_below_a_push_is_a_route_of_its_own() -> None:
    wanted = of_batch(
        "route add 10.9.0.0/24 proto 77 encap mpls 100 dev gre1\n"
        "route add unreachable 10.9.0.0/24 proto 77 metric 4294967295\n"
    )
    push, drop = of_show(
        "10.9.0.0/24  encap mpls  100 dev gre1 proto 77 scope 253 \n"
        "unreachable 10.9.0.0/24 proto 77 metric 4294967295 \n",
        "inet",
    )
    assert missing(wanted, [push, drop]) == {}
    assert beyond(wanted, [push, drop]) == []
    assert named(missing(wanted, [drop])) == {"10.9.0.0/24": "is not there"}
    assert named(missing(wanted, [push])) == {"unreachable 10.9.0.0/24": "is not there"}
    [silent] = of_show("blackhole 10.9.0.0/24 proto 77 metric 4294967295 \n", "inet")
    assert named(missing(wanted, [push, silent])) == {"unreachable 10.9.0.0/24": "wants unreachable 10.9.0.0/24"}
    [stranger] = of_show("unreachable 10.9.0.0/24 proto 77 metric 5 \n", "inet")
    assert [str(route) for route in beyond(wanted, [push, drop, stranger])] == ["unreachable 10.9.0.0/24"]


def test_a_next_hop_that_is_said_to_be_on_the_link_is_that_in_the_kernel() -> None:
    wanted = of_batch("route add 10.1.0.0/16 proto 77 encap mpls 100 via 10.8.0.2 dev d0 onlink\n")
    assert missing(wanted, of_show("10.1.0.0/16 encap mpls 100 via 10.8.0.2 dev d0 onlink\n", "inet")) == {}
    [why] = missing(wanted, of_show("10.1.0.0/16 encap mpls 100 via 10.8.0.2 dev d0\n", "inet")).values()
    assert why == "wants labels 100 via 10.8.0.2 dev d0 onlink"
