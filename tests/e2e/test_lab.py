"""hello-world on the image that the main job made, and what it says when something is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mplskit.image.record import Image
from mplskit.lab.grammar.topology import read_topology
from mplskit.lab.probes.pcap import Label, Packet, read_pcap
from mplskit.lab.report import LabReport
from mplskit.lab.run import run_lab
from mplskit.lab.stage.namespaces import Namespaces
from mplskit.paths import data
from mplskit.remote.session import Shell, shell
from mplskit.vm.machine import Machine
from tests.e2e.conftest import ROOT, invoke

POPS = """\
    routes:
      ler-1:
        - {pop: 101, dev: lo}
      ler-2:
        - {pop: 101, dev: lo}
"""


@pytest.fixture(scope="module")
def session(machine: Machine) -> Iterator[Shell]:
    with shell(machine.host) as opened:
        yield opened


def run_spoilt(session: Shell, folder: Path, old: str, new: str) -> LabReport:
    """hello-world with a part of its topology replaced."""
    text = (data("topologies") / "hello-world.yaml").read_text()
    assert old in text
    path = folder / "hello-world.yaml"
    path.write_text(text.replace(old, new))
    return run_lab(Namespaces(read_topology(path), session), folder)


def not_so(report: LabReport) -> list[tuple[str, str]]:
    return [(check.about, check.seen) for step in report.steps for check in step.checks if not check.passed]


def labelled(path: Path) -> list[Packet]:
    return [packet for packet in read_pcap(path.read_bytes(), path.name) if packet.stack]


def test_hello_world_passes_on_our_kernel_and_its_captures_show_label_101(image: Image, tmp_path: Path) -> None:
    ran = invoke("lab.run", "hello-world", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["kernel"] == image.release
    assert [step["verdict"] for step in ran.json["steps"]] == ["passed"] * 4
    assert [step["captures"] for step in ran.json["steps"]] == [
        [],
        ["step-1.ler-2.eth0.pcap"],
        ["step-2.ler-1.eth0.pcap", "step-2.ler-2.eth0.pcap"],
        [],
    ]
    folder = ROOT / "dist" / "labs" / "hello-world"
    for name, echo in {
        "step-1.ler-2.eth0.pcap": "request",
        "step-2.ler-1.eth0.pcap": "reply",
        "step-2.ler-2.eth0.pcap": "request",
    }.items():
        packets = labelled(folder / name)
        assert len(packets) == 5
        assert {packet.stack for packet in packets} == {(Label(101, 0, True, 64),)}
        assert {packet.ip.echo for packet in packets if packet.ip} == {echo}


def test_without_the_pop_the_second_ping_fails_and_the_report_says_so(session: Shell, tmp_path: Path) -> None:
    report = run_spoilt(session, tmp_path, POPS, "")
    assert [step.verdict for step in report.steps] == ["passed", "passed", "failed", "passed"]
    about, seen = not_so(report)[0]
    assert about == "ping 192.168.10.187 → 192.168.10.152"
    assert seen == "100 % loss (5 sent, 0 answered)"


@pytest.fixture(scope="module")
def input_off(session: Shell, tmp_path_factory: pytest.TempPathFactory) -> LabReport:
    """A run of the lab on nodes that accept no labelled packets."""
    return run_spoilt(session, tmp_path_factory.mktemp("input-off"), "mpls_input: [eth0]", "mpls_input: []")


def test_with_input_off_the_ping_fails_for_the_wrong_reason_and_the_lab_notices(input_off: LabReport) -> None:
    report = input_off
    assert [step.verdict for step in report.steps] == ["passed", "failed", "failed", "passed"]
    assert not_so(report)[0] == ("counter rx.noroute of ler-2 eth0", "0 → 0, by 0")


def test_nothing_of_a_lab_is_left_on_the_machine(session: Shell, input_off: LabReport) -> None:
    assert not input_off.passed
    assert session.run(["ip", "netns", "list"]).output == ""
    assert session.run(["sh", "-c", "ls -d /run/mplskit.* || true"]).output.endswith("No such file or directory\n")
    assert session.run(["pgrep", "tcpdump"], check=False).output == ""
