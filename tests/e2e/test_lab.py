"""The labs on the kernel that the main job made, and what they say when something is wrong."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mplskit.image.image_record import Image
from mplskit.lab.faults import KINDS, parse_fault
from mplskit.lab.grammar.labs import lab_names, load
from mplskit.lab.lab_report import LabReport
from mplskit.lab.machine_choice import Place, ground
from mplskit.lab.pcap import Label, Packet, read_pcap
from mplskit.lab.run_lab import RunOptions, run_lab
from mplskit.lab.stage.ground import MachineShell
from mplskit.lab.stage.namespaces import Namespaces
from mplskit.paths import Workspace
from tests.worlds.checkout import ROOT, invoke

pytestmark = pytest.mark.usefixtures("labs_to_itself")

LABS = ROOT / "dist" / "labs"
ARTICLE = ("hello-world", "lsr", "openvpn")
POPPED = "Both routers pop label 101, so the ping answers"
UNPOPPED = "Nobody pops label 101, so the ping is lost although it arrives"
LARGE = "The largest packet that fits with its label, 1496 bytes, passes"
UNSWAPPED = "The LSR knows no label yet, and counts what comes as having no route"
SWAPPED = "The LSR swaps 101 for 201 and 102 for 202, and the ping answers"
HALFWAY = "mpls-04 does not pop label 100 yet, so the reply gets through the VPN and no further"
THROUGH = "Every label is known, and the ping from mpls-04 answers through the VPN"
THROUGH_LARGE = f"{LARGE} the VPN"

# lab, fault: the first step that fails, and the condition of the checklist that is named, on that node
FAULTS = [
    ("hello-world", "ler-2:no-pop", POPPED, "R2"),
    ("hello-world", "ler-2:input-off:eth0", UNPOPPED, "S11"),
    ("hello-world", "ler-2:wrong-label", POPPED, "R2"),
    ("hello-world", "ler-2:small-table", POPPED, "S1"),
    ("hello-world", "ler-2:rp-filter", POPPED, "L3"),
    ("hello-world", "ler-2:lo-down", POPPED, "L2"),
    ("hello-world", "ler-2:no-loopback", POPPED, "R1"),
    ("hello-world", "ler-1:link-mtu:eth0", LARGE, "M1"),
    ("hello-world", "ler-1:no-push", UNPOPPED, "R2"),
    ("lsr", "lsr:input-off:eth0", UNSWAPPED, "S11"),
    ("lsr", "lsr:no-route", SWAPPED, "R2"),
    ("lsr", "lsr:wrong-label", SWAPPED, "R2"),
    ("lsr", "lsr:small-table", SWAPPED, "S1"),
    ("lsr", "ler-2:lo-down", SWAPPED, "L2"),
    ("lsr", "ler-2:rp-filter", SWAPPED, "L3"),
    ("lsr", "lsr:link-down:eth1", SWAPPED, "F11"),
    ("lsr", "lsr:link-mtu:eth1", LARGE, "M1"),
    ("openvpn", "mpls-02:input-off:vpn", HALFWAY, "S11"),
    ("openvpn", "mpls-01:no-pop", HALFWAY, "R2"),
    ("openvpn", "mpls-04:no-pop", THROUGH, "R2"),
    ("openvpn", "mpls-03:wrong-label", HALFWAY, "R2"),
    ("openvpn", "mpls-03:small-table", HALFWAY, "S1"),
    ("openvpn", "mpls-04:rp-filter", THROUGH, "L3"),
    ("openvpn", "mpls-04:lo-down", THROUGH, "L2"),
    ("openvpn", "mpls-04:link-mtu:eth0", THROUGH_LARGE, "M1"),
]


@pytest.fixture(scope="module")
def labs(image: Image) -> Any:
    """All labs, in one boot of the kernel that the main job made."""
    ran = invoke("lab.run", "all", "--json")
    assert ran.code == 0, ran.err
    return {lab["lab"]: lab for lab in ran.json["labs"]}


@pytest.fixture(scope="module")
def machine_of_labs(image: Image) -> Iterator[MachineShell]:
    workspace = Workspace(ROOT / "build", ROOT / "dist", Workspace.here().cache)
    with ground(workspace, Place(), "lab-tests") as machine:
        yield machine


def labelled(path: Path) -> list[Packet]:
    return [packet for packet in read_pcap(path.read_bytes(), path.name) if packet.stack]


def sabotaged(machine: MachineShell, folder: Path, lab: str, fault: str) -> LabReport:
    topology = load(lab)
    return run_lab(Namespaces(topology, machine), folder, RunOptions((parse_fault(fault, topology),)))


@pytest.mark.parametrize("lab", lab_names())
def test_every_lab_passes_on_our_kernel(labs: Any, image: Image, lab: str) -> None:
    assert labs[lab]["passed"] is True
    assert labs[lab]["kernel"] == image.release
    assert {step["verdict"] for step in labs[lab]["steps"]} == {"passed"}


def test_the_captures_of_hello_world_show_label_101(labs: Any) -> None:
    assert labs["hello-world"]["passed"]
    for name, echo in {
        "step-1.ler-2.eth0.pcap": "request",
        "step-2.ler-1.eth0.pcap": "reply",
        "step-2.ler-2.eth0.pcap": "request",
    }.items():
        packets = labelled(LABS / "hello-world" / name)
        assert len(packets) == 5
        assert {packet.stack for packet in packets} == {(Label(101, 0, True, 64),)}
        assert {packet.ip.echo for packet in packets if packet.ip} == {echo}


def test_the_capture_on_the_vpn_shows_label_200_one_way_and_100_the_other(labs: Any) -> None:
    assert labs["openvpn"]["passed"]
    packets = labelled(LABS / "openvpn" / "step-2.mpls-02.vpn.pcap")
    assert {(packet.stack, packet.ip.echo) for packet in packets if packet.ip} == {
        ((Label(200, 0, True, 63),), "request"),
        ((Label(100, 0, True, 63),), "reply"),
    }


def test_mpls_gso_makes_tcp_many_times_faster(labs: Any) -> None:
    rates = [
        float(re.match(r"([\d.]+) Mbit/s", check["seen"])[1])  # type: ignore[index]
        for step in labs["gso"]["steps"]
        for check in step["checks"]
        if check["about"].startswith("TCP")
    ]
    assert rates[1] > 4 * rates[0]


def test_a_page_and_junit_lie_beside_the_captures(labs: Any) -> None:
    for lab in labs:
        assert "<svg" in (LABS / lab / "report.html").read_text()
        assert f'<testsuite name="{lab}"' in (LABS / lab / "junit.xml").read_text()
        assert json.loads((LABS / lab / "report.json").read_text())["passed"] is True


@pytest.mark.parametrize(
    ("lab", "fault", "step", "condition"),
    [
        pytest.param(
            *case,
            id=f"{case[0]}-{case[1]}",
            marks=[] if case[:2] == ("lsr", "lsr:input-off:eth0") else pytest.mark.full,
        )
        for case in FAULTS
    ],
)
def test_a_fault_fails_at_the_right_step_and_its_cause_is_named(
    machine_of_labs: MachineShell, tmp_path: Path, lab: str, fault: str, step: str, condition: str
) -> None:
    report = sabotaged(machine_of_labs, tmp_path, lab, fault)
    first = next(found for found in report.steps if found.wrong)
    assert first.step == step
    assert [check for check in first.checks if not check.passed]
    node = fault.partition(":")[0]
    assert (node, condition) in [(cause.node, cause.id) for cause in first.causes]
    cause = next(cause for cause in first.causes if (cause.node, cause.id) == (node, condition))
    assert cause.cause
    assert cause.cure
    assert condition in (tmp_path / "report.html").read_text()


def test_every_kind_of_fault_is_made_in_some_lab() -> None:
    assert {fault.split(":")[1] for _, fault, _, _ in FAULTS} == set(KINDS)


def test_nothing_of_a_lab_is_left_on_the_machine(machine_of_labs: MachineShell, tmp_path: Path) -> None:
    stage = Namespaces(load("hello-world"), machine_of_labs)
    assert run_lab(stage, tmp_path).passed
    assert machine_of_labs.run(["ip", "netns", "list"]).output == ""
    assert machine_of_labs.run(["sh", "-c", "ls /run | grep mplskit || true"]).output == ""
    assert machine_of_labs.run(["pgrep", "tcpdump"], check=False).output == ""


@pytest.mark.full
@pytest.mark.parametrize("lab", ARTICLE)
def test_a_lab_of_the_article_passes_with_a_machine_for_each_node_and_again_after_reboots(
    image: Image, lab: str
) -> None:
    ran = invoke("lab.run", lab, "--stage", "vms", "--reboot", "--json")
    assert ran.code == 0, ran.err
    steps = {step["step"]: step["verdict"] for step in ran.json["labs"][0]["steps"]}
    assert set(steps.values()) == {"passed"}
    assert "Every node is rebooted" in steps
    again = {"hello-world": POPPED, "lsr": SWAPPED, "openvpn": THROUGH}[lab]
    assert f"{again} (after the reboot)" in steps


@pytest.mark.full
def test_a_fault_of_a_machine_of_its_own_stays_and_its_cause_is_named(image: Image) -> None:
    ran = invoke("lab.run", "hello-world", "--stage", "vms", "--fault", "ler-2:no-pop", "--json")
    assert ran.code == 1, ran.err
    first = next(step for step in ran.json["labs"][0]["steps"] if step["verdict"] == "failed")
    assert first["step"] == POPPED
    assert [(cause["node"], cause["id"]) for cause in first["causes"]] == [("ler-2", "R2")]


@pytest.mark.full
def test_every_lab_passes_on_debians_own_kernels(image: Image) -> None:
    ran = invoke("lab.matrix", "--kernel", "debian:bookworm", "--kernel", "debian:trixie", "--json")
    assert ran.code == 0, ran.err
    assert [kernel["release"].split(".")[:2] for kernel in ran.json["kernels"]] == [["6", "1"], ["6", "12"]]
    assert len(ran.json["labs"]) == 2 * len(lab_names())
    assert (LABS / "matrix.md").read_text().count("\n") == len(lab_names()) + 2


@pytest.mark.full
def test_two_labs_can_be_up_at_once_and_then_have_to_be_named(image: Image) -> None:
    try:
        for lab in ("lsr", "hello-world"):
            ran = invoke("lab.up", lab, "--step", "0")
            assert ran.code == 0, ran.err
        assert invoke("lab.shell", "ler-1", "--command", "true").code == 2
        own = {
            lab: invoke("lab.shell", "ler-1", "--lab", lab, "--command", "ip address").out
            for lab in ("lsr", "hello-world")
        }
        assert "10.10.1.1/24" in own["lsr"]
        assert "10.10.0.187/24" in own["hello-world"]
    finally:
        for lab in ("lsr", "hello-world"):
            invoke("lab.down", "--lab", lab)


@pytest.mark.full
def test_a_lab_that_is_up_can_be_entered_and_taken_down(image: Image) -> None:
    ran = invoke("lab.up", "lsr", "--json")
    assert ran.code == 0, ran.err
    try:
        inside = invoke("lab.shell", "lsr", "--command", "ip -f mpls route show; exit 7")
        assert inside.code == 7
        assert "101 as to 201 via inet 10.10.2.1 dev eth1" in inside.out
        assert invoke("lab.up", "lsr").code == 2
    finally:
        assert invoke("lab.down", "--lab", "lsr").code == 0
    assert invoke("lab.shell", "lsr").code == 2
