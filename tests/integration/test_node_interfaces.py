"""Interfaces that are named and not there, or by another of their names: said before or while a node is set up."""

import subprocess
from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from mplskit.node.verify.facts import Facts
from mplskit.node.verify.questions import Said
from mplskit.node.verify.questions_ahead import Ahead
from mplskit.remote.host import Host
from tests.worlds.contained_node import CONTAINED, contained
from tests.worlds.made_up_facts import judged

pytestmark = pytest.mark.usefixtures("namespaces")

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
    spec: dict[str, object] = {"mpls_input": ["eth0.100"], "interfaces": {"eth0.100": {"optional": True}}}
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


# A mpls_router that has nothing but the inputs; /sys is the namespace's own, or says what it says of a bond's member.
INPUTS = """\
ip link add p0 type veth peer name p1; ip link add br0 type bridge
mount -t sysfs none /sys && mount -t tmpfs none /proc/sys/net || exit
for name in p0 br0 eth0; do mkdir -p /proc/sys/net/mpls/conf/$name; echo 1 >/proc/sys/net/mpls/conf/$name/input; done
"""
MEMBER = """\
mount -t tmpfs none /sys/class/net; mkdir -p /sys/class/net/p0/bonding_slave; ln -s ../bond0 /sys/class/net/p0/master
"""


@pytest.mark.parametrize("mode", ["live", "node"])
@pytest.mark.parametrize(
    ("part", "what"),
    [("ip link set p0 master br0", "a port of br0"), (MEMBER, "a member of bond0")],
    ids=["port", "member"],
)
def test_a_part_of_a_bridge_or_a_bond_is_told_with_the_whole(part: str, what: str, mode: str, tmp_path: Path) -> None:
    whole = what.rpartition(" ")[2]
    assert told(tmp_path, {"mpls_input": ["p0", "br0", "eth0"]}, mode, f"{INPUTS}{part}") == [
        Item("note", "interface", "p0", f"is {what}: labelled packets are received on {whole}")
    ]


class _Node(Ahead):
    """A namespace with these links, made anew for each question: the words are those of the real ip and kernel."""

    def __init__(self, links: str) -> None:
        super().__init__(Host("node"))
        self._links = links

    def run(self, script: str) -> Said:
        ended = subprocess.run([*CONTAINED, f"{self._links}\n{script}"], capture_output=True, text=True, check=False)
        return Said(ended.returncode, ended.stdout, ended.stderr)


def test_a_port_an_altname_and_a_name_of_nothing_are_told_in_the_words_of_the_kernel() -> None:
    links = f"{LINKS}; ip link add p0 type veth peer name p1; ip link add br0 type bridge; ip link set p0 master br0"
    spec = NodeSpec(mpls_input=("core0", "uplink", "p0", "br1"))
    facts = Facts(_Node(links), spec)
    facts.__dict__["inputs"] = dict.fromkeys(("lo", "core0", "eth0", "p0", "p1", "br0"), True)
    assert judged("S11", facts) == (
        False,
        "core0: input on, uplink is an altname of eth0: labels are accepted by names of their own: write eth0, "
        "p0 is a port of br0: labelled packets are received on br0, "
        "waits for br1: no such interface; the node has eth0, core0, p1, p0, br0 — did you mean br0?",
    )
