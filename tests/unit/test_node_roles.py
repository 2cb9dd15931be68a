"""Conditions that depend on the role of a node or an interface: where labels arrive, leave, or come out here."""

import json
from typing import Any

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.render import SYSCTL_FILE, render
from mplskit.node.verify.kernel_interfaces import of_links
from mplskit.node.verify.kernel_routes import KernelRoute, of_show
from tests.worlds.made_up_facts import judged, node

LOOSE = "net/ipv4/conf/lo/rp_filter = 2"
PUSH = {"push": [100], "to": "10.9.0.0/24", "via": "10.1.0.2"}
LDP = {"router_id": "10.255.0.1", "interfaces": ["core0"]}


@pytest.mark.parametrize(
    ("spec", "delivers"),
    [
        ({"routes": [{"pop": 100, "dev": "lo"}]}, True),
        ({"mpls_input": ["core0"], "routes": [PUSH]}, True),
        ({"mpls_input": ["core0"], "loopbacks": ["10.255.0.1/32"]}, True),
        ({"mpls_input": ["core0"], "ldp": LDP}, True),
        ({"mpls_input": ["core0"], "routes": [{"swap": 100, "as": [200], "via": "10.1.0.2"}]}, False),
        ({"mpls_input": ["core0"], "routes": [{"pop": 100, "via": "10.1.0.2"}]}, False),
        ({"routes": [PUSH]}, False),
        ({"mpls_input": ["core0"]}, False),
    ],
    ids=["pop", "push", "loopback", "ldp", "swap", "php", "push without input", "nothing"],
)
def test_lo_is_made_ready_wherever_explicit_null_may_come_out_and_on_no_pure_lsr(
    spec: dict[str, Any], delivers: bool
) -> None:
    files = render(NodeSpec.model_validate(spec))
    assert (LOOSE in files[SYSCTL_FILE].splitlines()) is delivers
    assert ("link set lo up" in files.get("/etc/mplskit/routes.batch", "").splitlines()) is delivers


def filters(all_: str, lo: str) -> dict[str, str]:
    return {"net/ipv4/conf/all/rp_filter": all_, "net/ipv4/conf/lo/rp_filter": lo}


@pytest.mark.parametrize(("settings", "holds"), [(filters("1", "0"), False), (filters("1", "2"), True)])
def test_an_edge_that_gets_explicit_null_alone_loses_all_by_a_strict_filter(
    settings: dict[str, str], holds: bool
) -> None:
    edge = node({"mpls_input": ["core0"], "routes": [PUSH]}, ip_settings=settings)
    assert judged("L3", edge)[0] is holds
    lsr = node({"mpls_input": ["core0"]}, ip_settings=settings)
    assert judged("L3", lsr) == (None, "not asked for: packet that comes out of a label here")


EDGE = {"mpls_input": ["core0"], "routes": [{"pop": 100, "dev": "lo"}]}


@pytest.mark.parametrize(
    ("inputs", "dropped", "verdict"),
    [
        ({"core0": True}, 0, (True, "no packet had a label left so far")),
        ({"core0": True, "lo": False}, 2, (False, "lo has dropped 2 packets that had a label left")),
        # It was mended since: what was dropped before stays counted.
        ({"core0": True, "lo": True}, 2, (True, "lo accepts labelled packets")),
    ],
)
def test_what_has_a_label_left_when_it_is_popped_needs_lo_to_accept_labels(
    inputs: dict[str, bool], dropped: int, verdict: tuple[bool, str]
) -> None:
    facts = node(EDGE, inputs=inputs, counters={"lo": {"rx.dropped": dropped}})
    assert judged("L5", facts) == verdict


def test_a_push_by_ppp_alone_is_taken_by_the_grammar_and_by_the_checks() -> None:
    push = {"push": [100], "to": "10.9.0.0/24", "dev": "ppp0"}
    by_ppp = of_show("10.9.0.0/24 encap mpls 100 dev ppp0 proto 77", "inet")
    spec = {"mpls_input": ["ppp0"], "routes": [push], "interfaces": {"ppp0": {"kind": "ppp"}}}
    there = of_links(json.dumps([{"ifname": "ppp0", "linkinfo": {"info_kind": "ppp"}}]))
    facts = node(spec, routes=tuple(by_ppp), links={"ppp0": link(1492, kind="512")}, interfaces=there)
    assert judged("F5", facts) == (True, "ppp0: none is tun or WireGuard")


def test_that_lo_accepts_labels_can_be_said() -> None:
    spec = NodeSpec.model_validate({**EDGE, "mpls_input": ["core0", "lo"]})
    assert "net/mpls/conf/lo/input = 1" in render(spec)[SYSCTL_FILE].splitlines()


def link(mtu: int = 1500, kind: str = "1", down: int = 1) -> dict[str, str]:
    return {"flags": "0x1003", "mtu": str(mtu), "type": kind, "operstate": "up", "carrier_down_count": str(down)}


def shown(text: str) -> tuple[KernelRoute, ...]:
    return tuple(of_show(text, "mpls"))


def routed(*routes: dict[str, Any], words: str, **known: Any) -> Any:
    return node({"mpls_input": ["core0"], "routes": routes}, routes=shown(words), **known)


SWAP = ({"swap": 100, "as": [101], "via": "10.2.0.3"}, "100 as to 101 via inet 10.2.0.3 dev core1 proto 77\n")
POP = ({"pop": 100, "via": "10.2.0.3"}, "100 via inet 10.2.0.3 dev core1 proto 77\n")


@pytest.mark.parametrize(
    ("route", "errors", "down", "verdict"),
    [
        (
            SWAP, 2, 1,
            (False, "MTU of core1: 1500, and what comes in by core0 may need 1600; 2 did not leave (tx errors)"),
        ),
        (
            SWAP, 2, 9,
            (False, "MTU of core1: 1500, and what comes in by core0 may need 1600; 2 did not leave (tx errors)"),
        ),
        (
            SWAP, 0, 1,
            (True, "MTU of core1: 1500, and what comes in by core0 may need 1600; none was lost so far"),
        ),
        (
            POP, 2, 1,
            (False, "MTU of core1: 1500, and what comes in by core0 may need 1596; 2 did not leave (tx errors)"),
        ),
        # An edge whose link to a customer was down once: that counts, too.
        (POP, 2, 9, (True, "they do")),
    ],
)  # fmt: skip
def test_what_comes_in_by_a_wide_interface_must_get_out(
    route: tuple[dict[str, Any], str], errors: int, down: int, verdict: tuple[bool, str]
) -> None:
    wide = {"core0": link(1600), "core1": link(1500, down=down), "lo": link(65536)}
    facts = routed(route[0], words=route[1], links=wide, counters={"core1": {"tx.errors": errors}})
    assert judged("M1", facts) == verdict


def test_label_routes_that_ldp_made_count_for_the_mtu_as_those_of_the_spec_do() -> None:
    wide = {"core0": link(1600), "core1": link(1500), "lo": link(65536)}
    spec = {"mpls_input": ["core0"], "ldp": LDP}
    by_ldp = shown("17 as to 18 via inet 10.2.0.3 dev core1 proto 193\n")
    known = {"links": wide, "routes": (), "other_labels": by_ldp}
    assert judged("M1", node(spec, counters={"core1": {"tx.errors": 2}}, **known)) == (
        False,
        "MTU of core1: 1500, and what comes in by core0 may need 1600; 2 did not leave (tx errors)",
    )
    assert judged("M1", node(spec, counters={"core1": {"tx.errors": 0}}, **known))[0] is True
    assert judged("M1", node(spec, links=wide, routes=())) == (None, "not asked for: route")


def test_a_swap_of_another_program_that_adds_a_label_needs_room() -> None:
    added = shown("17 as to 18/19 via inet 10.2.0.3 dev core1 proto 193\n")
    facts = node({"mpls_input": ["core0"]}, links={"core0": link(), "core1": link()}, routes=(), other_labels=added)
    assert judged("M1", facts) == (False, "MTU of core1 for 17: 1500, wanted 1504")


def test_transmit_errors_of_an_interface_that_is_wide_enough_are_not_its_mtus() -> None:
    facts = routed(SWAP[0], words=SWAP[1], links={"core0": link(), "core1": link()})
    assert judged("M1", facts) == (True, "they do")


@pytest.mark.parametrize(
    ("route", "kind", "holds"),
    [(POP, "tun", True), (SWAP, "tun", False), (SWAP, "bareudp", True)],
    ids=["plain IP leaves by a tun", "labels leave by a tun", "bareudp carries labels"],
)
def test_a_tun_is_blamed_only_where_labels_leave_or_come_in(
    route: tuple[dict[str, Any], str], kind: str, holds: bool
) -> None:
    there = of_links(json.dumps([{"ifname": "core1", "linkinfo": {"info_kind": kind}}]))
    both = {"core0": link(), "core1": link(kind="65534")}
    facts = routed(route[0], words=route[1], links=both, interfaces=there)
    assert judged("F5", facts)[0] is holds
    inward = node({"mpls_input": ["core1"]}, links=both, interfaces=there, routes=())
    assert judged("F5", inward)[0] is (kind == "bareudp")
