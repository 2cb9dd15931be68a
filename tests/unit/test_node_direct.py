"""Pushes by an interface alone: right where it is point-to-point or knows no ARP, and who says so."""

from pathlib import Path

import pytest

from mplskit.errors import Exit, WrongInput
from mplskit.fleet.flags import SpecFlags
from mplskit.fleet.inventory.selection import selected
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import contents
from mplskit.node.payload.render import ROUTES_FILE, render

INVENTORY = """
groups:
  tunnels:
    interfaces: {{gre1: {{kind: {kind}}}, gre2: {{kind: sit}}}}
nodes:
  ler-1:
    groups: [tunnels]
    routes:
      - {{push: [100], to: 10.9.0.0/24, dev: {dev}}}
      - push: [100]
        to: 10.8.0.0/16
        nexthops:
          - {{dev: gre2}}
          - {{via: 10.0.0.1, push: [101]}}
"""
UNKNOWN = (
    "a push by {dev} without via is right where {dev} is point-to-point or knows no ARP, and here no node can be asked"
    ": say what it is, as in interfaces: {{{dev}: {{kind: gre}}}}, or add via"
)
NEEDS_VIA = (
    "a push by {dev} needs via, since {dev} is of kind {kind}: Linux takes labels without a next hop there and the "
    "packets go nowhere, without an error"
)


def written(folder: Path, kind: str = "gre", dev: str = "gre1") -> str:
    path = folder / "nodes.yaml"
    path.write_text(INVENTORY.format(kind=kind, dev=dev))
    return str(path)


@pytest.mark.parametrize("kind", ["gre", "ip6gre", "ipip", "ip6tnl", "sit", "bareudp", "ppp"])
def test_a_push_by_a_device_that_needs_no_next_hop_is_written_without_one(kind: str, tmp_path: Path) -> None:
    [node] = selected(SpecFlags(inventory=written(tmp_path, kind)), asked=False)
    lines = render(node.spec)[ROUTES_FILE].splitlines()[2:]
    assert lines == [
        "route add 10.9.0.0/24 proto 77 encap mpls 100 dev gre1",
        "route add 10.8.0.0/16 proto 77 nexthop encap mpls 100 dev gre2 weight 1"
        " nexthop encap mpls 101 via 10.0.0.1 weight 1",
    ]
    assert NodeSpec.model_validate(node.spec.compact()) == node.spec


@pytest.mark.parametrize("kind", ["ethernet", "tap", "vlan", "bridge", "bond", "veth", "gretap", "vxlan"])
def test_a_push_without_a_next_hop_by_what_is_known_to_need_one_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as caught:
        selected(SpecFlags(inventory=written(tmp_path, kind)))
    place = f"{tmp_path}/nodes.yaml:9: nodes.ler-1.routes[0].dev"
    assert str(caught.value).splitlines()[0] == f"error: {place}: {NEEDS_VIA.format(dev='gre1', kind=kind)}"


@pytest.mark.parametrize("kind", ["tun", "wireguard"])
def test_what_carries_no_labels_is_refused_too(kind: str, tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match=f"gre1 is of kind {kind}, which carries no labels"):
        selected(SpecFlags(inventory=written(tmp_path, kind)))


def test_the_tap_of_an_openvpn_section_needs_a_next_hop() -> None:
    vpn = {"dev": "tap0", "address": "10.96.96.2/30", "cert": "/etc/a", "key": "/etc/b", "ca": "/etc/c"}
    with pytest.raises(ValueError, match="since tap0 is of kind tap"):
        NodeSpec.model_validate({"openvpn": [vpn], "routes": [{"push": [100], "to": "10.9.0.0/24", "dev": "tap0"}]})


def test_a_node_that_can_be_asked_needs_no_word_and_one_that_cannot_does(tmp_path: Path) -> None:
    path = written(tmp_path, dev="gre7")
    [node] = selected(SpecFlags(inventory=path))
    asked = dict(contents(node.spec))["want/direct"]
    assert asked == b"gre7\t-\ngre2\tsit\n"
    with pytest.raises(WrongInput) as caught:
        selected(SpecFlags(inventory=path), asked=False)
    assert caught.value.code == Exit.WRONG_INPUT
    assert str(caught.value) == f"error: {path}:9: nodes.ler-1.routes[0].dev: {UNKNOWN.format(dev='gre7')}"


def test_the_command_line_is_asked_like_an_inventory() -> None:
    routes = "routes=[{push: [100], to: 10.9.0.0/24, dev: gre1}]"
    with pytest.raises(WrongInput, match="here no node can be asked"):
        selected(SpecFlags(host="ler-1", set_=(routes,)), asked=False)
    [node] = selected(
        SpecFlags(
            host="ler-1",
            set_=(
                routes,
                "interfaces.gre1.kind=gre",
            ),
        ),
        asked=False,
    )
    assert node.spec.direct == {"gre1": "gre"}


def test_an_unknown_kind_is_told_with_those_that_there_are() -> None:
    with pytest.raises(WrongInput, match="'ethernet'"):
        selected(SpecFlags(host="ler-1", set_=("interfaces.gre1.kind=token-ring",)))
    with pytest.raises(WrongInput, match="there is no such key; allowed: kind"):
        selected(SpecFlags(host="ler-1", set_=("interfaces.gre1.type=gre",)))


def test_a_next_hop_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a next hop has via, or the dev of a point-to-point link"):
        NodeSpec.model_validate({"routes": [{"push": [100], "to": "10.9.0.0/24", "nexthops": [{"weight": 2}]}]})


def test_one_of_several_next_hops_of_an_ipv6_destination_needs_via() -> None:
    hops = [{"dev": "gre1"}, {"dev": "gre2"}]
    rule = r"nexthops\[0\]: an IPv6 destination with several next hops needs via in each: Linux takes no dev alone"
    with pytest.raises(ValueError, match=rule):
        NodeSpec.model_validate({"routes": [{"push": [100], "to": "2001:db8::/32", "nexthops": hops}]})
    assert NodeSpec.model_validate({"routes": [{"push": [100], "to": "2001:db8::/32", "dev": "gre1"}]})
