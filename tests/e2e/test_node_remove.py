"""Set up, changed and removed again: a stock Debian node's files, sysctls and routes are what they were before."""

import pytest

from tests.worlds.stock_node import Node, changes

NODES = """\
nodes:
  vm:
    allow: [default-route]
    mpls_input: [eth0, tap0]
    interfaces: {tap0: {optional: true}}
    loopbacks: [10.200.200.1/32]
    routes:
      - {push: [100], to: 192.0.2.1/32, via: 10.0.2.2}
      - {swap: 200, as: [201], via: 10.0.2.2}
      - {pop: 203, dev: lo}
"""
CHANGED = """\
nodes:
  vm:
    allow: [default-route]
    platform_labels: 200000
    mpls_input: [tap0]
    interfaces: {tap0: {optional: true}}
    ip_forward: true
    loopbacks: [10.200.200.2/32]
    routes:
      - {push: [101], to: 192.0.2.1/32, via: 10.0.2.2}
      - {swap: 204, as: [201], via: 10.0.2.2}
"""


def test_a_node_is_what_it_was_after_plan_bootstrap_change_bootstrap_and_remove(node: Node) -> None:
    # An administrator's own file where one of ours will be, and a value of his own that ours replaces.
    node.on("mkdir -p /etc/sysctl.d && echo net.ipv4.ip_default_ttl=63 >/etc/sysctl.d/90-mplskit.conf")
    node.on("chmod 640 /etc/sysctl.d/90-mplskit.conf; sysctl -qw net.ipv4.conf.lo.rp_filter=1")
    before = node.seen()

    planned = node.task("node.plan", NODES)
    assert planned.code == 1
    assert node.seen() == before
    done = node.task("node.bootstrap", NODES)
    assert done.code == 0, done.err
    assert changes(done) - changes(planned) == set()
    assert node.on("cat /proc/sys/net/mpls/platform_labels /proc/sys/net/ipv4/conf/lo/rp_filter") == "100000\n2\n"

    set_up = node.seen()
    nothing = node.task("node.plan", NODES)
    assert (nothing.code, changes(nothing)) == (0, set())
    planned = node.task("node.plan", CHANGED)
    assert planned.code == 1
    assert node.seen() == set_up
    done = node.task("node.bootstrap", CHANGED)
    assert done.code == 0, done.err
    assert changes(done) - changes(planned) == set()
    assert {("route", "192.0.2.1"), ("route", "label 200"), ("route", "label 204")} <= changes(done)
    assert node.on("ip -N -o route show proto 77; ip -f mpls -o -N route show | sed 's/ *$//'").splitlines() == [
        "192.0.2.1  encap mpls  101 via 10.0.2.2 dev eth0 ",
        "204 as to 201 via inet 10.0.2.2 dev eth0 proto 77",
    ]
    kept = ("platform_labels", "conf/eth0/input")
    assert node.on("cd /proc/sys/net/mpls; cat " + " ".join(kept)) == "200000\n0\n"
    assert node.on("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/lo/rp_filter") == "1\n2\n"
    assert node.task("node.plan", CHANGED).code == 0

    removed = node.task("node.remove", CHANGED)
    assert removed.code == 0, removed.err
    assert node.seen() == before
    again = node.task("node.remove", CHANGED)
    assert (again.code, changes(again)) == (0, set())


@pytest.mark.full
def test_what_is_not_ours_stays(node: Node) -> None:
    assert node.task("node.bootstrap", NODES).code == 0
    node.on("ip -f mpls route add 500 via inet 10.0.2.2; ip route add 198.18.0.0/24 via 10.0.2.2 proto static")
    removed = node.task("node.remove", NODES)
    assert removed.code == 0, removed.err
    notes = {i["name"]: i["detail"] for i in removed.json["nodes"][0]["items"] if i["state"] == "note"}
    assert notes["net/mpls/platform_labels"] == "stays 100000: label routes that are not ours need it"
    assert notes["mpls_router"] == "stays: label routes that are not ours need it"
    assert node.on("ip -o -f mpls route show; ip route show proto static | sed 's/ *$//'").split("\n") == [
        "500 via inet 10.0.2.2 dev eth0 ",
        "198.18.0.0/24 via 10.0.2.2 dev eth0",
        "",
    ]
