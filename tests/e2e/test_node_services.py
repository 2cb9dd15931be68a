"""OpenVPN and FRRouting's LDP as sections of a node, with a second router in a namespace of the same VM."""

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mplskit import process
from mplskit.remote.session import once
from mplskit.vm.guest import Guest
from mplskit.vm.machine import Machine, booted
from tests.worlds.checkout import Ran, invoke, overlay

# apt brings packages through an emulated network.
pytestmark = pytest.mark.full

OPENVPN = "openvpn@mplskit-tap-core.service"
HAND_MADE = "900 via inet 10.1.0.2 dev core proto static"
# What LDP has learnt: the other router's loopback, over the tap, by its address and with label 16, the first.
LEARNT = "16 via inet 10.96.96.1 dev tap-core proto ldp"
OURS = ["20000 as to 20001 via inet 10.96.96.1 dev tap-core proto 77", "20002 dev lo proto 77"]

INVENTORY = """\
nodes:
  vm:
    mpls_input: [tap-core]
    loopbacks: [10.255.0.1/32]
    routes:
      - {{swap: 20000, as: [20001], via: 10.96.96.1}}
      - {{pop: 20002, dev: lo}}
    openvpn:
      - dev: tap-core
        address: 10.96.96.2/30
        remote: 10.1.0.2
        cert: /etc/openvpn/node.crt
        key: /etc/openvpn/node.key
        peer_fingerprint: {peer}
    ldp: {{router_id: 10.255.0.1, interfaces: [tap-core], ospf_area: 0}}
"""
WITHOUT_LDP = """\
nodes:
  vm:
    mpls_input: [core]
    routes:
      - {swap: 20000, as: [20001], via: 10.1.0.2}
"""
WITH_LDP = WITHOUT_LDP + "    ldp: {router_id: 10.255.0.1, interfaces: [core], ospf_area: 0}\n"

# The other router, as its administrator would have written it.
OTHER_OPENVPN = """\
dev tap-core
dev-type tap
ifconfig 10.96.96.1 255.255.255.252
tls-server
dh none
port 1194
cert /etc/openvpn/other.crt
key /etc/openvpn/other.key
peer-fingerprint {node}
keepalive 10 60
daemon other
"""
FRR = """\
log syslog informational
{interfaces}interface lo
 ip ospf area 0
exit
router ospf
 ospf router-id {address}
exit
mpls ldp
 router-id {address}
 address-family ipv4
  discovery transport-address {address}
{ldp} exit-address-family
exit
"""
LINK = "ip netns add other && ip link add core type veth peer name core netns other"
ADDRESSES = """\
ip address add 10.1.0.1/24 dev core && ip link set core up
ip -n other address add 10.1.0.2/24 dev core && ip -n other link set core up && ip -n other link set lo up
ip -n other address add 10.255.0.2/32 dev lo"""
START_OTHER = """\
set -e
ip netns exec other openvpn --config /etc/openvpn/other-side
until [ -e /proc/1/net/dev ] && ip -n other link show dev tap-core >/dev/null 2>&1; do sleep 0.1; done
ip netns exec other sysctl -q -w net.mpls.platform_labels=1000 net.mpls.conf.core.input=1 net.mpls.conf.tap-core.input=1
mkdir -p /etc/frr/other && cp /etc/frr/vtysh.conf /etc/frr/other
{ sed 's/^\\(ldpd\\|ospfd\\)=.*/\\1=yes/' /etc/frr/daemons; echo 'watchfrr_options="--netns"'; } >/etc/frr/other/daemons
cat >/etc/frr/other/frr.conf
chown -R frr: /etc/frr/other && /usr/lib/frr/frrinit.sh start other >/dev/null 2>&1"""
# What the kernel tells of a restart, with its times: asking again and again would slow down an emulated node.
RESTART = """\
ip -ts -o -N monitor link route netconf >/tmp/told &
until [ -s /tmp/told ]; do ip link set core alias watched; sleep 0.2; done
systemctl restart openvpn@mplskit-tap-core
tries=0
until grep -q '\\] mpls tap-core input on' /tmp/told && grep -q '\\] 20000 as to' /tmp/told; do
    tries=$((tries + 1)); [ $tries -lt 60 ] || break; sleep 0.5
done
sleep 2; kill $!; cat /tmp/told"""


@pytest.fixture(scope="module")
def vm(stock_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("services")
    disk = overlay(stock_guest.disk, folder / "disk.qcow2")
    with booted(replace(stock_guest, disk=disk), folder) as machine:
        on(machine, "printf '%s\\n' '193 ldp' >>/etc/iproute2/rt_protos; " + LINK)
        on(machine, ADDRESSES)
        yield machine


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """node.key, node.crt, other.key, other.crt: self-signed."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("node", "other"):
        words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "2"]
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")]
        process.run(["openssl", "req", *words, "-subj", f"/CN={name}", *files])
    return folder


def fingerprint(certificate: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())


@pytest.fixture(scope="module")
def inventory(keys: Path) -> Path:
    path = keys / "nodes.yaml"
    path.write_text(INVENTORY.format(peer=fingerprint(keys / "other.crt")))
    return path


def frr(address: str, interfaces: tuple[str, ...]) -> str:
    """A configuration of FRRouting by hand: OSPF and LDP."""
    ospf = "".join(f"interface {name}\n ip ospf area 0\nexit\n" for name in interfaces)
    ldp = "".join(f"  interface {name}\n  exit\n" for name in interfaces)
    return FRR.format(address=address, interfaces=ospf, ldp=ldp)


def on(vm: Machine, command: str, given: str = "") -> str:
    return once(vm.host, command, timeout=120, stdin=given.encode()).stdout


def until(vm: Machine, command: str, seconds: int = 90) -> None:
    """Wait on the node until a command succeeds."""
    on(vm, f"n=0; until {command}; do n=$((n + 1)); [ $n -lt {seconds * 2} ] || exit 1; sleep 0.5; done")


def node(task: str, vm: Machine, inventory: Path, *words: str) -> Ran:
    return invoke(task, "--inventory", str(inventory), "--ssh-config", str(vm.host.ssh_config), "--json", *words)


def items(ran: Ran, kind: str) -> dict[str, tuple[str, str]]:
    """State and detail of each item of a kind, by name."""
    (only,) = ran.json["nodes"]
    return {item["name"]: (item["state"], item["detail"]) for item in only["items"] if item["kind"] == kind}


def labels(vm: Machine) -> list[str]:
    """The label routes of the kernel."""
    return [" ".join(line.split()) for line in on(vm, "ip -f mpls route show").splitlines()]


def config(vm: Machine) -> str:
    """What becomes of FRRouting's files: owners, modes and contents."""
    return on(vm, "cd /etc/frr && stat -c '%n %U:%G %a' daemons frr.conf && sha256sum daemons frr.conf")


def test_keys_that_are_not_on_the_node_are_named_before_anything_is_changed(vm: Machine, inventory: Path) -> None:
    ran = node("node.bootstrap", vm, inventory)
    assert ran.code == 1
    assert items(ran, "file") == {
        f"/etc/openvpn/node.{kind}": (
            "failed",
            "is not there, and /etc/openvpn/mplskit-tap-core.conf needs it: bring it to the node first",
        )
        for kind in ("crt", "key")
    }
    assert on(vm, "ls -d /etc/mplskit /var/lib/mplskit /etc/frr 2>/dev/null || true") == ""


def test_both_sections_are_set_up_and_labels_are_learnt_over_the_tap(vm: Machine, inventory: Path, keys: Path) -> None:
    on(vm, "mkdir -p /etc/openvpn")
    for path in sorted(keys.glob("*.crt")) + sorted(keys.glob("*.key")):
        on(vm, f"umask 077; cat >/etc/openvpn/{path.name}", path.read_text())
    on(vm, "cat >/etc/openvpn/other-side", OTHER_OPENVPN.format(node=fingerprint(keys / "node.crt")))

    ran = node("node.bootstrap", vm, inventory)
    assert ran.code == 0, f"it needs the VM's own Debian archive: {ran.err}"
    assert {name: state for name, (state, _) in items(ran, "package").items()} == {
        "openvpn": "changed",
        "frr": "changed",
    }
    assert items(ran, "service")[OPENVPN] == ("changed", "started")  # Debian enables what has a file in /etc/openvpn
    assert items(ran, "service")["frr.service"] == ("changed", "restarted")

    on(vm, START_OTHER, frr("10.255.0.2", ("tap-core",)))
    until(vm, "vtysh -c 'show mpls ldp neighbor' | grep -q OPERATIONAL")
    until(vm, "ip -f mpls route show | grep -q ldp")
    assert sorted(labels(vm)) == sorted([LEARNT, *OURS])


def test_every_condition_is_seen_to_hold_with_both_sections_up(vm: Machine, inventory: Path) -> None:
    ran = node("node.verify", vm, inventory)
    (only,) = ran.json["nodes"]
    verdicts = {check["id"]: check["passed"] for check in only["checks"]}
    assert (verdicts["V1"], verdicts["D1"]) == (True, True)
    assert ran.code == 0, [check for check in only["checks"] if check["passed"] is not True]


def test_a_label_route_by_hand_and_those_of_ldp_survive_another_bootstrap_that_changes_nothing(
    vm: Machine, inventory: Path
) -> None:
    on(vm, "ip -f mpls route add 900 via inet 10.1.0.2 dev core proto static")
    planned = node("node.plan", vm, inventory)
    assert planned.code == 0, planned.out
    ran = node("node.bootstrap", vm, inventory)
    assert ran.code == 0, ran.err
    assert {state for state, _ in items(ran, "service").values()} == {"same"}
    assert sorted(labels(vm)) == sorted([LEARNT, HAND_MADE, *OURS])


def test_when_openvpn_is_restarted_its_input_and_routes_come_back_with_the_tap(vm: Machine) -> None:
    told = on(vm, RESTART).splitlines()
    gone = next(number for number, line in enumerate(told) if "] Deleted" in line and ": tap-core: " in line)
    came = moment(told[gone + 1 :], ": tap-core: ")
    # The last that is told of each counts: what was there and went again was not back.
    took = [moment(told[:gone:-1], what) - came for what in ("] mpls tap-core input on", "] 20000 as to 20001 ")]
    print("input and label route after the tap:", *took)
    # The keeper's own look, once a minute, is not what brought them.
    assert max(took) < timedelta(seconds=30)
    assert set(labels(vm)) >= {HAND_MADE, *OURS}


def moment(told: list[str], what: str) -> datetime:
    """The time of the first of these lines of `ip -ts monitor` that tells something."""
    return next(datetime.fromisoformat(line[1:27]) for line in told if what in line)


@pytest.mark.full
def test_labels_are_learnt_again_when_openvpn_was_restarted(vm: Machine) -> None:
    on(vm, "systemctl restart openvpn@mplskit-tap-core")
    until(vm, "ip -f mpls route show | grep -q ldp")
    assert sorted(labels(vm)) == sorted([LEARNT, HAND_MADE, *OURS])


@pytest.mark.full
def test_a_tunnel_that_starts_anew_keeps_its_tap(vm: Machine) -> None:
    index = on(vm, "cat /sys/class/net/tap-core/ifindex")
    on(vm, "systemctl kill -s USR1 openvpn@mplskit-tap-core")
    until(vm, "journalctl -u openvpn@mplskit-tap-core | grep -q 'SIGUSR1.*restarting'")
    until(vm, "ping -q -c 1 -W 1 10.96.96.1 >/dev/null")
    assert on(vm, "cat /sys/class/net/tap-core/ifindex") == index


@pytest.mark.full
def test_another_daemon_that_was_switched_on_by_hand_stays_on(vm: Machine, inventory: Path) -> None:
    on(vm, "sed -i s/^bfdd=no/bfdd=yes/ /etc/frr/daemons")
    assert node("node.bootstrap", vm, inventory).code == 0
    assert on(vm, "grep -E '^(bfdd|ldpd|ospfd|bgpd)=' /etc/frr/daemons").split() == [
        *("bgpd=no", "ospfd=yes", "ldpd=yes", "bfdd=yes"),
    ]


def test_remove_takes_both_sections_back_and_leaves_what_was_made_by_hand(vm: Machine, inventory: Path) -> None:
    ran = node("node.remove", vm, inventory)
    assert ran.code == 0, ran.err
    assert items(ran, "service")["frr.service"] == ("changed", "stopped and disabled")
    assert items(ran, "service")[OPENVPN] == ("changed", "stopped and disabled")
    assert labels(vm) == [HAND_MADE]
    assert on(vm, "sed -i s/^bfdd=yes/bfdd=no/ /etc/frr/daemons; dpkg --verify frr") == ""
    assert on(vm, "systemctl is-enabled frr openvpn@mplskit-tap-core || true").split() == ["disabled", "disabled"]
    assert on(vm, "ls /etc/openvpn/mplskit* /etc/mplskit /var/lib/mplskit 2>/dev/null || true") == ""


@pytest.fixture(scope="module")
def own_frr(vm: Machine) -> Any:
    """An administrator's own LDP over `core`, with a label route by hand: the label routes, and FRRouting's files."""
    on(vm, "sysctl -q -w net.mpls.platform_labels=30000 net.mpls.conf.core.input=1")
    on(
        vm,
        "cat >/etc/frr/frr.conf && sed -i 's/^\\(ldpd\\|ospfd\\)=.*/\\1=yes/' /etc/frr/daemons",
        frr("10.255.0.1", ("core",)),
    )
    on(vm, "ip address add 10.255.0.1/32 dev lo; systemctl enable --now frr 2>/dev/null")
    on(
        vm,
        "vtysh -N other",
        "configure\ninterface core\nip ospf area 0\nexit\nmpls ldp\naddress-family ipv4\ninterface core\n",
    )
    until(vm, "ip -f mpls route show | grep -q ldp")
    return labels(vm), config(vm)


@pytest.mark.full
def test_an_ldp_section_is_refused_where_frrouting_was_configured_by_hand(
    vm: Machine, own_frr: Any, tmp_path: Path
) -> None:
    (tmp_path / "nodes.yaml").write_text(WITH_LDP)
    ran = node("node.bootstrap", vm, tmp_path / "nodes.yaml")
    assert ran.code == 1
    assert items(ran, "file") == {
        "/etc/frr/frr.conf": (
            "failed",
            "was written by hand and is left alone: take ldp out of the spec, and add there what is missing: "
            "frr defaults traditional; log syslog informational; service integrated-vtysh-config; "
            "interface lo; ip ospf area 0.0.0.0; exit; interface core; ip ospf area 0.0.0.0; exit; "
            "router ospf; ospf router-id 10.255.0.1; exit; "
            "mpls ldp; router-id 10.255.0.1; address-family ipv4; discovery transport-address 10.255.0.1; "
            "session holdtime 30; "
            "interface core; exit; exit-address-family; exit",
        )
    }
    assert (labels(vm), config(vm)) == own_frr


@pytest.mark.full
def test_an_administrators_own_ldp_survives_bootstrap_another_bootstrap_and_remove(
    vm: Machine, own_frr: Any, tmp_path: Path
) -> None:
    before, files = own_frr
    assert HAND_MADE in before
    assert any("proto ldp" in route for route in before)
    (tmp_path / "nodes.yaml").write_text(WITHOUT_LDP)
    ours = "20000 as to 20001 via inet 10.1.0.2 dev core proto 77"
    for _ in range(2):
        ran = node("node.bootstrap", vm, tmp_path / "nodes.yaml")
        assert ran.code == 0, ran.err
        assert sorted(labels(vm)) == sorted([*before, ours])
    ran = node("node.remove", vm, tmp_path / "nodes.yaml")
    assert ran.code == 0, ran.err
    assert (labels(vm), config(vm)) == (before, files)
    on(vm, "systemctl restart frr")
    until(vm, "ip -f mpls route show | grep -q ldp")
    assert HAND_MADE in labels(vm)
