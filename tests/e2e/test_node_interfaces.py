"""Every kind of interface on a stock Debian node: the name that counts, that which does not, and one that comes later.

A network namespace is the far end of each: what it sends with a label shows by which interface the kernel receives it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mplskit.node.verify.mpls_counters import parse
from mplskit.remote.session import once
from mplskit.vm.machine import Guest, booted
from tests.worlds.checkout import Ran, overlay
from tests.worlds.stock_node import Node, changes

pytestmark = pytest.mark.full

# p0 is a port of br0, m0 and m1 are members of bond0, core0 has a VLAN and is called uplink, too, blue0 is in a VRF,
# and wan0 was called ens9 before.
LINKS = """\
set -e
modprobe -a bonding 8021q bridge vrf dummy veth
ip netns add far
pair() { ip link add "$1" type veth peer name "$2" netns far; ip -n far link set "$2" up; }
near() { ip address add "$2" dev "$1"; ip link set "$1" up; }
far() { ip -n far address add "$2" dev "$1"; }
ip link add br0 type bridge; pair p0 far1; ip link set p0 up master br0
near br0 10.9.1.1/24; far far1 10.9.1.2/24
[ -e /sys/class/net/bond0 ] || ip link add bond0 type bond
ip link set bond0 down; ip link set bond0 type bond mode active-backup miimon 100
pair m0 far2; ip link add m1 type dummy; ip link set m0 master bond0; ip link set m1 master bond0
near bond0 10.9.2.1/24; far far2 10.9.2.2/24
pair core0 far3; ip link property add dev core0 altname uplink
near core0 10.9.3.1/24; far far3 10.9.3.2/24
ip link add link core0 name core0.100 type vlan id 100; ip -n far link add link far3 name far4 type vlan id 100
ip -n far link set far4 up; near core0.100 10.9.4.1/24; far far4 10.9.4.2/24
ip link add vrf-blue type vrf table 10; ip link set vrf-blue up
pair blue0 far5; ip link set blue0 master vrf-blue; near blue0 10.9.5.1/24; far far5 10.9.5.2/24
pair ens9 far6; ip link set ens9 name wan0; near wan0 10.9.6.1/24; far far6 10.9.6.2/24
"""
# One packet with a label from each far end, after an unlabelled one has found out the neighbour.
SEND = """\
for n in 1 2 3 4 5 6; do
    until ip -n far neigh show 10.9.$n.1 | grep -q lladdr; do
        ip netns exec far bash -c "echo x >/dev/udp/10.9.$n.1/9" 2>/dev/null
        sleep 0.1
    done
    ip -n far route replace 198.18.$n.1/32 encap mpls 203 via 10.9.$n.1 dev far$n
    ip netns exec far bash -c "echo x >/dev/udp/198.18.$n.1/9"
done"""
COUNTERS = "ip stats show group afstats subgroup mpls"
NODES = """\
nodes:
  vm:
    mpls_input: [{names}]
    interfaces: {{late0: {{optional: true}}}}
    routes:
      - {{push: [100], to: 192.0.2.1/32, via: 10.9.3.2, dev: uplink}}
      - {{swap: 200, as: [201], via: 10.9.3.2, dev: uplink}}
      - {{push: [101], to: 192.0.2.2/32, via: 10.9.7.2, dev: late0}}
      - {{swap: 202, as: [201], via: 10.9.7.2, dev: late0}}
      - {{pop: 203, dev: lo}}
"""
RECEIVERS = "br0, bond0, core0, core0.100, blue0, wan0"
RIGHT = NODES.format(names=f"{RECEIVERS}, late0")
ROUTES = "ip -o -N route show proto 77; ip -f mpls -o -N route show"
OF_CORE0 = [
    "192.0.2.1 encap mpls 100 via 10.9.3.2 dev core0",
    "200 as to 201 via inet 10.9.3.2 dev core0 proto 77",
    "203 dev lo proto 77",
]
OF_LATE0 = [
    "192.0.2.2 encap mpls 101 via 10.9.7.2 dev late0",
    "202 as to 201 via inet 10.9.7.2 dev late0 proto 77",
]


@pytest.fixture(scope="module")
def node(stock_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("interfaces")
    disk = overlay(stock_guest.disk, folder / "disk.qcow2")
    with booted(replace(stock_guest, disk=disk, persist=True), folder) as machine:
        once(machine.host, "sh -s", stdin=LINKS.encode())
        yield Node(machine, folder / "nodes.yaml")


def ready(node: Node, nodes: str = RIGHT) -> Ran:
    """Set a node up, which becomes ready by that; what that run told."""
    ran = node.task("node.bootstrap", nodes)
    assert ran.code == 0, ran.err
    return ran


def told(ran: Ran, *states: str) -> list[tuple[str, str, str]]:
    """STATE, NAME and DETAIL of the items of interfaces in these states."""
    items: Any = ran.json["nodes"][0]["items"]
    return [(i["state"], i["name"], i["detail"]) for i in items if i["kind"] == "interface" and i["state"] in states]


def checks(ran: Ran, *names: str) -> dict[str, tuple[bool | None, str]]:
    """Whether these conditions hold, and what was seen; without names those that do not hold."""
    rows: Any = ran.json["nodes"][0]["checks"]
    found = {row["id"]: (row["passed"], row["seen"]) for row in rows}
    return {name: said for name, said in found.items() if name in names or (not names and said[0] is not True)}


def inputs(node: Node) -> set[str]:
    """The interfaces where labelled packets are accepted."""
    return set(node.on("cd /proc/sys/net/mpls/conf; grep -lv '^0' */input | cut -d / -f 1").split())


def accepted(node: Node) -> dict[str, int]:
    """How many labelled packets each interface has accepted."""
    counters = parse(node.on(COUNTERS))
    found = {name: of["rx.packets"] - of["rx.dropped"] for name, of in counters.items()}
    return {name: count for name, count in found.items() if count}


def routes(node: Node, wanted: list[str]) -> list[str]:
    """The routes of ours, once they are those or after 30 s."""
    lines = f"{{ {ROUTES}; }} | sed 's/  */ /g; s/ $//'"
    text = "\n".join(wanted)
    loop = f'for _ in $(seq 300); do [ "$({lines})" != "{text}" ] || break; sleep 0.1; done; {lines}'
    return node.on(loop).splitlines()


def awaited_input(node: Node, name: str) -> str:
    """The input of an interface, once it is on or after 30 s."""
    file = f"/proc/sys/net/mpls/conf/{name}/input"
    return node.on(f"for _ in $(seq 300); do ! grep -qs 1 {file} || break; sleep 0.1; done; cat {file}").strip()


def test_a_bridge_a_bond_a_vlan_the_member_of_a_vrf_and_a_renamed_card_receive_labels_by_these_names(
    node: Node,
) -> None:
    ran = ready(node)
    assert told(ran, "note", "waits", "failed") == [("note", "late0", "no such interface now: it may come later")]
    assert inputs(node) == set(RECEIVERS.split(", "))
    assert routes(node, OF_CORE0) == OF_CORE0
    assert accepted(node) == {}
    node.on(SEND)
    assert accepted(node) == dict.fromkeys(RECEIVERS.split(", "), 1)
    planned = node.task("node.plan", RIGHT)
    assert (planned.code, changes(planned)) == (0, set())
    verified = node.task("node.verify", RIGHT)
    assert (verified.code, checks(verified)) == (0, {})


def test_a_port_a_member_and_a_name_of_nothing_are_told_with_the_name_to_write_and_verified_as_wrong(
    node: Node,
) -> None:
    wrong = NODES.format(names="p0, m0, core0, blue0, wna0")
    names = "eth0, br0, p0, bond0, m0, m1, core0, core0.100, vrf-blue, blue0, wan0"
    wanted = [
        ("note", "p0", "is a port of br0: labelled packets are received on br0"),
        ("note", "m0", "is a member of bond0: labelled packets are received on bond0"),
        ("waits", "wna0", f"no such interface; the node has {names} — did you mean wan0?"),
    ]
    planned = node.task("node.plan", wrong)
    done = node.task("node.bootstrap", wrong)
    for ran in (planned, done):
        assert ran.code == 1
        assert sorted(told(ran, "note", "waits", "failed")) == sorted(wanted)
    assert "vm is not ready: waits for wna0" in done.err
    assert inputs(node) == {"p0", "m0", "core0", "blue0"}
    verified = node.task("node.verify", wrong)
    assert verified.code == 1
    assert checks(verified) == {
        "S11": (
            False,
            "p0 is a port of br0: labelled packets are received on br0, "
            "m0 is a member of bond0: labelled packets are received on bond0, "
            "core0: input on (what comes in by core0.100 is received there, and not accepted), blue0: input on, "
            f"waits for wna0: no such interface; the node has {names} — did you mean wan0?",
        ),
        "F5": (None, "wna0: not there: see S11, F11"),
    }


def test_an_altname_is_refused_where_labels_are_accepted_and_good_for_routes_which_are_kept(node: Node) -> None:
    ready(node)
    before = node.seen()
    for task in ("node.plan", "node.bootstrap"):
        ran = node.task(task, NODES.format(names="br0, uplink"))
        assert ran.code == 1
        assert told(ran, "failed") == [
            ("failed", "uplink", "is an altname of core0: labels are accepted by names of their own: write core0")
        ]
    assert node.seen() == before
    for act in ("ip link set core0 down; ip link set core0 up", "ip route del 192.0.2.1; ip -f mpls route del 200"):
        node.on(act)
        assert routes(node, OF_CORE0) == OF_CORE0


def test_what_is_optional_is_no_fault_and_gets_its_labels_and_routes_when_it_comes(node: Node) -> None:
    ready(node)
    late = checks(node.task("node.verify", RIGHT), "S11", "R2", "F11")
    assert [passed for passed, _ in late.values()] == [True] * 3
    node.on("ip link add late0 type dummy && ip address add 10.9.7.1/24 dev late0 && ip link set late0 up")
    wanted = [OF_CORE0[0], OF_LATE0[0], OF_CORE0[1], OF_LATE0[1], OF_CORE0[2]]
    assert awaited_input(node, "late0") == "1"
    assert routes(node, wanted) == wanted
    planned = node.task("node.plan", RIGHT)
    assert (planned.code, changes(planned), told(planned, "note", "waits")) == (0, set(), [])
    assert node.task("node.verify", RIGHT).code == 0
    node.on("ip link delete late0")
    assert routes(node, OF_CORE0) == OF_CORE0


def test_what_is_waited_for_gets_its_labels_when_it_comes_and_the_node_is_ready_then(node: Node) -> None:
    nodes = NODES.format(names=f"{RECEIVERS}, core1")
    waiting = node.task("node.bootstrap", nodes)
    assert (waiting.code, [name for _, name, _ in told(waiting, "waits")]) == (1, ["core1"])
    assert "— did you mean core0?" in waiting.err
    assert node.task("node.plan", nodes).code == 1
    node.on("ip link add other type dummy && ip link set other name core1 && ip link set core1 up")
    assert awaited_input(node, "core1") == "1"
    planned = node.task("node.plan", nodes)
    assert (planned.code, changes(planned)) == (0, set())
    assert node.task("node.verify", nodes).code == 0
    node.on("ip link delete core1")


def test_a_card_that_is_renamed_is_waited_for_by_its_old_name_and_closed_by_its_new_one(node: Node) -> None:
    node.on("ip link add ens10 type dummy && ip link set ens10 up")
    old, new = NODES.format(names="core0, ens10"), NODES.format(names="core0, wan1")
    ready(node, old)
    node.on("ip link set ens10 down; ip link set ens10 name wan1; ip link set wan1 up; udevadm settle")
    planned = node.task("node.plan", old)
    assert (planned.code, [name for _, name, _ in told(planned, "waits")]) == (1, ["ens10"])
    verified = checks(node.task("node.verify", old), "S11", "X1")
    assert verified["X1"] == (False, "input is on for wan1")
    assert verified["S11"][0] is False
    ready(node, new)
    assert inputs(node) == {"core0", "wan1"}
    ready(node, NODES.format(names="core0"))
    assert inputs(node) == {"core0"}
    node.on("ip link delete wan1")
