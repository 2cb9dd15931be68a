"""Which nodes a command line means, and the exact words where it means none (golden/selection-*.txt)."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from mplskit.errors import Exit, WrongInput
from mplskit.fleet.flags import NodeFlags, SpecFlags
from mplskit.fleet.inventory.limit import limited
from mplskit.fleet.inventory.selection import selected
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.remote.flags import ReachFlags
from mplskit.remote.host import Host
from tests.golden import assert_golden
from tests.worlds.given_flags import given

NODES = tuple(
    Node(name, Host(name), NodeSpec(), groups)
    for name, groups in {
        "ler-1": ("edge", "spain"),
        "ler-2": ("edge", "chile"),
        "lsr-1": ("core", "spain"),
        "lsr-2": ("core",),
    }.items()
)
INVENTORY = (
    "defaults: {user: root, mpls_input: [eth0]}\ngroups: {core: {}}\nnodes: {lsr-1: {groups: [core]}, ler-1: {}}\n"
)


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        ("", "ler-1 ler-2 lsr-1 lsr-2"),
        ("ler-2", "ler-2"),
        ("lsr-1,ler-1", "ler-1 lsr-1"),
        ("edge", "ler-1 ler-2"),
        ("spain, core", "ler-1 lsr-1 lsr-2"),
        ("*-1", "ler-1 lsr-1"),
        ("l?r-2", "ler-2 lsr-2"),
        ("[!x]er-1", "ler-1"),
        ("c*", "ler-2 lsr-1 lsr-2"),
        ("!core", "ler-1 ler-2"),
        ("edge,!*-1", "ler-2"),
        ("!*-1,edge", "ler-2"),
        ("*", "ler-1 ler-2 lsr-1 lsr-2"),
        ("! ler-1", "ler-2 lsr-1 lsr-2"),
    ],
)
def test_limit_takes_names_groups_and_globs_and_leaves_out_what_has_an_exclamation_mark(limit: str, left: str) -> None:
    assert " ".join(node.name for node in limited(NODES, limit)) == left


def chosen(group: type[NodeFlags] = SpecFlags, **flags: Any) -> tuple[Node, ...]:
    """The nodes that flags of both groups choose."""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in flags.items()}
    return selected(given(group, values), given(ReachFlags, values))


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("nodes.yaml").write_text(INVENTORY)
    return "nodes.yaml"


# case: the flags; INVENTORY is nodes.yaml
WRONG: dict[str, dict[str, Any]] = {
    "neither": {},
    "both": {"host": "a", "inventory": "nodes.yaml"},
    "no-such-file": {"inventory": "node.yaml"},
    "limit-and-host": {"host": "a", "limit": "b"},
    "limit-unknown": {"inventory": "nodes.yaml", "limit": "lsr-1,ler-3"},
    "limit-unknown-glob": {"inventory": "nodes.yaml", "limit": "x*"},
    "limit-unknown-exclusion": {"inventory": "nodes.yaml", "limit": "!pe"},
    "limit-empty-word": {"inventory": "nodes.yaml", "limit": "ler-1,,"},
    "limit-all-gone": {"inventory": "nodes.yaml", "limit": "core,!lsr-*"},
    "limit-with-a-newline": {"inventory": "nodes.yaml", "limit": "ler\n-1"},
    "mpls-input-and-inventory": {"inventory": "nodes.yaml", "mpls_input": ["eth0"]},
    "platform-labels-and-inventory": {"inventory": "nodes.yaml", "platform_labels": "1000"},
    "platform-labels-text": {"host": "a", "platform_labels": "many"},
    "platform-labels-too-many": {"host": "a", "platform_labels": "1048576"},
    "mpls-input-with-a-space": {"host": "a", "mpls_input": ["eth0", "et h1"]},
    "allow-unknown": {"host": "a", "allow": ["shrnk"]},
    "become-unknown": {"host": "a", "become": "su"},
    "ssh-config-missing": {"inventory": "nodes.yaml", "ssh_config": "none"},
    "host-with-a-leading-dash": {"host": "-oProxyCommand=reboot"},
    "set-unknown": {"host": "a", "set_": ["platform_label=1"]},
    "set-host": {"host": "a", "set_": ["host=b"]},
    "set-of-what-stands-on-the-node": {"host": "a", "set_": ["user=b", "ldp.router_id=10.0.0.1"]},
    "set-host-of-what-is-looked-at": {"host": "a", "set_": ["host=b"]},
    "set-host-in-an-inventory": {"inventory": "nodes.yaml", "set_": ["host=b"]},
}


# What the node should be stands on the node itself.
LOOKED_AT = ("set-of-what-stands-on-the-node", "set-host-of-what-is-looked-at")


@pytest.mark.parametrize("case", WRONG)
def test_flags_that_mean_no_node_are_told_with_what_is_allowed(case: str, inventory: str) -> None:
    group = NodeFlags if case in LOOKED_AT else SpecFlags
    with pytest.raises(WrongInput) as caught:
        chosen(group=group, **WRONG[case])
    assert caught.value.code == Exit.WRONG_INPUT
    assert_golden(f"selection-{case}", f"{caught.value}\n", {})


def test_a_host_is_a_node_with_the_interfaces_and_the_table_of_the_flags() -> None:
    (node,) = chosen(host="admin@10.0.0.1:2222", mpls_input=["eth0", "eth1"], platform_labels="2000")
    assert node == Node(
        "admin@10.0.0.1:2222",
        Host("10.0.0.1", "admin", 2222),
        NodeSpec(mpls_input=("eth0", "eth1"), platform_labels=2000),
    )


def test_a_host_alone_is_a_node_with_the_defaults() -> None:
    assert chosen(host="::1") == (Node("::1", Host("::1"), NodeSpec()),)


def test_set_counts_more_than_the_flags_of_a_host() -> None:
    settings = ["platform_labels=3000", "user=admin", "become=doas", "routes=[{pop: 101, dev: lo}]"]
    (node,) = chosen(host="root@a", mpls_input=["eth0"], platform_labels="2000", set_=settings)
    assert (node.spec.platform_labels, node.spec.mpls_input, len(node.spec.routes)) == (3000, ("eth0",), 1)
    assert node.host == Host("a", "admin", become="doas")


def test_how_a_node_is_reached_can_be_set_where_it_is_only_looked_at() -> None:
    (node,) = chosen(host="a", set_=["user=admin", "port=2222", "become=sudo"], group=NodeFlags)
    assert node.host == Host("a", "admin", 2222, become="sudo")


def test_the_nodes_of_an_inventory_come_in_its_order_and_reached_as_the_flags_say(inventory: str) -> None:
    Path("config").write_text("")
    first, second = chosen(
        inventory=inventory, become="sudo", ssh_config="config", accept_new=True, set_=["platform_labels=2000"]
    )
    reached = {"user": "root", "become": "sudo", "ssh_config": Path("config"), "accept_new": True}
    assert first.host == Host("lsr-1", **reached)  # type: ignore[arg-type]
    assert second.host == Host("ler-1", **reached)  # type: ignore[arg-type]
    assert {node.spec.platform_labels for node in (first, second)} == {2000}


def test_set_is_for_the_nodes_that_limit_leaves(inventory: str) -> None:
    Path(inventory).write_text("nodes: {a: {mpls_input: [eth0]}, b: {mpls_input: [eth1]}}\n")
    settings = ["ldp={router_id: 10.0.0.1, interfaces: [eth1]}"]
    (node,) = chosen(inventory=inventory, limit="b", set_=settings)
    assert node.spec.ldp is not None
    with pytest.raises(WrongInput) as caught:
        chosen(inventory=inventory, set_=settings)
    assert "ldp.interfaces[0] (for a): LDP lets" in caught.value.message


def test_a_fault_of_the_file_is_told_before_one_of_the_limit(inventory: str) -> None:
    Path(inventory).write_text("nodes: {a: {platform_labels: many}}\n")
    with pytest.raises(WrongInput) as caught:
        chosen(inventory=inventory, limit="b")
    assert caught.value.message.startswith("nodes.yaml:1: nodes.a.platform_labels: ")


def test_allow_is_added_to_what_each_spec_allows(inventory: str) -> None:
    Path(inventory).write_text("nodes: {a: {allow: [shrink]}, b: {}}\n")
    nodes = chosen(inventory=inventory, allow=["default-route", "shrink"])
    assert [node.spec.allow for node in nodes] == [("shrink", "default-route"), ("default-route", "shrink")]


@any_of(st.text(alphabet="lers-12,!*?[]^ \ncoedg\x1b", max_size=20) | st.text(max_size=20))
def test_any_limit_leaves_nodes_in_their_order_or_is_wrong_input(limit: str) -> None:
    try:
        left = limited(NODES, limit)
    except WrongInput as error:
        assert error.message.isprintable()
        return
    assert left
    assert left == tuple(node for node in NODES if node in left)
