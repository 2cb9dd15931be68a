"""node.verify on a stock Debian node that is set up: what holds, what is broken, and the same after a reboot."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mplskit.remote.session import once
from mplskit.vm.machine import Guest, Machine, booted
from tests.worlds.checkout import Ran, invoke, overlay

NODES = """\
nodes:
  vm:
    mpls_input: [core.100]
    loopbacks: [192.168.10.187/32]
    ip_forward: true
    routes:
      - {push: [101, 102], to: 192.168.10.152/32, via: 10.9.0.2, dev: core.100, src: 192.168.10.187}
      - {push: [103], to: 192.168.11.0/24, nexthops: [{via: 10.9.0.2, weight: 2}, {via: 10.9.0.3}]}
      - {pop: 101, dev: lo}
      - {swap: 100, as: [200], via: 10.9.0.2}
"""

# systemd-networkd makes it at every boot, as an operator's node would have it.
CORE = """\
cd /etc/systemd/network
printf '[NetDev]\\nName=core\\nKind=dummy\\n' >50-core.netdev
printf '[Match]\\nName=core\\n[Network]\\nVLAN=core.100\\n' >50-core.network
printf '[NetDev]\\nName=core.100\\nKind=vlan\\n[VLAN]\\nId=100\\n' >50-vlan.netdev
printf '[Match]\\nName=core.100\\n[Network]\\nAddress=10.9.0.1/24\\n' >50-vlan.network
systemctl restart systemd-networkd
for i in $(seq 100); do ip address show dev core.100 2>/dev/null | grep -q 10.9.0.1/24 && exit; sleep 0.2; done
exit 1"""


@pytest.fixture(scope="module")
def vm(stock_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A node that was set up."""
    folder = tmp_path_factory.mktemp("verified")
    guest = replace(stock_guest, disk=overlay(stock_guest.disk, folder / "disk.qcow2"), persist=True)
    (folder / "nodes.yaml").write_text(NODES)
    with booted(guest, folder) as machine:
        machine.let_reboot()
        on(machine, CORE)
        ran = task("node.bootstrap", machine)
        assert ran.code == 0, ran.out + ran.err
        yield machine


def task(name: str, machine: Machine, *words: str) -> Ran:
    nodes = machine.console.parent / "nodes.yaml"
    config = str(machine.host.ssh_config)
    return invoke(name, "--inventory", str(nodes), "--ssh-config", config, "--json", *words)


def on(machine: Machine, command: str) -> str:
    return once(machine.host, command, timeout=600).stdout


def verdicts(ran: Ran) -> dict[str, bool | None]:
    [node] = ran.json["nodes"]
    return {check["id"]: check["passed"] for check in node["checks"]}


def failed(ran: Ran) -> dict[str, str]:
    [node] = ran.json["nodes"]
    return {check["id"]: check["seen"] for check in node["checks"] if check["passed"] is not True}


ASKED = {
    *("N1", "N5", "K1", "K5", "K3", "K2", "G1", "N8", "K16", "S17", "P1", "S1", "S11", "X1", "L2", "L3", "L5", "L6"),
    *("R1", "R2", "R3", "F11", "F5", "F9", "M1", "N2", "N3", "N4", "N6", "N7"),
}


def test_every_condition_that_the_spec_asks_for_holds_and_junit_says_so(vm: Machine, tmp_path: Path) -> None:
    ran = task("node.verify", vm, "--junit", str(tmp_path / "junit.xml"))
    assert ran.code == 0, ran.out
    assert verdicts(ran) == dict.fromkeys(ASKED, True)
    [suite] = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert {name: suite.get(name) for name in ("name", "failures", "errors", "skipped")} == {
        "name": "vm", "failures": "0", "errors": "0", "skipped": "0",
    }  # fmt: skip
    assert {case.get("name") for case in suite} == ASKED


def test_the_probe_leaves_nothing(vm: Machine) -> None:
    before = "ip -o link; ip -4 route show table all; ip -f mpls route show; cat /proc/modules | cut -d ' ' -f 1 | sort"
    found = on(vm, before)
    assert task("node.verify", vm).code == 0
    assert on(vm, before) == found


@pytest.mark.parametrize(
    ("broken", "mended", "condition", "seen"),
    [
        ("sysctl -w net.ipv4.conf.lo.rp_filter=1", "sysctl -w net.ipv4.conf.lo.rp_filter=2", "L3", "1 counts"),
        ("sysctl -w net.ipv4.ip_forward=0", "sysctl -w net.ipv4.ip_forward=1", "L6", "net/ipv4/ip_forward is 0"),
        (
            "ip -f mpls route add 500 dev lo proto 77",
            "ip -f mpls route delete 500",
            "R3",
            "label 500 dev lo",
        ),
        (
            "echo blacklist mpls-router >/etc/modprobe.d/local.conf",
            "rm /etc/modprobe.d/local.conf",
            "N8",
            "blacklist mpls_router",
        ),
        (
            "ping -c 1 -W 4 -I core.100 10.9.0.2 >/dev/null; "
            "ip neighbour replace 10.9.0.2 dev core.100 lladdr 02:00:00:00:00:09 nud failed",
            "ip neighbour flush dev core.100",
            "F9",
            "10.9.0.2 on core.100",
        ),
        (
            "systemctl stop mplskit-routes.service",
            "systemctl start mplskit-routes.service",
            "N7",
            "mplskit-routes.service: enabled, inactive",
        ),
    ],
)
def test_what_is_broken_is_named(broken: str, mended: str, condition: str, seen: str, vm: Machine) -> None:
    # The keeper looks once a minute, and mends what it can.
    on(vm, f"flock /run/mplskit/lock systemctl kill -s STOP mplskit-routes; {broken} || true")
    try:
        ran = task("node.verify", vm)
        assert ran.code == 1
        found = failed(ran)
        assert list(found) == [condition]
        assert seen in found[condition]
    finally:
        on(vm, f"systemctl kill -s CONT mplskit-routes; {mended}")


@pytest.mark.full
def test_after_a_reboot_that_was_asked_for_every_condition_holds(vm: Machine) -> None:
    before = on(vm, "cat /proc/sys/kernel/random/boot_id")
    ran = task("node.verify", vm, "--reboot", "--timeout", "200")
    assert ran.code == 0, ran.out
    assert on(vm, "cat /proc/sys/kernel/random/boot_id") != before
