"""A node that an older mplskit set up is taken over: real payloads of both, plain routes, and a systemctl of ours.

`tests/worlds/older_node.tar.gz` is what mplskit of 23 November 2026 (8506e8c) brought to a node with `SPEC` below.
"""

from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import KEEPER, contained

pytestmark = pytest.mark.usefixtures("namespaces")

OLDER = Path(__file__).parents[1] / "worlds" / "older_node.tar.gz"
SPEC = NodeSpec.model_validate(
    {
        "allow": ["default-route"],
        "mpls_input": ["eth0"],
        "loopbacks": ["10.200.200.1/32"],
        "routes": [
            {"push": [100], "to": "192.0.2.1/32", "via": "10.0.2.2"},
            {"swap": 200, "as": [201], "via": "10.0.2.2"},
            {"pop": 203, "dev": "lo"},
        ],
    }
)
# Routes without labels take the place of those with some, which not every kernel has. A route goes when systemd reads
# its units anew: the files are the new ones then, and the keeper is the old one.
NODE = r"""
ip link set lo up; ip link add eth0 type veth peer name far; ip link set far up; ip link set eth0 up
ip address add 10.9.0.1/24 dev eth0
mount -t tmpfs none /proc/sys/net; mkdir -p /proc/sys/net/mpls/conf/eth0 /proc/sys/net/ipv4/conf/lo
for key in mpls/platform_labels mpls/conf/eth0/input ipv4/conf/lo/rp_filter; do echo 0 >/proc/sys/net/$key; done
mkdir -p /run/older /run/units /run/systemd/system /etc/sysctl.d && tar -xzf "$OLDER" -C /run/older
for files in /run/older/files "${APPLY%/*}/files"; do
    rm "$files/etc/mplskit/labels.batch"
    for line in "address add 10.200.200.1/32 dev lo" "route add 10.1.0.0/16 proto 77 via 10.9.0.2" \
        "route add 10.2.0.0/16 proto 77 via 10.9.0.2"; do echo "$line"; done >"$files/etc/mplskit/routes.batch"
done
cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
[ "$1" != --quiet ] || shift
end() { [ ! -e /run/keeper ] || kill -- "-$(cat /run/keeper)" 2>/dev/null; rm -f /run/keeper /run/units/active; }
case $1 in
is-enabled | is-active) [ -e "/run/units/${1#is-}" ] ;;
enable) : >/run/units/enabled ;;
daemon-reload) [ ! -e /run/take-over ] || ip route delete 10.1.0.0/16 ;;
restart)
    end
    setsid sh /usr/local/lib/mplskit/keep.sh >>/run/told 2>&1 </dev/null &
    echo $! >/run/keeper
    : >/run/units/active
    ;;
stop) end ;;
disable) end; rm -f /run/units/enabled ;;
esac
END
chmod +x /usr/local/bin/systemctl
echo 'net.ipv4.ip_default_ttl = 63' >/etc/sysctl.d/90-mplskit.conf
tree() {
    find /etc /usr/local /var/lib ! -path '/var/lib/dpkg*' -printf '%p %y %m %l %s\n' | sort
    cat /proc/sys/net/mpls/platform_labels /proc/sys/net/mpls/conf/eth0/input
}
ours() { ip -N route show table all proto 77 | cut -d ' ' -f 1 | xargs; }
all_there() { until [ "$(ours)" = "10.1.0.0/16 10.2.0.0/16" ]; do sleep 0.1; done; }
changed() { grep -E '^(changed|failed)' | grep -v "	module	"; }
tree >/run/before
"""
TAKEN_OVER = r"""
sh /run/older/apply.sh node default-route | changed >/run/older.told; all_there; grep -c failed /run/older.told
echo plan; sh "$APPLY" plan default-route | changed
: >/run/take-over; echo node; sh "$APPLY" node default-route | changed; all_there; rm /run/take-over
ip route delete 10.2.0.0/16; all_there
echo again; sh "$APPLY" node default-route | changed
echo remove; sh "$APPLY" remove | grep -c ^failed; tree | diff /run/before - && echo so
ours; ip -o address show dev lo | grep -c 10.200
[ ! -e /run/keeper ] && echo no keeper
"""


def test_what_an_older_release_set_up_is_taken_over_kept_and_taken_back(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    said = contained(tmp_path / "stage", f"OLDER={OLDER}\n{NODE}{TAKEN_OVER}")
    plan, node, again, remove = (said.index(word) for word in ("plan", "node", "again", "remove"))
    assert said[:plan] == ["0"]
    planned = [item for item in said[plan + 1 : node] if isinstance(item, Item)]
    assert planned[-1] == Item("changed", "service", KEEPER, "restarted")
    assert {(item.state, item.kind) for item in planned[:-1]} == {("changed", "file")}
    assert {item.name for item in planned[:-1]} >= {"/etc/mplskit/node.json", "/usr/local/lib/mplskit/keep.sh"}
    assert said[node + 1 : again] == planned
    assert said[again + 1 : remove] == []
    assert said[remove + 1 :] == ["0", "so", "", "0", "no keeper"]
