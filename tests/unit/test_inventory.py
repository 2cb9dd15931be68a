"""Inventories: how values come together, and the exact words for what does not fit (golden/inventory-*.txt)."""

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import Exit, WrongInput
from mplskit.fleet.inventory.inventory import Inventory, load
from mplskit.remote.host import Host
from tests.golden import assert_golden

GOOD = """\
defaults:
  user: root
  platform_labels: 100000

groups:
  core:
    mpls_input: [eth0, eth1]
  pe:
    become: sudo

nodes:
  ler-1:
    host: 10.10.0.187
    groups: [core, pe]
    loopbacks: [192.168.10.187/32]
    routes:
      - {push: [101], to: 192.168.10.152/32, via: 10.10.0.152}
      - {pop: 101, dev: lo}
  ler-2:
    host: admin@10.10.0.152:2222
    mpls_input: [eth0]
  lsr-1:
"""

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
PUSH = "{push: [101], to: 192.168.10.152/32, via: 10.10.0.152}"

# case: what is replaced in GOOD, and by what
WRONG = {
    "name-with-quotes": ("  ler-2:\n", '  "ler\'2":\n'),
    "name-with-a-newline": ("  ler-2:\n", '  "ler-2\\nreboot":\n'),
    "name-with-a-command": ("  ler-2:\n", "  $(reboot):\n"),
    "name-with-a-leading-dash": ("  ler-2:\n", "  -oProxyCommand=reboot:\n"),
    "name-of-a-folder-above": ("  ler-2:\n", "  ../../etc/passwd:\n"),
    "name-that-moves-the-cursor": ("  ler-2:\n", '  "ler\\e[2J":\n'),
    "name-without-end": ("  ler-2:\n", f"  {'x' * 1000}:\n"),
    "name-of-a-group": ("  ler-2:\n", "  core:\n"),
    "group-name-with-a-comma": ("  core:\n", "  'core,pe':\n"),
    "host-with-quotes": ("host: 10.10.0.187", "host: 10.10.0.187\"'"),
    "host-with-a-newline": ("host: 10.10.0.187", 'host: "10.10.0.187\\nreboot"'),
    "host-with-a-command": ("host: 10.10.0.187", "host: $(reboot)"),
    "host-with-a-leading-dash": ("host: 10.10.0.187", "host: -oProxyCommand=reboot"),
    "host-is-a-number": ("host: 10.10.0.187", "host: 10"),
    "host-of-another-node": ("host: 10.10.0.187", "host: 10.10.0.152:2222"),
    "host-with-a-port-and-port": ("host: admin@10.10.0.152:2222", "host: admin@10.10.0.152:2222\n    port: 22"),
    "user-with-a-leading-dash": ("user: root", "user: -l"),
    "user-is-a-number": ("user: root", "user: 0"),
    "port-is-text": ("host: 10.10.0.187", "host: 10.10.0.187\n    port: ssh"),
    "port-in-base-60": ("host: 10.10.0.187", "host: 10.10.0.187\n    port: 1:20"),
    "become-su": ("become: sudo", "become: su"),
    "interface-with-a-newline": ("mpls_input: [eth0, eth1]", 'mpls_input: ["eth0\\nreboot"]'),
    "interface-with-a-command": ("mpls_input: [eth0, eth1]", "mpls_input: [$(reboot)]"),
    "interface-with-a-leading-dash": ("mpls_input: [eth0, eth1]", "mpls_input: [-eth0]"),
    "address-with-a-command": ("via: 10.10.0.152", 'via: "fe80::1%$(reboot)"'),
    "label-3": ("push: [101]", "push: [3]"),
    "destination-is-the-word-default": ("to: 192.168.10.152/32", "to: default"),
    "destination-is-an-address-in-a-segment": ("to: 192.168.10.152/32", "to: 192.168.10.152/24"),
    "destination-is-a-name": ("to: 192.168.10.152/32", "to: ler-2"),
    "next-hop-with-a-prefix": ("via: 10.10.0.152", "via: 10.10.0.152/24"),
    "table-is-a-name": ("via: 10.10.0.152", "via: 10.10.0.152, table: customers"),
    "table-too-large": ("via: 10.10.0.152", "via: 10.10.0.152, table: 4294967296"),
    "label-15": ("pop: 101", "pop: 15"),
    "label-1048575": ("pop: 101", "pop: 1048575"),
    "label-octal": ("pop: 101", "pop: 0145"),
    "label-hexadecimal": ("pop: 101", "pop: 0x65"),
    "label-is-no": ("pop: 101", "pop: no"),
    "labels-31": ("push: [101]", f"push: [{', '.join(['101'] * 31)}]"),
    "labels-none": ("push: [101]", "push: []"),
    "encap-without-via": (", via: 10.10.0.152}", "}"),
    "a-weight-on-a-label": ("{pop: 101, dev: lo}", "{pop: 101, nexthops: [{via: 10.10.0.1, weight: 2}]}"),
    "table-too-small-by-the-defaults": ("platform_labels: 100000", "platform_labels: 100"),
    "default-with-a-fault": ("platform_labels: 100000", "platform_labels: many"),
    "default-with-an-unknown-key": ("platform_labels: 100000", "platfrom_labels: 100000"),
    "default-with-a-host": ("user: root", "host: 10.0.0.1"),
    "group-with-a-fault": ("mpls_input: [eth0, eth1]", "mpls_input: [eth0, eth0]"),
    "group-that-nobody-has": ("  pe:\n", "  p: {mtu: 1500}\n  pe:\n"),
    "group-that-is-a-list": ("    mpls_input: [eth0, eth1]", "    - eth0"),
    "unknown-group": ("groups: [core, pe]", "groups: [cor, pe]"),
    "group-twice": ("groups: [core, pe]", "groups: [core, core]"),
    "groups-is-text": ("groups: [core, pe]", "groups: core"),
    "unknown-key-of-a-node": ("loopbacks: [", "loopback: ["),
    "unknown-key-at-the-top": ("groups:\n  core", "group:\n  core"),
    "forwarding-no": ("loopbacks:", "ip_forward: no\n    loopbacks:"),
    "key-twice": ("  ler-2:\n", "  ler-1:\n"),
    "tab": ("    host: 10.10.0.187", "\thost: 10.10.0.187"),
    "tag": ("user: root", "user: !!python/object/apply:os.system [reboot]"),
    "deep": ("user: root", "user: " + "[" * 40),
    "laughs": ("defaults:\n", f"{LAUGHS}defaults:\n"),
    "no-nodes": (GOOD[GOOD.index("nodes:") :], ""),
    "empty-nodes": (GOOD[GOOD.index("nodes:") :], "nodes: {}\n"),
    "nodes-is-a-list": (GOOD[GOOD.index("nodes:") :], "nodes: [ler-1, ler-2]\n"),
    "list": (GOOD, "- ler-1\n"),
    "empty": (GOOD, ""),
    "many-faults": (f"      - {PUSH}\n", f"      - {PUSH}\n" * 25),
}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "nodes.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_told_with_file_line_place_and_rule(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = WRONG[case]
    assert GOOD.count(old) == 1
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongInput) as caught:
        load(written(tmp_path, GOOD.replace(old, new)))
    assert caught.value.code == Exit.WRONG_INPUT
    assert_golden(f"inventory-{case}", f"{caught.value}\n", {})


def test_a_large_inventory_is_refused_before_it_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, GOOD + "# \n" * 3_500_000)
    begun = time.monotonic()
    with pytest.raises(WrongInput) as caught:
        load(path)
    assert_golden("inventory-10-mb", f"{caught.value}\n", {})
    assert time.monotonic() - begun < 1


def test_a_node_has_the_defaults_its_groups_and_its_own_values(tmp_path: Path) -> None:
    inventory = load(written(tmp_path, GOOD))
    assert [node.name for node in inventory.nodes] == ["ler-1", "ler-2", "lsr-1"]
    assert inventory.groups == ("core", "pe")
    first, second, third = inventory.nodes
    assert (first.groups, second.groups, third.groups) == (("core", "pe"), (), ())
    assert first.host == Host("10.10.0.187", "root", become="sudo")
    assert first.spec.mpls_input == ("eth0", "eth1")
    assert len(first.spec.routes) == 2
    assert second.host == Host("10.10.0.152", "admin", 2222)
    assert second.spec.mpls_input == ("eth0",)
    assert third.host == Host("lsr-1", "root")


LAYERS = """\
defaults:
  platform_labels: 1000
  mpls_input: [eth0]
  ldp: {router_id: 10.0.0.9, interfaces: [eth0]}
groups:
  a: {platform_labels: 2000, port: 22}
  b: {platform_labels: 3000}
nodes:
  ab: {groups: [a, b]}
  ba: {groups: [b, a], platform_labels: 4000, ldp: {router_id: 10.0.0.1}, mpls_input: [eth0, eth1]}
  ba2: {groups: [b, a]}
"""


def test_later_groups_count_more_mappings_are_merged_and_lists_replaced(tmp_path: Path) -> None:
    ab, ba, ba2 = load(written(tmp_path, LAYERS)).nodes
    assert (ab.spec.platform_labels, ba.spec.platform_labels, ba2.spec.platform_labels) == (3000, 4000, 2000)
    assert (ab.host.port, ba.spec.mpls_input) == (22, ("eth0", "eth1"))
    assert ba.spec.ldp is not None
    assert (str(ba.spec.ldp.router_id), ba.spec.ldp.interfaces) == ("10.0.0.1", ("eth0",))


def test_a_null_takes_back_what_the_defaults_say(tmp_path: Path) -> None:
    path = written(tmp_path, LAYERS.replace("ab: {groups: [a, b]}", "ab: {groups: [a, b], ldp: null, port: null}"))
    ab, ba, _ = load(path).nodes
    assert (ab.spec.ldp, ab.host.port) == (None, None)
    assert ba.spec.ldp is not None


def test_set_counts_more_than_the_file_and_reaches_into_mappings(tmp_path: Path) -> None:
    settings = ["platform_labels=5000", "ldp.router_id=10.0.0.3", "mpls_input=[eth0, eth2]", "user=admin"]
    nodes = load(written(tmp_path, LAYERS), settings).nodes
    assert {node.spec.platform_labels for node in nodes} == {5000}
    assert {node.spec.mpls_input for node in nodes} == {("eth0", "eth2")}
    assert {str(node.spec.ldp.router_id) for node in nodes if node.spec.ldp} == {"10.0.0.3"}
    assert {node.host.user for node in nodes} == {"admin"}


def test_set_may_name_another_user_and_port_than_the_host_does(tmp_path: Path) -> None:
    nodes = load(written(tmp_path, GOOD), ["user=root", "port=22"]).nodes
    assert {(node.host.user, node.host.port) for node in nodes} == {("root", 22)}


SET_WRONG = {
    "unknown-key": "platfrom_labels=200000",
    "unknown-key-below": "ldp.router=10.0.0.1",
    "no-number": "platform_labels=many",
    "no-value": "platform_labels",
    "no-key": "=3",
    "empty-part": "ldp..router_id=10.0.0.1",
    "too-deep": "a.b.c.d.e=1",
    "no-yaml": "mpls_input=[eth0",
    "a-command": "mpls_input=[$(reboot)]",
    "a-newline": 'mpls_input=["eth0\nreboot"]',
    "a-list-that-it-cannot-reach-into": "routes.0=1",
    "a-host": "host=10.0.0.1",
    "groups": "groups=[a]",
}


@pytest.mark.parametrize("case", SET_WRONG)
def test_a_set_that_does_not_fit_is_told_by_itself(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongInput) as caught:
        load(written(tmp_path, LAYERS), [SET_WRONG[case]])
    assert_golden(f"inventory-set-{case}", f"{caught.value}\n", {})


def test_anchors_and_merge_keys_save_repetition_and_keep_their_lines(tmp_path: Path) -> None:
    text = """\
nodes:
  a: &a
    mpls_input: &core [eth0, eth1]
    platform_labels: 2000
  b: {<<: *a, platform_labels: 3000}
  c:
    mpls_input: *core
    routes:
      - {pop: 101, dev: eth0}
"""
    with pytest.raises(WrongInput) as caught:
        load(written(tmp_path, text))
    assert caught.value.message.partition("nodes.yaml:")[2].startswith("9: nodes.c.routes[0].dev: ")
    a, b, c = load(written(tmp_path, text.replace("dev: eth0", "dev: lo"))).nodes
    assert (a.spec.mpls_input, b.spec.mpls_input, c.spec.mpls_input) == (("eth0", "eth1"),) * 3
    assert (a.spec.platform_labels, b.spec.platform_labels) == (2000, 3000)


def test_a_thousand_nodes_with_ten_routes_each_are_read_in_seconds(tmp_path: Path) -> None:
    routes = "".join(f"      - {{swap: {100 + j}, as: [{200 + j}], via: 10.10.0.{j + 1}}}\n" for j in range(10))
    nodes = "".join(
        f"  router-{i}:\n    host: 10.{i // 250}.{i % 250}.1\n    mpls_input: [eth0, eth1]\n    routes:\n{routes}"
        for i in range(1000)
    )
    path = written(tmp_path, f"nodes:\n{nodes}")
    begun = time.process_time()
    inventory = load(path)
    assert sum(len(node.spec.routes) for node in inventory.nodes) == 10_000
    assert time.process_time() - begun < 20


def test_defaults_that_a_thousand_nodes_multiply_are_bounded(tmp_path: Path) -> None:
    routes = "".join(f"    - {{swap: {100 + i}, as: [200], via: 10.0.0.1}}\n" for i in range(1000))
    nodes = "".join(f"  n{i}: {{}}\n" for i in range(1000))
    with pytest.raises(WrongInput) as caught:
        load(written(tmp_path, f"defaults:\n  routes:\n{routes}nodes:\n{nodes}"))
    assert "the nodes up to here have more than 700000 values in all" in caught.value.message


def test_more_than_ten_thousand_nodes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as caught:
        load(written(tmp_path, "nodes:\n" + "".join(f"  n{i}:\n" for i in range(10_001))))
    assert caught.value.message.endswith("nodes.yaml:1: nodes: an inventory has at most 10000 nodes")


def test_an_inventory_may_come_from_a_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, GOOD.encode())
    os.close(writing)
    try:
        assert len(load(Path(f"/dev/fd/{reading}")).nodes) == 3
    finally:
        os.close(reading)


def judged(path: Path, settings: list[str]) -> None:
    try:
        inventory = load(path, settings)
    except WrongInput as error:
        assert all(line.isprintable() for line in [error.message, *error.detail.splitlines()])
        assert len(error.detail.splitlines()) <= 20
        return
    assert isinstance(inventory, Inventory)
    assert inventory.nodes


@given(st.binary(max_size=400))
def test_any_bytes_are_an_inventory_or_wrong_input(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    judged(path, [])


WORDS = ["defaults", "groups", "nodes", "user", "port", "host", "become", "ldp", "openvpn", "interfaces", "mpls_input"]
WORDS += ["routes", "push", "to", "via", "nexthops", "pop", "dev", "swap", "as", "loopbacks", "platform_labels", "<<"]
LEAVES = st.one_of(
    st.sampled_from(
        [*WORDS, "lo", "10.0.0.1", "10.0.0.0/8", "::1", "fe80::1%x", "", "$(x)", "a\nb", "\x1b[2J", "x" * 70]
    ),
    st.integers(-2, 40),
    st.integers(),
    st.booleans(),
    st.none(),
)
TREES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), below),
    max_leaves=20,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("defaults", "groups", "nodes", "other"), TREES)))
def test_any_values_in_the_right_places_are_an_inventory_or_wrong_input(
    tmp_path_factory: pytest.TempPathFactory, tree: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(json.dumps(tree))
    judged(path, [])


@given(st.text(max_size=30) | st.tuples(st.sampled_from(WORDS), st.text(max_size=20)).map("=".join))
def test_any_set_is_taken_or_wrong_input(tmp_path_factory: pytest.TempPathFactory, word: str) -> None:
    path = tmp_path_factory.getbasetemp() / "good.yaml"
    path.write_text(GOOD)
    judged(path, [word])


def test_the_example_of_the_page_for_users_is_an_inventory(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "inventory.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    ler, first, second = load(written(tmp_path, example)).nodes
    assert [len(node.spec.routes) for node in (ler, first, second)] == [5, 3, 1]
    assert [str(node.host) for node in (ler, first, second)] == [
        "root@10.10.0.187",
        "admin@lsr-1.example.net:2222",
        "root@lsr-2",
    ]
    assert [node.host.become for node in (ler, first, second)] == [None, "sudo", None]
    assert first.spec.mpls_input == ("eth0", "eth1", "tap-core")
    assert second.spec.ldp is not None
    assert str(second.spec.ldp.ospf_area) == "0.0.0.0"
