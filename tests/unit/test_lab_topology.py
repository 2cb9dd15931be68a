"""The grammar of a topology: what fits, and the exact words for what does not (golden/lab-*.txt)."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import Exit, WrongInput
from mplskit.lab.grammar.labs import lab_names, load, read_topology
from mplskit.lab.grammar.topology import nodes_at
from mplskit.node.grammar.routes import Pop, Push
from tests.golden import assert_golden

GOOD = """\
name: pair
proves: two routers

nodes:
  ler-1:
    mpls_input: [eth0]
    routes:
      - {push: [101], to: 192.168.10.152/32, via: 10.10.0.152}
  ler-2:
    loopbacks: [192.168.10.152/32]

links:
  - ends:
      - {node: ler-1, dev: eth0, address: 10.10.0.187/24}
      - {node: ler-2, dev: eth0, address: 10.10.0.152/24}

steps:
  - step: it answers
    add:
      ler-2:
        routes:
          - {pop: 101, dev: lo}
    capture:
      - {on: ler-2, dev: eth0}
    ping: {from: ler-1, source: 10.10.0.187, to: 192.168.10.152}
    expect:
      loss: 0
      captured:
        - {on: ler-2, dev: eth0, labels: [101], tc: 0}
"""

VPN = (
    "    openvpn:\n      - {dev: vpn, address: 10.96.0.1/24, remote: 10.9.9.9, cert: /etc/openvpn/a, key: /etc/ssl/b, "
    "ca: /etc/openvpn/a}\n"
)

# case: what is replaced in GOOD, and by what
WRONG = {
    "unknown-node-in-a-link": ("{node: ler-2, dev", "{node: ler-3, dev"),
    "unknown-node-in-a-ping": ("ping: {from: ler-1", "ping: {from: router"),
    "unknown-node-in-an-addition": ("      ler-2:\n        routes", "      ler-9:\n        routes"),
    "node-name-with-a-space": ("nodes:", "nodes:\n  LER 3: {}"),
    "unknown-key-of-the-lab": ("proves: two routers", "proves: two routers\nprove: it"),
    "unknown-key-of-a-node": ("mpls_input: [eth0]", "mpls_inputs: [eth0]"),
    "unknown-key-of-a-route": ("{pop: 101, dev: lo}", "{pop: 101, dev: lo, nexthop: 10.10.0.187}"),
    "no-kind-of-route": ("{pop: 101, dev: lo}", "{pp: 101, dev: lo}"),
    "address-out-of-range": ("10.10.0.152/24", "10.10.0.300/24"),
    "address-without-prefix": ("10.10.0.152/24", "10.10.0.152"),
    "broadcast-address": ("10.10.0.152/24", "10.10.0.255/24"),
    "two-segments": ("10.10.0.152/24", "10.20.0.152/24"),
    "label-too-large": ("push: [101]", "push: [1048576]"),
    "label-reserved": ("pop: 101", "pop: 5"),
    "label-beyond-the-table": ("pop: 101", "pop: 200000"),
    "label-is-text": ("labels: [101]", "labels: [one]"),
    "missing-key": (", source: 10.10.0.187", ""),
    "loss-out-of-range": ("loss: 0", "loss: 101"),
    "captured-without-a-capture": ("    capture:\n      - {on: ler-2, dev: eth0}\n", ""),
    "expected-without-a-ping": ("    ping: {from: ler-1, source: 10.10.0.187, to: 192.168.10.152}\n", ""),
    "unknown-counter": ("loss: 0", "loss: 0\n      counters:\n        - {on: ler-2, dev: eth0, name: noroute}"),
    "address-is-a-list": ("via: 10.10.0.152", "via: [10.10.0.152]"),
    "next-hop-on-no-link": ("via: 10.10.0.152", "via: 10.10.0.99"),
    "missing-next-hop": (", via: 10.10.0.152", ""),
    "address-not-on-the-link": ("10.10.0.152/24", "10.10.7.152/24"),
    "same-address-on-both-ends": ("10.10.0.152/24", "10.10.0.187/24"),
    "source-of-another-node": ("source: 10.10.0.187", "source: 192.168.10.152"),
    "destination-of-nobody": ("to: 192.168.10.152}", "to: 192.168.10.15}"),
    "unknown-interface": ("mpls_input: [eth0]", "mpls_input: [eth1]"),
    "unknown-interface-in-a-capture": ("      - {on: ler-2, dev: eth0}", "      - {on: ler-2, dev: eth7}"),
    "nothing-expected": (GOOD[GOOD.index("    expect:") :], ""),
    "hops-without-a-traceroute": ("loss: 0", "loss: 0\n      hops: [192.168.10.152]"),
    "two-things-tried": (
        "    expect:",
        "    traceroute: {from: ler-1, source: 10.10.0.187, to: 192.168.10.152}\n    expect:",
    ),
    "table-without-words": ("loss: 0", "loss: 0\n      tables:\n        - {on: ler-2}"),
    "a-tunnel-over-nothing": ("  - ends:", "  - tunnel: tun\n    ends:"),
    "rate-of-a-ping": (
        GOOD[GOOD.index("      captured:") :],
        "  - step: TCP\n    throughput: {from: ler-1, source: 10.10.0.187, at: ler-2, to: 192.168.10.152}\n"
        "    expect:\n      rate: {times: 4, of: it answers}\n",
    ),
    "rate-of-nothing": ("loss: 0", "loss: 0\n      rate: {}"),
    "ttl-of-no-label": ("labels: [101], tc: 0", "labels: [], tc: 0, ttl: 63"),
    "at-least-nothing": ("tc: 0", "tc: 0, at_least: 0"),
    "route-through-an-unknown-interface": ("via: 10.10.0.152", "via: 10.10.0.152, dev: eth7"),
    "route-through-the-wrong-interface": ("via: 10.10.0.152", "via: 10.10.0.152, dev: lo"),
    "pop-to-an-unknown-interface": ("{pop: 101, dev: lo}", "{pop: 101, dev: red}"),
    "captured-twice": ("      - {on: ler-2, dev: eth0}\n", "      - {on: ler-2, dev: eth0}\n" * 2),
    "log-of-a-link": ("loss: 0", "loss: 0\n      logged: [{on: ler-2, dev: eth0, text: x}]"),
    "hops-that-are-none": (
        "    ping: {from: ler-1, source: 10.10.0.187, to: 192.168.10.152}\n    expect:\n      loss: 0",
        "    traceroute: {from: ler-1, source: 10.10.0.187, to: 192.168.10.152}\n    expect:\n      hops: [somebody]",
    ),
    "two-families": ("to: 192.168.10.152}", "to: 2001:db8::1}"),
    "a-slow-tunnel": ("  - ends:", "  - tunnel: tun\n    delay: 5\n    ends:"),
    "small-mtu-for-ipv6": (
        GOOD[GOOD.index("  - ends:") : GOOD.index("\nsteps:")],
        "  - mtu: 1000\n    ends:\n      - {node: ler-1, dev: eth0, address: 2001:db8::1/64}\n"
        "      - {node: ler-2, dev: eth0, address: 2001:db8::2/64}\n",
    ),
    "one-prefix-on-two-links": (
        "  - ends:",
        "  - ends:\n      - {node: ler-1, dev: eth1, address: 10.10.0.1/30}\n"
        "      - {node: ler-2, dev: eth1, address: 10.10.0.2/30}\n  - ends:",
    ),
    "source-of-a-later-step": (
        "steps:",
        "steps:\n  - step: too early\n"
        "    ping: {from: ler-2, source: 10.9.9.9, to: 10.10.0.187}\n    expect: {loss: 0}\n"
        "  - step: in time\n    add: {ler-2: {loopbacks: [10.9.9.9/32]}}\n"
        "    ping: {from: ler-2, source: 10.9.9.9, to: 10.10.0.187}\n    expect: {loss: 0}",
    ),
    "a-node-with-ldp": ("mpls_input: [eth0]", "mpls_input: [eth0]\n    ldp: {router_id: 1.1.1.1, interfaces: [eth0]}"),
    "a-lone-end-of-openvpn": ("  ler-2:\n    loopbacks: [192", f"{VPN}  ler-2:\n    loopbacks: [192"),
    "openvpn-that-calls-nobody": (
        "  ler-2:\n    loopbacks: [192.168.10.152/32]\n",
        f"{VPN}  ler-2:\n    loopbacks: [192.168.10.152/32]\n"
        + VPN.replace("remote: 10.9.9.9, ", "").replace("10.96.0.1", "10.96.0.2"),
    ),
    "no-steps": (GOOD[GOOD.index("steps:") :], "steps: []\n"),
    "one-end": ("      - {node: ler-2, dev: eth0, address: 10.10.0.152/24}\n", ""),
    "three-ends": (
        "      - {node: ler-2, dev: eth0, address: 10.10.0.152/24}\n",
        "      - {node: ler-2, dev: eth0, address: 10.10.0.152/24}\n"
        "      - {node: ler-1, dev: eth1, address: 10.10.0.122/24}\n",
    ),
    "a-device-twice": ("{node: ler-2, dev: eth0, address", "{node: ler-1, dev: eth0, address"),
    "several-faults": (
        "  ler-2:\n    loopbacks: [192.168.10.152/32]",
        "  ler-2: {platform_labels: -1, loopbacks: [300.0.0.1/32], colour: red}",
    ),
    "another-name-than-its-file": ("name: pair", "name: two"),
    "no-yaml": ("[192.168.10.152/32]", "[192.168.10.152/32"),
    "a-tab": ("    mpls_input", "\tmpls_input"),
    "a-key-twice": ("  ler-2:\n    loopbacks", "  ler-1:\n    loopbacks"),
    "not-a-mapping": (GOOD, "- pair\n"),
    "empty": (GOOD, ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_told_with_file_line_reason_and_what_is_allowed(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = WRONG[case]
    assert GOOD.count(old) == 1
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pair.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(WrongInput) as caught:
        read_topology(path)
    assert caught.value.code == Exit.WRONG_INPUT
    assert_golden(f"lab-{case}", f"{caught.value}\n", {})


def test_a_topology_that_fits_becomes_nodes_links_and_steps(tmp_path: Path) -> None:
    path = tmp_path / "pair.yaml"
    path.write_text(GOOD)
    topology = read_topology(path)
    assert list(topology.nodes) == ["ler-1", "ler-2"]
    assert topology.nodes["ler-1"].routes == (
        Push(push=(101,), to=IPv4Network("192.168.10.152/32"), via=IPv4Address("10.10.0.152")),
    )
    assert [end.address for end in topology.links[0].ends] == [
        IPv4Interface("10.10.0.187/24"),
        IPv4Interface("10.10.0.152/24"),
    ]
    ping = topology.steps[0].ping
    assert ping is not None
    assert (ping.from_, ping.count) == ("ler-1", 5)


def test_routes_of_a_step_are_added_to_those_that_a_node_has(tmp_path: Path) -> None:
    path = tmp_path / "pair.yaml"
    path.write_text(GOOD)
    topology = read_topology(path)
    assert nodes_at(topology, 0) == topology.nodes
    assert nodes_at(topology, 1)["ler-2"].routes == (Pop(pop=101, dev="lo"),)


def test_hello_world_has_the_addresses_and_labels_of_the_article() -> None:
    assert "hello-world" in lab_names()
    topology = load("hello-world")
    assert {str(end.address) for link in topology.links for end in link.ends} == {"10.10.0.187/24", "10.10.0.152/24"}
    assert {str(address) for node in topology.nodes.values() for address in node.loopbacks} == {
        "192.168.10.187/32",
        "192.168.10.152/32",
    }
    assert {tuple(node.mpls_input) for node in topology.nodes.values()} == {("eth0",)}
    failing, answering, large = topology.steps
    assert large.ping is not None
    assert large.ping.size == 1496
    expected: list[Any] = [step.expect for step in topology.steps]
    assert [(each.loss, each.ttl) for each in expected] == [(100, None), (0, 63), (0, None)]
    assert not failing.add
    assert set(answering.add) == {"ler-1", "ler-2"}


def test_every_topology_that_comes_with_mplskit_fits_its_grammar() -> None:
    assert [load(name).name for name in lab_names()] == lab_names()


def test_an_unknown_lab_is_told_with_the_known_ones() -> None:
    with pytest.raises(WrongInput) as caught:
        load("helo-world")
    assert caught.value.code == Exit.WRONG_INPUT
    assert str(caught.value) == (
        "error: there is no lab 'helo-world'; allowed: ecmp, explicit-null, gso, hello-world, ipv6, lsr, mtu, openvpn, "
        "openvpn-tun, php, stack, ttl; did you mean hello-world?\n"
        "hint: `invoke lab.list` says what each of them proves; a lab of your own is a file: ./NAME.yaml"
    )


@given(st.text(max_size=60))
def test_any_other_text_is_wrong_input_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("topology") / "pair.yaml"
    path.write_text(text)
    with pytest.raises(WrongInput):
        read_topology(path)
