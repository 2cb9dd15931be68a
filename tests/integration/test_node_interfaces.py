"""Interfaces that are named and not there, or by another of their names: said before or while a node is set up."""

from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.report import Item
from tests.integration.test_node_apply import contained, namespaces

__all__ = ["namespaces"]

TAP = {
    "dev": "tap0",
    "address": "10.96.96.2/30",
    "cert": "/etc/openvpn/n.crt",
    "key": "/etc/openvpn/n.key",
    "ca": "/etc/openvpn/ca.crt",
}
LINKS = "ip link add core0 type veth peer name eth0; ip link property add dev eth0 altname enp3s0f0 altname uplink"


def told(folder: Path, spec: dict[str, object], mode: str, before: str = "") -> list[Item]:
    """What is said of interfaces."""
    stage(folder / "stage", NodeSpec.model_validate(spec))
    said = contained(folder / "stage", f'{LINKS}; {before}\nsh "$APPLY" {mode}')
    return [item for item in said if isinstance(item, Item) and item.kind == "interface"]


@pytest.mark.parametrize("mode", ["plan", "live"])
def test_an_interface_that_is_not_there_is_waited_for_and_the_node_names_those_that_it_has(
    mode: str, tmp_path: Path
) -> None:
    assert told(tmp_path, {"mpls_input": ["coer0", "core0", "zz.100"]}, mode) == [
        Item("waits", "interface", "coer0", "no such interface; the node has eth0, core0 — did you mean core0?"),
        Item("waits", "interface", "zz.100", "no such interface; the node has eth0, core0"),
    ]


def test_the_tap_of_a_tunnel_may_come_later(tmp_path: Path) -> None:
    assert told(tmp_path, {"mpls_input": ["tap0"], "openvpn": [TAP]}, "live") == [
        Item("note", "interface", "tap0", "no such interface now: it may come later")
    ]


def test_one_that_the_inventory_calls_optional_may_come_later(tmp_path: Path) -> None:
    spec = {"mpls_input": ["eth0.100"], "interfaces": {"eth0.100": {"optional": True}}}
    assert told(tmp_path, spec, "plan") == [
        Item("note", "interface", "eth0.100", "no such interface now: it may come later")
    ]


def test_a_node_with_no_interface_at_all_says_so(tmp_path: Path) -> None:
    assert told(tmp_path, {"mpls_input": ["eth0"]}, "live", "ip link delete core0") == [
        Item("waits", "interface", "eth0", "no such interface; the node has no interface but lo")
    ]


def test_an_altname_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    stage(tmp_path / "stage", NodeSpec(mpls_input=("core0", "enp3s0f0")))
    said = contained(tmp_path / "stage", f'{LINKS}\nsh "$APPLY" node; echo "exit $?"; ls /etc /var/lib')
    why = "is an altname of eth0: labels are accepted by names of their own: write eth0"
    assert said[:2] == [Item("failed", "interface", "enp3s0f0", why), "exit 1"]
    assert "mplskit" not in said
    assert "sysctl.d" not in said
