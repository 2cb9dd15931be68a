"""The stage and its captures on this machine: real namespaces, real tcpdump, labelled frames from a raw socket."""

import json
import os
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import MachineLacks
from mplskit.files import locked
from mplskit.lab.evidence import Undone
from mplskit.lab.grammar.labs import load
from mplskit.lab.grammar.topology import Topology
from mplskit.lab.pcap import Label, read_pcap
from mplskit.lab.probes import captures
from mplskit.lab.probes.captures import Capture
from mplskit.lab.run_lab import run_lab
from mplskit.lab.stage.namespaces import Namespaces
from mplskit.remote.session import Shell, shell
from tests.worlds.sshd import Sshd

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(process.find("tcpdump") is None, reason="tcpdump is not installed (./run test installs it)"),
]

PAIR = Topology.model_validate(
    {
        "name": "test-of-captures",
        "proves": "that captures are read as tcpdump reads them",
        "nodes": {"left": {}, "right": {}},
        "links": [
            {
                "mtu": 1400,
                "ends": [
                    {"node": "left", "dev": "eth0", "address": "10.10.0.187/24"},
                    {"node": "right", "dev": "eth0", "address": "10.10.0.152/24"},
                ],
            }
        ],
        "steps": [{"step": "nothing"}],
    }
)
STACKS = [
    (Label(101, 0, True, 64),),
    (Label(16, 5, False, 63), Label(1048575, 7, True, 255)),
    (Label(0, 0, False, 1), Label(200, 1, False, 2), Label(3, 2, True, 3)),
]
SEND = """
import socket, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0))
for frame in sys.argv[1:]:
    raw.send(bytes.fromhex(frame))
"""


@pytest.fixture
def session(sshd: Sshd) -> Iterator[Shell]:
    with shell(sshd.host()) as opened:
        yield opened


@pytest.fixture
def stage(session: Shell) -> Iterator[Namespaces]:
    made = Namespaces(PAIR, session)
    made.remove()
    try:
        made.build()
        yield made
    finally:
        made.remove()


def frame(stack: tuple[Label, ...], tag: bytes = b"") -> bytes:
    entries = [label.value << 12 | label.tc << 9 | label.bottom << 8 | label.ttl for label in stack]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 28, 7, 0, 64, 1, 0)
    ip += socket.inet_aton("192.168.10.187") + socket.inet_aton("192.168.10.152")
    echo = struct.pack(">BBHHH", 8, 0, 0, 1, 1)
    return b"\xff" * 6 + b"\2" * 6 + tag + b"\x88\x47" + struct.pack(f">{len(entries)}I", *entries) + ip + echo


def namespaces() -> str:
    return process.run(["ip", "netns", "list"]).stdout


def as_tcpdump_reads(pcap: Path) -> list[tuple[Label, ...]]:
    printed = process.run(["tcpdump", "-r", pcap, "-nn", "-v", "-e"]).stdout
    stacks = []
    for record in re.split(r"\n(?=\S)", printed):
        found = re.findall(r"\(label (\d+)(?: \([^)]*\))?, tc (\d)(, \[S\])?, ttl (\d+)\)", record)
        stacks.append(tuple(Label(int(value), int(tc), bool(s), int(ttl)) for value, tc, s, ttl in found))
    return [stack for stack in stacks if stack]


def test_label_stacks_are_read_as_tcpdump_reads_them(stage: Namespaces, tmp_path: Path) -> None:
    capture = captures.start(stage, Capture(on="right", dev="eth0", direction="in"))
    frames = [*(frame(stack).hex() for stack in STACKS), frame(STACKS[0], tag=b"\x81\x00\x00\x64").hex()]
    stage.do("left", sys.executable, "-c", SEND, *frames)
    pcap = tmp_path / "right.pcap"
    pcap.write_bytes(captures.stop(stage, capture))
    packets = [packet for packet in read_pcap(pcap.read_bytes(), pcap.name) if packet.stack]
    assert [packet.stack for packet in packets] == [*STACKS, STACKS[0]]
    assert as_tcpdump_reads(pcap) == [*STACKS, STACKS[0]]
    assert {(str(p.ip.source), str(p.ip.destination), p.ip.echo) for p in packets if p.ip} == {
        ("192.168.10.187", "192.168.10.152", "request")
    }


def test_a_capture_of_what_arrives_has_nothing_of_what_leaves(stage: Namespaces) -> None:
    capture = captures.start(stage, Capture(on="left", dev="eth0", direction="in"))
    stage.do("left", sys.executable, "-c", SEND, frame(STACKS[0]).hex())
    assert not [packet for packet in read_pcap(captures.stop(stage, capture), "left") if packet.stack]


def test_a_capture_has_every_frame_that_was_there_when_it_is_stopped(stage: Namespaces) -> None:
    capture = captures.start(stage, Capture(on="right", dev="eth0", direction="in"))
    stage.do("left", sys.executable, "-c", SEND, *[frame(STACKS[0]).hex()] * 500)
    packets = read_pcap(captures.stop(stage, capture), "right")
    assert len([packet for packet in packets if packet.stack]) == 500


def test_a_capture_on_a_device_that_is_not_there_is_told_with_tcpdumps_words(stage: Namespaces) -> None:
    with pytest.raises(Undone) as caught:
        captures.start(stage, Capture(on="right", dev="eth7"))
    assert "eth7: No such device exists" in caught.value.output


def test_links_have_their_addresses_and_mtu_and_lo_is_up(stage: Namespaces) -> None:
    assert "inet 10.10.0.187/24" in stage.do("left", "ip", "address", "show", "dev", "eth0")
    assert "mtu 1400" in stage.do("right", "ip", "link", "show", "dev", "eth0")
    assert "<LOOPBACK,UP,LOWER_UP>" in stage.do("right", "ip", "link", "show", "dev", "lo")


def test_the_machines_own_devices_are_untouched_by_those_of_a_lab(session: Shell) -> None:
    before = process.run(["ip", "-o", "address"]).stdout
    stage = Namespaces(PAIR, session)
    stage.remove()
    stage.build()
    during = process.run(["ip", "-o", "address"]).stdout
    stage.remove()
    assert during == before


def test_what_an_interrupted_run_left_behind_does_not_disturb_the_next(stage: Namespaces, session: Shell) -> None:
    captures.start(stage, Capture(on="right", dev="eth0"))
    again = Namespaces(PAIR, session)
    again.remove()
    again.build()
    assert "10.10.0.187/24" in again.do("left", "ip", "address", "show", "dev", "eth0")


def test_nothing_is_left_when_a_stage_is_removed_and_other_namespaces_stay(stage: Namespaces) -> None:
    other = "mplskit.test-of-captures-too.left"
    process.run(["ip", "netns", "add", other])
    try:
        running = captures.start(stage, Capture(on="right", dev="eth0"))
        stage.remove()
        assert "mplskit.test-of-captures." not in namespaces()
        assert other in namespaces()
        assert not Path(stage.folder).exists()
        _await_end(int(running.pid))
    finally:
        process.run(["ip", "netns", "delete", other])


@pytest.mark.skipif(Path("/proc/sys/net/mpls").exists(), reason="this machine's kernel has MPLS running")
def test_a_machine_without_mpls_stops_the_lab_with_the_reason_and_nothing_is_left(
    session: Shell, tmp_path: Path
) -> None:
    report = run_lab(Namespaces(load("hello-world"), session), tmp_path)
    assert [step.verdict for step in report.steps] == ["stopped", "skipped", "skipped", "skipped", "passed"]
    assert "mpls_router is not loaded" in report.steps[0].checks[0].seen
    assert not report.passed
    assert (tmp_path / "report.json").is_file()
    assert "mplskit.hello-world." not in namespaces()


@pytest.mark.skipif(Path("/proc/sys/net/mpls").exists(), reason="this machine's kernel has MPLS running")
def test_lab_run_exits_1_when_the_lab_failed_and_names_the_report(sshd: Sshd, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-m", "invoke", "--search-root", str(root), "lab.run", "hello-world", "--json"]
    argv += ["--host", "node", "--ssh-config", str(sshd.host().ssh_config)]
    ran = process.run(argv, cwd=root, env={"MPLSKIT_DIST": str(tmp_path)}, check=False)
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["labs"][0]["steps"][0]["verdict"] == "stopped"
    assert f"{tmp_path}/labs/hello-world/report.html shows what was expected and seen" in ran.stderr


def test_no_lab_at_all_is_wrong_input(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-m", "invoke", "--search-root", str(root), "lab.run", ","]
    ran = process.run(argv, cwd=root, env={"MPLSKIT_DIST": str(tmp_path)}, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("mplskit: error: no lab is named\n")


@pytest.mark.skipif(Path("/proc/sys/net/mpls").exists(), reason="this machine's kernel has MPLS running")
def test_a_matrix_looks_at_every_kernel_before_it_begins_with_the_first(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-m", "invoke", "--search-root", str(root), "lab.matrix", "--kernel", "here"]
    ran = process.run(argv, cwd=root, env={"MPLSKIT_DIST": str(tmp_path)}, check=False)
    assert (ran.returncode, list(tmp_path.iterdir())) == (3, [])
    assert ran.stderr.startswith("mplskit: error: this machine's kernel does no MPLS\n")


def _await_end(pid: int) -> None:
    """Return when the process has ended; a killed one whose parent has not asked yet counts as ended."""
    subprocess.run(
        ["timeout", "10", "sh", "-c", f"while [ -e /proc/{pid}/exe ]; do :; done"], check=True, stdin=subprocess.DEVNULL
    )


def test_a_second_run_into_the_same_folder_is_refused_and_the_firsts_captures_stay(
    session: Shell, tmp_path: Path
) -> None:
    (tmp_path / "1-a.pcap").touch()
    with locked(tmp_path / ".lock"), pytest.raises(MachineLacks) as refused:
        run_lab(Namespaces(PAIR, session), tmp_path)
    assert refused.value.message == f"another mplskit process works in {tmp_path}"
    assert (tmp_path / "1-a.pcap").exists()
