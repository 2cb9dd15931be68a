"""A stock Debian node that was booted with `ipv6.disable=1`: IPv4 works wholly, what is of IPv6 says why it fails."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mplskit.vm.machine import Guest, booted
from tests.worlds.checkout import Ran, overlay
from tests.worlds.stock_node import Node, changes

pytestmark = pytest.mark.full

WITHOUT = """\
nodes:
  vm:
    allow: [default-route]
    mpls_input: [eth0]
    ip_forward: true
    loopbacks: [10.200.200.1/32]
    routes:
      - {push: [100], to: 192.0.2.1/32, via: 10.0.2.2}
      - {swap: 200, as: [201], via: 10.0.2.2}
      - {pop: 203, dev: lo}
"""
WITH = """\
nodes:
  vm:
    allow: [default-route]
    mpls_input: [eth0]
    ip_forward: true
    loopbacks: [10.200.200.1/32, "2001:db8::1/128"]
    routes:
      - {push: [100], to: 192.0.2.1/32, via: 10.0.2.2}
      - {push: [101], to: "2001:db8:1::/48", via: "fe80::2", dev: eth0}
      - {push: [102], to: 192.0.2.2/32, via: "fe80::2", dev: eth0}
      - {unreachable: "2001:db8:2::/48"}
      - {swap: 200, as: [201], via: 10.0.2.2}
      - {swap: 202, as: [204], via: "fe80::2", dev: eth0}
      - {pop: 203, dev: lo}
"""
OFF = "IPv6 is off on this node (ipv6.disable=1)"
OF_IPV6 = {
    ("address", "2001:db8::1/128"),
    ("route", "192.0.2.2"),
    ("route", "2001:db8:1::/48"),
    ("route", "2001:db8:2::/48 metric 4294967295"),
    ("route", "label 202"),
    ("sysctl", "net/ipv6/conf/all/forwarding"),
}
OURS = """
ip -N -o route show proto 77; ip -f mpls -o -N route show; ip -o address show dev lo | grep -o 'inet 10[^ ]*'
cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/mpls/conf/eth0/input"""
ALL = [
    "192.0.2.1  encap mpls  100 via 10.0.2.2 dev eth0",
    "200 as to 201 via inet 10.0.2.2 dev eth0 proto 77",
    "203 dev lo proto 77",
    "inet 10.200.200.1/32",
    "1",
    "1",
]


@pytest.fixture(scope="module")
def node(stock_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("no-ipv6")
    disk = overlay(stock_guest.disk, folder / "disk.qcow2")
    with booted(replace(stock_guest, disk=disk, persist=True, append="ipv6.disable=1"), folder) as machine:
        yield Node(machine, folder / "nodes.yaml")


def ours(node: Node) -> list[str]:
    """What there is of a spec in the kernel."""
    return [line.rstrip() for line in node.on(OURS).splitlines()]


def failures(ran: Ran) -> dict[tuple[str, str], str]:
    """KIND and NAME of what failed, and why."""
    items: Any = ran.json["nodes"][0]["items"]
    return {(item["kind"], item["name"]): item["detail"] for item in items if item["state"] == "failed"}


def test_a_spec_without_ipv6_is_set_up_verified_and_taken_back(node: Node) -> None:
    before = node.seen()
    done = node.task("node.bootstrap", WITHOUT)
    assert (done.code, failures(done)) == (0, {}), done.err
    assert ours(node) == ALL
    nothing = node.task("node.plan", WITHOUT)
    assert (nothing.code, changes(nothing)) == (0, set())
    verified = node.task("node.verify", WITHOUT)
    assert verified.code == 0, verified.err
    assert node.task("node.remove", WITHOUT).code == 0
    assert node.seen() == before


def test_what_is_of_ipv6_fails_with_the_cause_each_time_and_the_rest_is_done_and_taken_back(node: Node) -> None:
    before = node.seen()
    planned = node.task("node.plan", WITH)
    done = node.task("node.bootstrap", WITH)
    assert ours(node) == ALL
    again = node.task("node.bootstrap", WITH)
    assert changes(again) == set()
    for ran in (planned, done, again):
        assert ran.code == 1
        assert set(failures(ran)) == OF_IPV6
        assert {why.partition(": ")[0] for why in failures(ran).values()} == {OFF}
    verified = node.task("node.verify", WITH)
    assert verified.code == 1
    checks = verified.json["nodes"][0]["checks"]
    assert {check["id"] for check in checks if check["passed"] is not True} == {"L6", "R1", "R2"}
    assert node.task("node.remove", WITH).code == 0
    assert node.seen() == before
