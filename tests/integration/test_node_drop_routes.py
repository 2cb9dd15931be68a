"""Drop routes for real, in a namespace: they stand below others, are the same the second time, and go."""

from pathlib import Path

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from tests.worlds.contained_routes import LINKS, said

DROPS = (
    {"unreachable": "10.200.0.0/24"},
    {"blackhole": "0.0.0.0/0", "table": 100},
    {"unreachable": "::/0"},
    {"blackhole": "2001:db8::/32", "metric": 2000},
)


def test_drop_routes_are_added_once_and_taken_away(tmp_path: Path) -> None:
    stage(tmp_path, NodeSpec.model_validate({"routes": DROPS}))
    script = """
    apply; echo; apply | cut -d ' ' -f 1 | sort | uniq -c | xargs; : >"$BATCH"; apply | cut -d ' ' -f 1 | xargs
    $IP route show table all proto 77 | wc -l
    """
    assert said(tmp_path, LINKS + script) == [
        "changed route 10.200.0.0/24 metric 4294967295",
        "changed route 0.0.0.0/0 table 100 metric 4294967295",
        "changed route ::/0 metric 4294967295",
        "changed route 2001:db8::/32 metric 2000",
        "",
        "4 same",
        "changed changed changed changed",
        "0",
    ]


def test_packets_are_dropped_when_the_route_above_goes_and_do_not_follow_the_default_route(tmp_path: Path) -> None:
    """The route above has no label here: what becomes of it when its link goes down is the same."""
    stage(tmp_path, NodeSpec.model_validate({"routes": DROPS[:1]}))
    script = """
    ip link add out type veth peer name away; ip link set out up; ip route add default dev out
    echo 'route add 10.200.0.0/24 proto 77 via 10.9.0.2' >>"$BATCH"
    apply | cut -d ' ' -f 1,3 ; ip route get 10.200.0.1 | grep -o 'dev [a-z0-9]*'
    ip link set eth0 down; ip route get 10.200.0.1 2>&1
    ip link set eth0 up; apply | cut -d ' ' -f 1,3; ip route get 10.200.0.1 | grep -o 'dev [a-z0-9]*'
    """
    assert said(tmp_path, LINKS + script) == [
        *("changed 10.200.0.0/24", "changed 10.200.0.0/24", "dev eth0"),
        "RTNETLINK answers: No route to host",
        *("same 10.200.0.0/24", "changed 10.200.0.0/24", "dev eth0"),
    ]
