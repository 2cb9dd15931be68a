"""Routes of a spec: which can work, and where and by which rule the others are refused."""

from typing import Any

import pytest

from mplskit.node.grammar.spec import NodeSpec
from tests.worlds.spec_values import HOP, PUSH, refusals

NOWHERE = "a push needs via, or nexthops, or the dev of a point-to-point link: where the packets go next"


@pytest.mark.parametrize(
    ("route", "refusal"),
    [
        (
            {**PUSH, "push": [3]},
            "routes[0].push[0]: implicit null (3) is never on the wire; a penultimate hop pops: {pop: L, via: A}",
        ),
        (
            {**PUSH, "push": [7]},
            "routes[0].push[0]: an outgoing label is 16 to 1048575, or explicit null (0, 2) (here: 7)",
        ),
        (
            {**PUSH, "push": [1 << 20]},
            "routes[0].push[0]: an outgoing label is 16 to 1048575, or explicit null (0, 2) (here: 1048576)",
        ),
        ({**PUSH, "push": ["101"]}, "routes[0].push[0]: should be a whole number (here: '101')"),
        ({**PUSH, "push": []}, "routes[0].push: a label stack has 1 to 30 labels: this one has 0"),
        ({**PUSH, "push": [16] * 31}, "routes[0].push: a label stack has 1 to 30 labels: this one has 31"),
        ({"push": [101], "to": "10.0.0.0/8"}, f"routes[0]: {NOWHERE}"),
        ({"push": [101], "to": "10.0.0.0/8", "dev": "lo"}, "routes[0].dev: no next hop is reached by lo"),
        (
            {**PUSH, "to": "10.0.0.1/8"},
            "routes[0].to: 10.0.0.1/8 is an address in 10.0.0.0/8: write that, or 10.0.0.1/32 for the address alone",
        ),
        ({**PUSH, "via": 168427672}, "routes[0].via: an address is text (here: 168427672)"),
        ({**PUSH, "via": "fe80::1"}, "routes[0].via: the link-local next hop fe80::1 needs dev"),
        (
            {**PUSH, "to": "2001:db8::/32"},
            "routes[0].via: an IPv6 destination cannot have an IPv4 next hop (here: 10.10.0.152)",
        ),
        ({**PUSH, "src": "2001:db8::1"}, "routes[0].src: src and to must be of one address family (here: 2001:db8::1)"),
        (
            {**PUSH, "weight": 2},
            "routes[0].weight: there is no such key; "
            "allowed: push, to, via, dev, nexthops, src, mtu, ttl, table, onlink",
        ),
        ({"pop": 101}, "routes[0]: a pop needs dev (lo, a VRF), via (a next hop) or nexthops"),
        ({"pop": 15, "dev": "lo"}, "routes[0].pop: an incoming label is 16 to 1048574 (here: 15)"),
        ({"pop": 1_048_575, "dev": "lo"}, "routes[0].pop: an incoming label is 16 to 1048574 (here: 1048575)"),
        ({"swap": 100, "as": [200]}, "routes[0]: a swap needs via, or nexthops: where the packets go next"),
        (
            {"pop": 101, "swap": 101, "dev": "lo"},
            "routes[0]: a route has exactly one of push, swap, pop, unreachable and blackhole",
        ),
        ({"to": "10.0.0.0/8", "via": "10.0.0.1"}, "routes[0].push: is missing: the labels, top first"),
    ],
)
def test_a_route_that_cannot_work_is_refused_with_its_place_and_the_rule(route: dict[str, Any], refusal: str) -> None:
    assert refusals(routes=[route]) == [refusal]


HOPS = {"push": [101], "to": "192.168.10.152/32", "nexthops": [{"via": "10.0.0.1"}, {"via": "10.0.0.2"}]}
NO_WEIGHT = "next hops of a label route have no weight: Linux refuses it there (Invalid argument)"


@pytest.mark.parametrize(
    ("route", "refusal"),
    [
        ({**PUSH, "nexthops": [HOP]}, "routes[0].nexthops: a route has via, or nexthops, not both"),
        ({**HOPS, "dev": "eth0"}, "routes[0].dev: with nexthops each of them has its own dev (here: eth0)"),
        ({**HOPS, "onlink": True}, "routes[0].onlink: with nexthops each of them has its own onlink"),
        ({**HOPS, "nexthops": []}, f"routes[0]: {NOWHERE}"),
        (
            {"to": "10.0.0.0/8", "nexthops": [HOP, {"via": "10.0.0.2", "push": [16]}]},
            "routes[0].nexthops[0]: has no labels: push is missing here, or for all of them in the route",
        ),
        (
            {"swap": 100, "nexthops": [HOP]},
            "routes[0].nexthops[0]: has no labels: as is missing here, or for all of them in the route",
        ),
        ({"swap": 100, "via": "10.0.0.1"}, "routes[0].as: is missing: the labels, top first"),
        (
            {**HOPS, "nexthops": [HOP, {**HOP, "weight": 2}]},
            "routes[0].nexthops[1]: the same as nexthops[0]: weight gives a larger share",
        ),
        (
            {**HOPS, "nexthops": [{"via": f"10.0.{i // 200}.{i % 200 + 1}"} for i in range(256)]},
            "routes[0].nexthops: a route has at most 255 next hops",
        ),
        (
            {**HOPS, "nexthops": [{**HOP, "weight": 0}]},
            "routes[0].nexthops[0].weight: should be a whole number from 1 to 256 (here: 0)",
        ),
        (
            {**HOPS, "nexthops": [{**HOP, "weight": 257}]},
            "routes[0].nexthops[0].weight: should be a whole number from 1 to 256 (here: 257)",
        ),
        ({"swap": 100, "as": [200], "nexthops": [{**HOP, "weight": 2}]}, f"routes[0].nexthops[0].weight: {NO_WEIGHT}"),
        ({"pop": 100, "nexthops": [{**HOP, "weight": 1}]}, f"routes[0].nexthops[0].weight: {NO_WEIGHT}"),
        ({"pop": 100, "via": "10.0.0.1", "weight": 2}, f"routes[0].weight: {NO_WEIGHT}"),
        (
            {**HOPS, "nexthops": [{"via": "fe80::1"}]},
            "routes[0].nexthops[0].via: the link-local next hop fe80::1 needs dev",
        ),
        (
            {**HOPS, "to": "2001:db8::/32", "nexthops": [HOP]},
            "routes[0].nexthops[0].via: an IPv6 destination cannot have an IPv4 next hop (here: 10.0.0.1)",
        ),
        (
            {**PUSH, "push": [101, 2]},
            "routes[0].push[1]: label 2 says that IPv6 is below it, and these are packets of IPv4",
        ),
        (
            {"push": [0], "to": "2001:db8::/32", "via": "2001:db8::1"},
            "routes[0].push[0]: label 0 says that IPv4 is below it, and these are packets of IPv6",
        ),
        (
            {"to": "10.0.0.0/8", "nexthops": [{**HOP, "push": [2]}]},
            "routes[0].nexthops[0].push[0]: label 2 says that IPv6 is below it, and these are packets of IPv4",
        ),
        (
            {"push": [16], "to": "2001:db8::/32", "via": "2001:db8::1", "mtu": 1279},
            "routes[0].mtu: IPv6 needs an mtu of at least 1280 (here: 1279)",
        ),
        ({"pop": 101, "via": "10.0.0.1", "dev": "lo"}, "routes[0].dev: no next hop is reached by lo"),
        ({**HOPS, "nexthops": [{**HOP, "dev": "lo"}]}, "routes[0].nexthops[0].dev: no next hop is reached by lo"),
        ({**PUSH, "mtu": 67}, "routes[0].mtu: should be a whole number from 68 to 65535 (here: 67)"),
        ({**PUSH, "ttl": 0}, "routes[0].ttl: should be a whole number from 1 to 255 (here: 0)"),
        ({**PUSH, "ttl": 256}, "routes[0].ttl: should be a whole number from 1 to 255 (here: 256)"),
        ({**PUSH, "table": 255}, "routes[0].table: 255 is the kernel's own table (local)"),
        ({**PUSH, "via": "0.0.0.0"}, "routes[0].via: a next hop is the address of one other machine (here: 0.0.0.0)"),
        (
            {**PUSH, "via": "224.0.0.5"},
            "routes[0].via: a next hop is the address of one other machine (here: 224.0.0.5)",
        ),
        ({**PUSH, "via": "::1"}, "routes[0].via: a next hop is the address of one other machine (here: ::1)"),
        (
            {**PUSH, "via": "fe80::1%$(reboot)", "dev": "eth0"},
            "routes[0].via: an address has no zone here: dev names the interface (here: fe80::1%$(reboot))",
        ),
        (
            {"pop": 101, "dev": "lo", "ttl_propagate": "no"},
            "routes[0].ttl_propagate: should be true or false (here: no)",
        ),
    ],
)
def test_a_route_whose_parts_disagree_is_refused_with_its_place_and_the_rule(
    route: dict[str, Any], refusal: str
) -> None:
    assert refusals(routes=[route]) == [refusal]


def test_a_route_is_told_all_that_is_wrong_with_it() -> None:
    route = {"to": "2001:db8::/32", "via": "10.0.0.1", "src": "10.0.0.2", "mtu": 1000}
    assert refusals(routes=[route]) == [
        "routes[0].push: is missing: the labels, top first",
        "routes[0].src: src and to must be of one address family (here: 10.0.0.2)",
        "routes[0].mtu: IPv6 needs an mtu of at least 1280 (here: 1000)",
        "routes[0].via: an IPv6 destination cannot have an IPv4 next hop (here: 10.0.0.1)",
    ]


@pytest.mark.parametrize(
    "route",
    [
        {**PUSH, "push": [16] * 30},
        {**PUSH, "push": [2, 101]},  # RFC 4182: an explicit null that is not the last label says nothing
        {**PUSH, "push": [0], "mtu": 1400, "ttl": 255, "table": 10},
        {"push": [2], "to": "2001:db8::/32", "via": "fe80::1", "dev": "eth0", "mtu": 1280},
        {**PUSH, "via": "2001:db8::1"},
        {"to": "0.0.0.0/0", "nexthops": [{**HOP, "push": [16], "weight": 256}, {"via": "10.0.0.2", "push": [17, 18]}]},
        {**HOPS, "nexthops": [{**HOP, "push": [16]}, {**HOP, "push": [17]}]},
        {"swap": 100, "nexthops": [{**HOP, "as": [0]}], "ttl_propagate": False},
        {"pop": 100, "nexthops": [HOP, {"via": "10.0.0.2", "dev": "eth1"}]},
        {"pop": 100, "dev": "vrf-blue"},
    ],
)
def test_a_route_that_can_work_is_taken(route: dict[str, Any]) -> None:
    assert len(NodeSpec.model_validate({"routes": [route]}).routes) == 1


def test_a_next_hop_without_labels_of_its_own_has_those_of_the_route() -> None:
    route = {"push": [16, 17], "to": "10.0.0.0/8", "nexthops": [HOP, {"via": "10.0.0.2", "push": [18]}]}
    (push,) = NodeSpec.model_validate({"routes": [route]}).routes
    assert [(str(hop.via), getattr(hop, "push")) for hop in push.hops] == [("10.0.0.1", (16, 17)), ("10.0.0.2", (18,))]  # noqa: B009
    (swap,) = NodeSpec.model_validate({"routes": [{"swap": 99, "as": [20], "nexthops": [HOP]}]}).routes
    assert [(str(hop.via), getattr(hop, "as_")) for hop in swap.hops] == [("10.0.0.1", (20,))]  # noqa: B009


def test_one_prefix_may_have_a_route_in_each_table() -> None:
    assert len(NodeSpec.model_validate({"routes": [PUSH, {**PUSH, "table": 9}]}).routes) == 2


def test_a_label_has_one_route() -> None:
    assert refusals(routes=[{"pop": 101, "dev": "lo"}, {"swap": 101, "as": [102], "via": "10.0.0.1"}]) == [
        "routes[1].swap: label 101 has a route already, routes[0]"
    ]
