"""A stock Debian node stays as it was set up: whatever goes and comes again, labels and routes follow by themselves.

The keeper looks around once a minute, whatever happens: what is back within 30 s came back because of what happened.
How long it took is measured on the node and printed; benchmarks/keeper.py makes a table of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mplskit.node.verify.reboot import reboot
from mplskit.remote.session import once
from mplskit.vm.machine import Guest, Machine, booted
from tests.worlds.checkout import Ran, invoke, overlay

NODES = """\
nodes:
  vm:
    allow: [default-route]
    platform_labels: 1000
    mpls_input: [eth0, eth0.100, tap0, core1]
    interfaces: {eth0.100: {optional: true}, tap0: {optional: true}, core1: {optional: true}}
    loopbacks: [10.200.200.1/32, "2001:db8:ffff::1/128"]
    routes:
      - {push: [100], to: 192.0.2.1/32, via: 10.0.2.2, dev: eth0}
      - {push: [101, 102], to: 198.51.100.0/24, via: 10.96.1.2, dev: eth0.100}
      - {push: [103], to: "2001:db8:1::/48", via: "fe80::2", dev: tap0, mtu: 1400, ttl: 9}
      - push: [104]
        to: 192.0.2.128/25
        nexthops: [{via: 10.96.0.2, dev: tap0, weight: 2}, {via: 10.96.1.2, dev: eth0.100}]
      - {swap: 200, as: [201], via: 10.96.0.2, dev: tap0}
      - {swap: 202, as: [0], via: 10.0.2.2, dev: eth0}
      - swap: 205
        as: [300]
        nexthops: [{via: 10.96.0.2, dev: tap0}, {via: 10.96.1.2, dev: eth0.100, as: [301, 302]}]
      - {pop: 203, dev: lo}
      - {pop: 204, via: 10.96.1.2, dev: eth0.100}
"""

# What the kernel must show when all of it is there.
ALL = """\
192.0.2.1 encap mpls 100 via 10.0.2.2 dev eth0
192.0.2.128/25 nexthop encap mpls 104 via 10.96.0.2 dev tap0 weight 2 \
nexthop encap mpls 104 via 10.96.1.2 dev eth0.100 weight 1
198.51.100.0/24 encap mpls 101/102 via 10.96.1.2 dev eth0.100
2001:db8:1::/48 encap mpls 103 ttl 9 via fe80::2 dev tap0 metric 1024 mtu 1400 pref medium
200 as to 201 via inet 10.96.0.2 dev tap0 proto 77
202 as to 0 via inet 10.0.2.2 dev eth0 proto 77
203 dev lo proto 77
204 via inet 10.96.1.2 dev eth0.100 proto 77
205 proto 77 nexthop as to 300 via inet 10.96.0.2 dev tap0 nexthop as to 301/302 via inet 10.96.1.2 dev eth0.100
inet 10.200.200.1/32
inet6 2001:db8:ffff::1/128
1000 1 1 1
"""

# Brought to the node. `awaited CONDITION`: the hundredths of a second from $begin until it holds, 30 s at most.
SCRIPT = """\
seen() {
    {
        ip -o -N -4 route show table all proto 77
        ip -o -N -6 route show table all proto 77
        ip -o -N -f mpls route show
        ip -o address show dev lo | grep -o 'inet6* \\(10\\|2001\\)[^ ]*'
        cd /proc/sys/net/mpls && cat platform_labels conf/eth0/input conf/eth0.100/input conf/tap0/input | xargs
    } 2>/dev/null | sed 's/[\\\\[:space:]]\\+/ /g; s/ \\(dead\\|linkdown\\)//g; s/ $//'
}
complete() { seen | cmp -s - /root/all; }
input() { read -r value <"/proc/sys/net/mpls/conf/$1/input" && [ "$value" = 1 ]; } 2>/dev/null
now() { read -r up _ </proc/uptime && now=${up%.*}${up#*.}; }
awaited() {
    until "$@"; do
        now; [ $((now - begin)) -lt 3000 ] || { echo "not so after 30 s: $*" >&2; return 1; }
        sleep 0.05
    done
    now; echo $((now - begin))
}
vlan() { ip link add link eth0 name eth0.100 type vlan id 100 && up eth0.100 10.96.1.1; }
tap() { ip tuntap add tap0 mode tap && up tap0 10.96.0.1; }
starts() { now; begin=$now; for i in $(seq 20); do ip -V >/dev/null; done; now; echo $((now - begin)); }
up() { ip address add "$2/24" dev "$1" && ip link set "$1" up; }
came() { until ip -o -4 address show up dev "$1" 2>/dev/null | grep -q inet; do sleep 0.05; done; now; begin=$now; }
unloaded() {
    # The keeper makes the routes again, 0.2 s after the first of them went, which loads the modules.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ip route flush proto 77; ip -6 route flush proto 77
        modprobe -r mpls_iptunnel mpls_router && sleep 1 && [ ! -e /proc/sys/net/mpls ] && return
    done
    return 1
}
"""


@dataclass(frozen=True)
class Node:
    """The node that is set up, and how it is reached."""

    machine: Machine
    nodes: Path

    def __call__(self, command: str, timeout: float = 600) -> str:
        """What a command says on the node."""
        return once(self.machine.host, f". /root/script; {command}", timeout=timeout).stdout

    def task(self, name: str) -> Ran:
        """A task of ours with this node."""
        config = str(self.machine.host.ssh_config)
        return invoke(name, "--inventory", str(self.nodes), "--ssh-config", config, "--json")

    def comes_back(self, act: str, condition: str = "complete", *, before: str = ":") -> None:
        """Prove that a condition holds within 30 s of the beginning of `act`."""
        taken, started = self(f"{before} || exit 1; now; begin=$now; {act}; awaited {condition}; starts").split()[-2:]
        _print(act, int(taken), int(started))


def _print(what: str, taken: int, started: int) -> None:
    """Tell hundredths of a second; in `started` of them the node starts 20 programs."""
    print(f"{taken / 100:.2f} s (a program: {started / 2:.0f} ms): {what}")


def items(ran: Ran) -> Any:
    """What a run told of its only node."""
    return ran.json["nodes"][0]["items"]


@pytest.fixture(scope="module")
def node(stock_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that was set up before any of its interfaces but eth0 was there."""
    folder = tmp_path_factory.mktemp("stays")
    guest = replace(stock_guest, disk=overlay(stock_guest.disk, folder / "disk.qcow2"), persist=True)
    (folder / "nodes.yaml").write_text(NODES)
    with booted(guest, folder) as machine:
        machine.let_reboot()
        for name, text in (("script", SCRIPT), ("all", ALL)):
            once(machine.host, f"cat >/root/{name}", stdin=text.encode())
        node = Node(machine, folder / "nodes.yaml")
        node("modprobe -a tun 8021q dummy")
        ran = node.task("node.bootstrap")
        assert ran.code == 0, ran.out + ran.err
        yield node


def test_interfaces_that_come_later_get_their_input_and_routes(node: Node) -> None:
    node.comes_back("vlan", "input eth0.100")
    node.comes_back("tap", "input tap0")
    node.comes_back("ip link set other name core1", "input core1", before="ip link add other type dummy")
    assert node("now; begin=$now; awaited complete >/dev/null; seen") == ALL
    assert node("cat /proc/sys/net/mpls/conf/lo/input") == "0\n"


@pytest.mark.parametrize(
    ("before", "act"),
    [
        ("ip link set eth0.100 down; sleep 1", "ip link set eth0.100 up"),
        ("ip link delete tap0; sleep 1", "tap"),
        (":", "ip route delete 198.51.100.0/24; ip -f mpls route delete 203; ip address delete 10.200.200.1/32 dev lo"),
        ("unloaded", "modprobe -a mpls_router mpls_iptunnel"),
    ],
    ids=["a link that was down", "a tap made anew", "routes and an address deleted by hand", "modules loaded again"],
)
def test_all_of_it_is_back_after(before: str, act: str, node: Node) -> None:
    node.comes_back(act, before=before)


def test_routes_of_others_are_never_replaced_and_are_told_and_outlive_us(node: Node) -> None:
    node("ip route add 198.18.0.0/24 via 10.0.2.2 proto static; ip -f mpls route add 300 via inet 10.0.2.2 dev eth0")
    theirs = "ip route show 198.18.0.0/24; ip -f mpls route show 300"
    before = node(theirs)
    more = "      - {push: [105], to: 198.18.0.0/24, via: 10.0.2.2}\n      - {pop: 300, dev: lo}\n"
    node.nodes.write_text(NODES + more)
    ran = node.task("node.bootstrap")
    assert ran.code == 1
    assert {(item["name"], item["detail"]) for item in items(ran) if item["state"] == "failed"} == {
        ("198.18.0.0/24", "there is one already that is not ours; it is left alone"),
        ("label 300", "there is one already that is not ours; it is left alone"),
    }
    assert node(theirs) == before
    node.nodes.write_text(NODES)
    assert node.task("node.bootstrap").code == 0
    assert node(theirs) == before
    node("ip route delete 198.18.0.0/24; ip -f mpls route delete 300")


@pytest.mark.full
def test_the_keeper_sleeps_while_nothing_happens_and_thousands_of_other_routes_cost_it_little(node: Node) -> None:
    used = "cat /sys/fs/cgroup/system.slice/mplskit-routes.service/cpu.stat | sed -n 's/^usage_usec //p'"
    node("now; begin=$now; awaited complete; sleep 2")
    first, second = node(f"{used}; sleep 5; {used}").split()
    assert second == first
    lines = "for i in $(seq 0 9999); do echo route add 198.19.$((i / 256)).$((i % 256))/32 via 10.0.2.2; done"
    node(f"{lines} >/root/batch; ip -batch /root/batch; sleep 2")
    third, wakes = node(f"{used}; ip route show | grep -c 198.19").split()
    print(f"10000 routes of others: {(int(third) - int(second)) / 1e6:.2f} s of processor time")
    assert wakes == "10000"
    node("sed -i 's/add/delete/' /root/batch; ip -batch /root/batch")


@pytest.mark.full
def test_a_restart_of_networkd_leaves_all_of_it_there(node: Node) -> None:
    # It takes routes of others from its links while it starts, which `systemctl restart` awaits only in part.
    node("systemctl restart systemd-networkd; networkctl reload; sleep 2; now; begin=$now; awaited complete")


# Each has its own way to make an interface; the time counts from the interface's address.
IFUPDOWN = """\
printf 'iface eth0.100 inet static\n  address 10.96.1.1/24\n  vlan-raw-device eth0\n' >/etc/network/interfaces
ip link delete eth0.100"""
NETWORK_MANAGER = """\
printf '[keyfile]\nunmanaged-devices=*,except:interface-name:tap0\n' >/etc/NetworkManager/conf.d/tap.conf
systemctl restart NetworkManager; ip link delete tap0
nmcli connection add type tun mode tap ifname tap0 con-name tap0 ip4 10.96.0.1/24 ipv6.method link-local \
    connection.autoconnect no >&2"""


@pytest.mark.full
@pytest.mark.parametrize(
    ("package", "prepared", "up", "down", "gone", "by_hand"),
    [
        ("ifupdown", IFUPDOWN, "ifup eth0.100", "ifdown eth0.100", "rm /etc/network/interfaces", "vlan"),
        (
            "network-manager",
            NETWORK_MANAGER,
            "nmcli connection up tap0",
            "nmcli connection down tap0",
            "nmcli connection delete tap0; systemctl disable --now NetworkManager",
            "tap",
        ),
    ],
    ids=["ifupdown", "NetworkManager"],
)
def test_interfaces_of_other_network_tools_get_theirs_back_each_time(
    package: str, prepared: str, up: str, down: str, gone: str, by_hand: str, node: Node
) -> None:
    node(f"{{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y {package}; }} >&2", 900)
    node(prepared)
    act = f"{{ {up} >&2 & }}; came {up.rsplit(maxsplit=1)[-1]}"
    node.comes_back(act)
    node.comes_back(act, before=f"{down} >&2 && sleep 1")
    node.comes_back(by_hand, before=f"{{ {down}; {gone}; }} >&2 && sleep 1")


# systemd-networkd makes the interfaces at every boot, as on an operator's node; a unit of its own measures how long
# after the last of them all of it is there.
BOOT = """\
cd /etc/systemd/network
printf '[Match]\\nName=eth0\\n[Network]\\nDHCP=ipv4\\nVLAN=eth0.100\\n' >10-eth0.network
printf '[NetDev]\\nName=eth0.100\\nKind=vlan\\n[VLAN]\\nId=100\\n' >50-vlan.netdev
printf '[Match]\\nName=eth0.100\\n[Network]\\nAddress=10.96.1.1/24\\n' >50-vlan.network
printf '[NetDev]\\nName=tap0\\nKind=tap\\n' >50-tap.netdev
printf '[Match]\\nName=tap0\\n[Network]\\nAddress=10.96.0.1/24\\nConfigureWithoutCarrier=yes\\n' >50-tap.network
cat >/root/watch <<'END'
. /root/script
there() { [ "$(ip -o -4 address show up | grep -Ec 'eth0 .* 10.0.2|eth0.100 .* 10.96.1.1/|tap0 .* 10.96.0.1/')" = 3 ]; }
until there; do sleep 0.1; done
now; begin=$now
awaited complete >/root/watched 2>&1
END
cat >/etc/systemd/system/watch.service <<'END'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh /root/watch
[Install]
WantedBy=sysinit.target
END
systemctl enable watch.service; rm -f /root/watched"""


def test_after_a_reboot_all_of_it_is_there_once_the_last_interface_is(node: Node) -> None:
    node(BOOT)
    reboot(node.machine.host, 900)
    node("now; begin=$now; awaited test -s /root/watched")
    taken, started = node("cat /root/watched; starts").split()[-2:]
    assert node("seen") == ALL
    _print("a boot", int(taken), int(started))
