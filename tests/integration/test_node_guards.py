"""What would cut an operator off is refused before anything is changed, whatever way it is written."""

from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import contained

pytestmark = pytest.mark.usefixtures("namespaces")

TAKES = "takes the place of the node's default route"
MAY = "(--allow default-route says that it may)"
QUARTERS = ("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2")
# As calculators write all addresses but the private ones.
PUBLIC = (
    *("1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3"),
    *("64.0.0.0/3", "96.0.0.0/4", "112.0.0.0/5", "120.0.0.0/6", "124.0.0.0/7", "126.0.0.0/8", "128.0.0.0/3"),
    *("160.0.0.0/5", "168.0.0.0/6", "173.0.0.0/8", "174.0.0.0/7", "176.0.0.0/4", "193.0.0.0/8", "194.0.0.0/7"),
    *("196.0.0.0/6", "200.0.0.0/5", "208.0.0.0/4"),
)


def spec(*prefixes: str, table: int | None = None, allow: tuple[str, ...] = ()) -> NodeSpec:
    hops = {True: "fd09::2", False: "10.9.0.2"}
    routes = [{"push": [100], "to": prefix, "via": hops[":" in prefix], "table": table} for prefix in prefixes]
    return NodeSpec.model_validate({"routes": routes, "allow": allow})


def refused(folder: Path, spec: NodeSpec, before: str = "", kind: str = "route") -> list[tuple[str, str]]:
    """The routes, or items of another kind, that a plan refuses, and why; a plan that refuses any goes no further."""
    stage(folder / "stage", spec)
    script = f'{before}\nsh "$APPLY" plan {" ".join(spec.allow)} | grep -v "^diff"'
    said = [item for item in contained(folder / "stage", script) if isinstance(item, Item)]
    found = [(item.name, item.detail) for item in said if (item.state, item.kind) == ("failed", kind)]
    assert not found or len(said) == len(found)
    return found


@pytest.mark.parametrize("table", [None, 254])
def test_half_of_all_addresses_or_more_is_a_default_route(table: int | None, tmp_path: Path) -> None:
    prefixes = ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "::/1", "8000::/1", "2000::/3")
    assert refused(tmp_path, spec(*prefixes, table=table)) == [(prefix, f"{TAKES} {MAY}") for prefix in prefixes]


@pytest.mark.parametrize(
    ("prefixes", "others"),
    [(QUARTERS, 3), (PUBLIC, 24), (("2000::/4", "3000::/5", "3800::/5"), 2)],
    ids=["quarters", "all that is public", "all that IPv6 uses"],
)
def test_prefixes_that_are_all_addresses_together_are_a_default_route(
    prefixes: tuple[str, ...], others: int, tmp_path: Path
) -> None:
    assert refused(tmp_path, spec(*prefixes)) == [(prefixes[0], f"{TAKES}, together with {others} others {MAY}")]
    assert refused(tmp_path, spec(*prefixes[1:])) == []


def test_a_drop_route_that_comes_after_every_other_one_takes_no_place(tmp_path: Path) -> None:
    routes = [{"unreachable": "0.0.0.0/0"}, {"blackhole": "::/0"}, {"blackhole": "0.0.0.0/0", "metric": 5}]
    assert refused(tmp_path, NodeSpec.model_validate({"routes": routes[:2]})) == []
    assert refused(tmp_path, NodeSpec.model_validate({"routes": routes})) == [("0.0.0.0/0", f"{TAKES} {MAY}")]
    halves = [{"unreachable": "0.0.0.0/1"}, {"unreachable": "8000::/1"}]
    found = [("0.0.0.0/1", f"{TAKES} {MAY}"), ("8000::/1", f"{TAKES} {MAY}")]
    assert refused(tmp_path, NodeSpec.model_validate({"routes": halves})) == found


def test_labels_without_a_next_hop_go_only_by_what_is_point_to_point_or_knows_no_arp(tmp_path: Path) -> None:
    before = """mount -t sysfs sysfs /sys; ip tuntap add dev p2p0 mode tun; ip link add veth0 type veth peer name veth1
        ip link property add dev veth0 altname core0; ip link set veth1 arp off"""
    names = ("p2p0", "veth0", "core0", "veth1", "gre1", "gre2")
    routes = [{"push": [100], "to": f"10.{i}.0.0/16", "dev": name} for i, name in enumerate(names)]
    spec = NodeSpec.model_validate({"routes": routes, "interfaces": {"gre2": {"kind": "gre"}}})
    wrong = (
        "is neither point-to-point nor without ARP: labelled packets would go nowhere, without an error; "
        "the push needs via"
    )
    absent = (
        "is not there, so whether labelled packets need a next hop on it is not known: add via to the push, or say "
        "what it is, as in interfaces: {gre1: {kind: gre}}"
    )
    assert refused(tmp_path, spec, before, "interface") == [("veth0", wrong), ("core0", wrong), ("gre1", absent)]


def test_a_default_route_of_another_table_is_nobodys_business(tmp_path: Path) -> None:
    assert refused(tmp_path, spec("0.0.0.0/0", "::/0", table=100)) == []


def test_a_drop_route_is_one_too_unless_it_is_below_all_others(tmp_path: Path) -> None:
    drops = NodeSpec.model_validate(
        {
            "routes": [
                {"blackhole": "0.0.0.0/0"},
                {"unreachable": "::/0", "metric": 512},
                {"blackhole": "128.0.0.0/1"},
                {"blackhole": "10.0.0.0/8"},
            ]
        }
    )
    assert refused(tmp_path, drops) == [("::/0", f"{TAKES} {MAY}"), ("128.0.0.0/1", f"{TAKES} {MAY}")]


def test_a_default_route_that_is_allowed_or_was_once_is_taken(tmp_path: Path) -> None:
    assert refused(tmp_path, spec("0.0.0.0/0", *QUARTERS[:3], allow=("default-route",))) == []
    there = 'mkdir -p /etc/mplskit && cp "${APPLY%/*}/files/etc/mplskit/routes.batch" /etc/mplskit'
    assert refused(tmp_path, spec("::/0"), before=there) == []
    assert refused(tmp_path, spec(*QUARTERS), before=there) == []
    assert refused(tmp_path, spec("::/1"), before=f"{there}; sed -i s,::/1,::/0, /etc/mplskit/routes.batch") == [
        ("::/1", f"{TAKES} {MAY}")
    ]
