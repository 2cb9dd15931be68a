"""A stock Debian node that an older mplskit set up is taken over: it is kept all the while, and given back as it was.

`tests/worlds/older_node.tar.gz` is what mplskit of 23 November 2026 (8506e8c) brought to a node with the spec below.
"""

from pathlib import Path

import pytest

from mplskit.remote.session import once
from tests.worlds.stock_node import Node, changes

pytestmark = pytest.mark.full


OLDER = Path(__file__).parents[1] / "worlds" / "older_node.tar.gz"
NODES = """\
nodes:
  vm:
    allow: [default-route]
    mpls_input: [eth0]
    loopbacks: [10.200.200.1/32]
    routes:
      - {push: [100], to: 192.0.2.1/32, via: 10.0.2.2}
      - {swap: 200, as: [201], via: 10.0.2.2}
      - {pop: 203, dev: lo}
"""
# What the kernel must show: one line for each route and address of ours.
ALL = """\
192.0.2.1 encap mpls 100 via 10.0.2.2 dev eth0
200 as to 201 via inet 10.0.2.2 dev eth0 proto 77
203 dev lo proto 77
inet 10.200.200.1/32
"""
# Run on the node while it is taken over. Somebody deletes a route when the files are the new ones, and another one when
# the run has let go of the lock: the keeper is the old one still, and about to be restarted. /run/events has whatever
# was deleted, by whomever.
WATCH = """\
cp /usr/local/lib/mplskit/keep.sh /run/older.keep
ip -o -N monitor route address >/run/events &
while cmp -s /run/older.keep /usr/local/lib/mplskit/keep.sh; do sleep 0.05; done
ip route delete 192.0.2.1
until flock -n /run/mplskit/lock true; do sleep 0.05; done
ip -f mpls route delete 200
wait
"""
AWAIT = """\
seen() {
    {
        ip -o -N -4 route show table all proto 77
        ip -o -N -f mpls route show
        ip -o address show dev lo | grep -o 'inet 10[^ ]*'
    } | sed 's/[[:space:]]\\+/ /g; s/ $//'
}
for _ in $(seq 300); do [ "$(seen)" != "$(cat /run/all)" ] || break; sleep 0.1; done
seen"""
DELETED = "awk '/^Deleted/ && (/ proto 77/ || / lo /) { print $2 }' /run/events"


def differences(node: Node, before: dict[str, str]) -> list[str]:
    """Lines of what is seen on a node that are not as they were before."""
    now = node.seen()
    return [line for name in now for line in sorted({*now[name].splitlines()} ^ {*before[name].splitlines()})]


def write(node: Node, path: str, text: str) -> None:
    once(node.machine.host, f"cat >{path}", stdin=text.encode())


def test_what_an_older_release_set_up_is_taken_over_kept_all_the_while_and_given_back(node: Node) -> None:
    node.on("mkdir -p /etc/sysctl.d && echo net.ipv4.ip_default_ttl=63 >/etc/sysctl.d/90-mplskit.conf")
    node.on("chmod 640 /etc/sysctl.d/90-mplskit.conf; sysctl -qw net.ipv4.conf.lo.rp_filter=1")
    before = node.seen()
    once(node.machine.host, "mkdir /run/older && tar -xzC /run/older", stdin=OLDER.read_bytes())
    assert "failed" not in node.on("sh /run/older/apply.sh node default-route")
    write(node, "/run/all", ALL)
    assert node.on(AWAIT) == ALL
    set_up = node.seen()

    planned = node.task("node.plan", NODES)
    assert planned.code == 1, planned.err
    assert {kind for kind, _ in changes(planned)} == {"file", "service"}
    assert differences(node, set_up) == []
    write(node, "/run/watch", WATCH)
    node.on("systemd-run --unit=watch sh /run/watch; until [ -e /run/events ]; do sleep 0.1; done")
    done = node.task("node.bootstrap", NODES)
    assert done.code == 0, done.err
    assert changes(done) - {("route", "192.0.2.1")} == changes(planned)
    assert node.on(AWAIT) == ALL
    node.on("ip -f mpls route delete 203")
    assert node.on(AWAIT) == ALL
    node.on("systemctl stop watch")
    assert node.on(DELETED).split() == ["192.0.2.1", "200", "203"]

    nothing = node.task("node.plan", NODES)
    assert (nothing.code, changes(nothing)) == (0, set())
    removed = node.task("node.remove", NODES)
    assert removed.code == 0, removed.err
    assert differences(node, before) == []
