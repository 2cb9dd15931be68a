"""What the conditions say of nodes as they are met: good and bad in the least usual ways."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.verify.facts import Facts
from mplskit.node.verify.kernel_interfaces import Interfaces, of_links
from mplskit.node.verify.kernel_routes import of_show
from mplskit.node.verify.questions_ahead import Ahead
from tests.worlds.made_up_facts import judged, node


class _Deaf:
    """A node on which no command can be run."""

    def run(self, command: str, *words: str) -> SimpleNamespace:
        """Run a command."""
        return SimpleNamespace(rc=127, stdout="", stderr="sh: not found\n")


def links(*rows: Mapping[str, Any]) -> Interfaces:
    """Interfaces as `ip -d -j link show` tells them, lo among them."""
    return of_links(json.dumps([{"ifname": "lo"}, *rows]))


def part(name: str, whole: str, kind: str) -> dict[str, Any]:
    return {"ifname": name, "master": whole, "linkinfo": {"info_kind": "veth", "info_slave_kind": kind}}


def vlan(name: str, parent: str, **more: Any) -> dict[str, Any]:
    return {"ifname": name, "link": parent, "linkinfo": {"info_kind": "vlan"}, **more}


UP = {"flags": "0x1003", "mtu": "1500", "type": "1", "operstate": "up"}
TAP = {"dev": "tap0", "address": "10.96.96.2/30", "cert": "/etc/n.crt", "key": "/etc/n.key", "ca": "/etc/ca.crt"}
CORE = ({"ifname": "core0"}, {"ifname": "eth0", "altnames": ["enp3s0", "uplink"]})


@pytest.mark.parametrize(
    ("inputs", "there", "on", "holds", "seen"),
    [
        (["core0"], CORE, ["core0"], True, "core0: input on"),
        (["core0"], CORE, [], False, "core0: input off"),
        (
            ["coer0"], CORE, ["core0"], False,
            "waits for coer0: no such interface; the node has core0, eth0 — did you mean core0?",
        ),
        (
            ["uplink"], CORE, ["eth0"], False,
            "uplink is an altname of eth0: labels are accepted by names of their own: write eth0",
        ),
        (["wan"], (), [], False, "waits for wan: no such interface; the node has no interface but lo"),
        (
            ["eth1"], (part("eth1", "br0", "bridge"), {"ifname": "br0"}), ["eth1"], False,
            "eth1 is a port of br0: labelled packets are received on br0",
        ),
        (["br0"], (part("eth1", "br0", "bridge"), {"ifname": "br0"}), ["br0"], True, "br0: input on"),
        (
            ["eth1"], (part("eth1", "bond0", "bond"), part("bond0", "br0", "bridge"), {"ifname": "br0"}), ["eth1"],
            False,
            "eth1 is a member of bond0: labelled packets are received on br0",
        ),
        (
            ["eth1", "br0"], (part("eth1", "br0", "bridge"), {"ifname": "br0"}), ["eth1", "br0"], True,
            "eth1 is a port of br0: labelled packets are received on br0, br0: input on",
        ),
        (["eth1"], (part("eth1", "red", "vrf"), {"ifname": "red"}), ["eth1"], True, "eth1: input on"),
        (
            ["eth1"], ({"ifname": "eth1"}, vlan("eth1.100", "eth1")), ["eth1"], True,
            "eth1: input on (what comes in by eth1.100 is received there, and not accepted)",
        ),
        (["eth1"], ({"ifname": "eth1"}, vlan("v", "eth1", link_netnsid=0)), ["eth1"], True, "eth1: input on"),
    ],
)  # fmt: skip
def test_where_labels_are_accepted_is_where_the_kernel_receives_them(
    inputs: list[str], there: tuple[dict[str, Any], ...], on: list[str], holds: bool, seen: str
) -> None:
    names = ["lo", *(row["ifname"] for row in there)]
    facts = node({"mpls_input": inputs}, interfaces=links(*there), inputs={name: name in on for name in names})
    assert judged("S11", facts) == (holds, seen)


def test_an_interface_that_may_come_later_is_waited_for_and_said() -> None:
    routes = [{"push": [100], "to": "10.1.0.0/16", "via": "10.96.96.1"}]
    facts = node(
        {"mpls_input": ["tap0"], "openvpn": [TAP], "routes": routes},
        **{"interfaces": links(*CORE), "inputs": {"lo": False}, "links": {"core0": UP}, "routes": ()},
    )
    assert judged("S11", facts) == (True, "waits for tap0, which may come later")
    assert judged("R2", facts) == (True, "10.1.0.0/16 waits for tap0, which may come later")
    assert judged("F11", facts) == (True, "tap0: waits for it, which may come later")


def test_a_route_that_waits_hides_no_other_of_the_same_prefix_that_is_missing() -> None:
    routes = [
        {"push": [100], "to": "10.1.0.0/16", "via": "10.96.96.1", "table": 10},
        {"push": [200], "to": "10.1.0.0/16", "via": "10.9.0.2", "dev": "core0"},
    ]
    facts = node({"openvpn": [TAP], "routes": routes}, interfaces=links(*CORE), links={"core0": UP}, routes=())
    assert judged("R2", facts) == (False, "10.1.0.0/16 is not there")


@pytest.mark.parametrize(("said", "holds"), [({}, True), ({"tap0": {"optional": False}}, False)])
def test_a_tap_of_a_tunnel_may_come_later_unless_the_inventory_says_no(said: dict[str, Any], holds: bool) -> None:
    spec = {"mpls_input": ["tap0"], "openvpn": [TAP], "interfaces": said}
    assert judged("S11", node(spec, interfaces=links(*CORE), inputs={"lo": False}))[0] is holds


def test_an_interface_is_called_one_that_comes_later_in_the_inventory() -> None:
    spec = {"mpls_input": ["eth0.100"], "interfaces": {"eth0.100": {"kind": "vlan", "optional": True}}}
    facts = node(spec, interfaces=links(*CORE), inputs={"lo": False})
    assert judged("S11", facts) == (True, "waits for eth0.100, which may come later")


def test_a_route_by_an_altname_is_one_by_the_interface_itself() -> None:
    routes = [{"push": [100], "to": "10.1.0.0/16", "via": "10.9.0.2", "dev": "uplink"}]
    shown = of_show("10.1.0.0/16  encap mpls  100 via 10.9.0.2 dev eth0 proto 77 ", "inet")
    facts = node({"routes": routes}, interfaces=links(*CORE), links={"eth0": UP}, routes=tuple(shown))
    assert judged("R2", facts) == (True, "all 1 are as written")
    assert judged("F11", facts) == (True, "eth0: up")
    assert judged("F5", facts)[0] is True


def test_a_route_by_an_interface_that_is_not_there_names_those_that_are() -> None:
    routes = [{"push": [100], "to": "10.1.0.0/16", "via": "10.9.0.2", "dev": "coer0"}]
    facts = node({"routes": routes}, interfaces=links(*CORE), links={"eth0": UP}, routes=())
    assert judged("R2", facts) == (False, "10.1.0.0/16 is not there")
    seen = "coer0: no such interface; the node has core0, eth0 — did you mean core0?"
    assert judged("F11", facts) == (False, seen)
    assert judged("F5", facts) == (None, "coer0: not there: see S11, F11")


@pytest.mark.parametrize(
    ("link", "holds", "seen"),
    [
        ({**UP, "operstate": "unknown"}, True, "eth0: up"),
        ({**UP, "operstate": "dormant"}, True, "eth0: up"),
        ({**UP, "operstate": "notpresent"}, False, "eth0: no carrier"),
        ({**UP, "flags": "0x1002"}, False, "eth0: down"),
        ({"flags": "0x1003"}, None, "what eth0 is like could not be read"),
    ],
)
def test_an_interface_of_a_route_is_up_when_it_is_known_to_be(link: dict[str, str], holds: bool, seen: str) -> None:
    routes = [{"push": [100], "to": "10.1.0.0/16", "via": "10.9.0.2", "dev": "eth0"}]
    facts = node({"routes": routes}, interfaces=links(*CORE), links={"eth0": link}, routes=())
    assert judged("F11", facts) == (holds, seen)


def test_a_next_hop_that_failed_on_another_link_is_not_ours() -> None:
    routes = [{"push": [100], "to": "fd01::/48", "via": "fe80::1", "dev": "eth0"}]
    shown = of_show("fd01::/48  encap mpls  100 via fe80::1 dev eth0 proto 77 metric 1024 pref medium", "inet6")
    known = {"interfaces": links(*CORE), "routes": tuple(shown)}
    facts = node({"routes": routes}, **known, unresolved=frozenset({("fe80::1", "core0")}))
    assert judged("F9", facts) == (True, "none of 1, as far as was tried")
    facts = node({"routes": routes}, **known, unresolved=frozenset({("fe80::1", "core0"), ("fe80::1", "eth0")}))
    assert judged("F9", facts) == (False, "fe80::1 on eth0")


@pytest.mark.parametrize("condition", ["N5", "N8", "S11", "X1", "L2", "R1", "R2", "R3", "F11", "F5", "F9", "M1"])
def test_what_could_not_be_read_is_never_so(condition: str) -> None:
    routes = [{"push": [100], "to": "10.1.0.0/16", "via": "10.9.0.2", "dev": "eth0"}]
    asked = {"mpls_input": ["eth0"], "loopbacks": ["10.255.0.1/32"], "routes": routes}
    facts = Facts(Ahead(_Deaf()), NodeSpec.model_validate(asked))
    facts.__dict__.update(platform_labels=100_000, tool=("/sbin/ip", "ip utility, iproute2-6.1.0"), module_files={})
    holds, seen = judged(condition, facts)
    assert (holds, seen.partition(": ")[0]) == (None, "it could not be read")
