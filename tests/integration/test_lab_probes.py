"""Every probe on this machine, in real namespaces and without labels: what it asks is done, what it sees is read."""

import os
from collections.abc import Iterator

import pytest

from mplskit import process
from mplskit.lab.evidence import Check
from mplskit.lab.grammar.labs import read_topology
from mplskit.lab.play_step import Play, run_step
from mplskit.lab.probes import PROBES
from mplskit.lab.stage.namespaces import Namespaces
from mplskit.lab.this_machine import ThisMachine

MISSING = [name for name in ("ping", "traceroute", "iperf3", "tcpdump") if process.find(name) is None]
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING} (./run test installs them)"),
]

LAB = """\
name: test-of-probes
proves: that each probe sees what is there
nodes: {left: {}, right: {}}
links:
  - ends: [{node: left, dev: eth0, address: 10.1.0.1/24}, {node: right, dev: eth0, address: 10.1.0.2/24}]
steps:
  - step: an answer
    capture: [{on: right, dev: eth0, direction: in}]
    ping: {from: left, source: 10.1.0.1, to: 10.1.0.2}
    expect:
      loss: 0
      ttl: 64
      captured: [{on: right, dev: eth0, labels: [], echo: request, at_least: 5, at_most: 5}]
      tables: [{on: left, has: 10.1.0.0/24 dev eth0}, {on: left, lacks: 10.9.0.0/24}]
  - step: no answer
    ping: {from: left, source: 10.1.0.1, to: 10.1.0.2, size: 1501, fragment: false, count: 1}
    expect: {loss: 100, error: message too long}
  - step: a hop
    traceroute: {from: left, source: 10.1.0.1, to: 10.1.0.2}
    expect: {hops: [10.1.0.2]}
  - step: some speed
    throughput: {from: left, source: 10.1.0.1, at: right, to: 10.1.0.2, seconds: 1}
    expect: {rate: {at_least: 0.1}}
  - step: as much again
    throughput: {from: left, source: 10.1.0.1, at: right, to: 10.1.0.2, seconds: 1}
    expect: {rate: {times: 0.001, of: some speed}}
"""


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("probes")
    path = folder / "test-of-probes.yaml"
    path.write_text(LAB)
    stage = Namespaces(read_topology(path), ThisMachine())
    stage.remove()
    try:
        stage.build()
        yield Play(stage, folder)
    finally:
        stage.remove()


def checks(play: Play, number: int) -> list[tuple[str, str]]:
    """What was expected and seen in a step, when all of it was so."""
    seen: tuple[Check, ...] = run_step(play, number).checks
    assert [check for check in seen if not check.passed] == []
    return [(check.expected, check.seen) for check in seen]


def test_a_ping_is_answered_captured_and_its_route_is_there(play: Play) -> None:
    loss, ttl, captured, route, none = checks(play, 1)
    assert loss == ("0 % loss", "0 % loss (5 sent, 5 answered)")
    assert ttl == ("replies with ttl=64", "5 × ttl=64")
    assert captured[1].startswith("5 × no label, IP TTL 64, echo request")
    assert route[1].strip() == "10.1.0.0/24 dev eth0 proto kernel scope link src 10.1.0.1"
    assert none[1] == "none with 10.9.0.0/24"
    assert (play.folder / "step-1.right.eth0.pcap").stat().st_size > 0


def test_a_ping_that_is_too_long_is_lost_and_complained_of(play: Play) -> None:
    assert [expected for expected, _ in checks(play, 2)] == ["100 % loss", "ping says 'message too long'"]


def test_a_traceroute_names_its_hops(play: Play) -> None:
    assert checks(play, 3) == [("10.1.0.2", "10.1.0.2")]


def test_a_throughput_is_measured_and_compared_with_an_earlier_one(play: Play) -> None:
    [(_, first)] = checks(play, 4)
    [(expected, second)] = checks(play, 5)
    assert first.endswith(" Mbit/s")
    assert expected == "0.001 times that of “some speed”"
    assert second.endswith(f"; {first} there")


def test_every_probe_but_those_that_need_mpls_or_a_tunnel_is_tried_here() -> None:
    words = {key for probe in PROBES for key in (*probe.asked.model_fields, *probe.expected.model_fields)}
    assert {word for word in words if f"{word}:" not in LAB} == {"counters", "logged"}
