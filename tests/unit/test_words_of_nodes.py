"""Whatever a node or a guest says: a value comes of it, or the failure that is the node's; never another error."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.audit.feature_verdicts import feature_verdicts
from mplskit.audit.features import load_features
from mplskit.audit.judged_kernel import of_machine
from mplskit.config.machine_kernel import parse
from mplskit.errors import MachineLacks, NotSo, OutsideFailed
from mplskit.lab.html.decode import decode
from mplskit.lab.pcap import read_pcap
from mplskit.lab.probes.ping import parse_ping
from mplskit.lab.probes.throughput import parse_iperf
from mplskit.lab.probes.traceroute import parse_traceroute
from mplskit.node.carry import _Heard
from mplskit.node.verify import mpls_counters
from mplskit.node.verify.facts import Facts
from mplskit.node.verify.questions_ahead import Ahead
from mplskit.node.verify.verify import _need_root
from mplskit.remote.host import Host
from mplskit.remote.session import Shell
from mplskit.vm.qmp import Monitor

NODE = Host("node")
FEATURES = load_features()
HUGE = "9" * 5000
DEEP = "[" * 100_000
# Words that stand in what nodes say, and some that break naive readers of them.
WORDS = [
    *("have", "package", "space", "initrd", "node", "failed", "same", "file", "\t", "\n", ":", "/", " ", "0", "1"),
    *("system", "Linux", "release", "6.1.0", "end", "os", "config", "CONFIG_MPLS=y", "loaded", "builtin", "router"),
    *("default", "via", "dev", "eth0", "encap", "mpls", "as", "table", "nexthop", "weight", "mtu", "lock", "10.0.0.1"),
    *("10.0.0.0/8", "FAILED", "INCOMPLETE", "\\", "proto", "inet", "input", "²", "١", "-1", "0x", "nan", "Infinity"),
    *("PING", "ttl=", "bytes from", "packets transmitted", "received", "% packet loss", HUGE, "{}", '{"spec": {}}'),
]
SAID = st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=30).map("".join)
BYTES = st.one_of(st.binary(max_size=200), SAID.map(lambda text: text.encode(errors="replace")))


class Answering:
    """A channel to a node that runs nothing and says `body` and `status`, between the marks that it was told."""

    host, ended, stderr = NODE, False, ""

    def __init__(self, body: bytes, status: bytes, opened: bool = True) -> None:
        self._body, self._status, self._opened = body, status, opened

    def exchange(
        self, feed: Iterator[bytes], heard: Callable[[bytes], bool], *, close: bool, deadline: float | None = None
    ) -> None:
        mark = b"".join(feed).split(b"\n", 1)[0].split(b" ")[-1]
        opening = b"<" + mark + b"\n" if self._opened else b""
        assert heard(opening + self._body + b"\n>" + mark + b" " + self._status.replace(b"\n", b"") + b"\n")


@given(BYTES, BYTES, st.booleans())
def test_an_answer_of_a_session(body: bytes, status: bytes, opened: bool) -> None:
    with suppress(OutsideFailed):
        Shell(Answering(body, status, opened)).run(["true"])  # type: ignore[arg-type]
    with suppress(OutsideFailed):
        Shell(Answering(body, b"0")).read("/etc/hostname")  # type: ignore[arg-type]
    with suppress(OutsideFailed, MachineLacks):
        _need_root(Shell(Answering(body, b"0")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "status", ["", "x", "-1", "256", "²", HUGE], ids=["none", "x", "minus", "256", "power", "huge"]
)
def test_a_status_that_is_no_number_is_the_nodes_fault_with_what_it_said(status: str) -> None:
    with pytest.raises(OutsideFailed) as failed:
        Shell(Answering(b"its words", status.encode())).run(["true"])  # type: ignore[arg-type]
    assert failed.value.message == f"node is not understood: exit {status[:20]!r}: true"
    assert "its words" in failed.value.detail


@pytest.mark.parametrize("said", [b"base64: /x: is odd\n", b"QUJ\n", b"QUJD\xff\n"])
def test_bad_base64_is_the_nodes_fault_with_what_it_said(said: bytes) -> None:
    with pytest.raises(OutsideFailed) as failed:
        Shell(Answering(said, b"0")).read("/x")  # type: ignore[arg-type]
    assert failed.value.message == "node is not understood: /x does not come as base64"
    assert failed.value.detail == said.decode(errors="replace").strip()


def test_an_answer_without_its_beginning_is_no_answer() -> None:
    with pytest.raises(OutsideFailed, match="node is not understood: exit '0': true"):
        Shell(Answering(b"words", b"0", opened=False)).run(["true"])  # type: ignore[arg-type]


@given(BYTES)
def test_the_items_and_the_offer_of_a_payload(said: bytes) -> None:
    heard = _Heard(NODE, lambda item: None)
    with suppress(OutsideFailed):
        heard.offer(said + b"\nhave\tspace\t/boot\t" + said.replace(b"\n", b" ") + b"\n")
        heard.end()
    heard.offered.lacking([])


@given(SAID)
def test_what_a_machine_says_of_its_kernel(said: str) -> None:
    with suppress(OutsideFailed):
        machine = parse("node", [*said.split("\n"), "system\tLinux", f"release\t{said}", "end\t"])
        feature_verdicts(of_machine(machine, NODE), FEATURES)


FACTS = (
    *("spec", "user", "kernel", "kernel_config", "loaded_modules", "module_files", "platform_labels", "inputs"),
    *("tool", "routes", "lo_addresses", "unresolved", "links", "ip_settings", "probe", "as_rendered"),
)


@given(SAID, st.sampled_from(FACTS))
def test_what_the_checks_ask(said: str, name: str) -> None:
    facts = Facts(Ahead(SimpleNamespace(run=lambda command: Answered(0, said, said))))
    with suppress(OutsideFailed, pytest.skip.Exception):
        getattr(facts, name)
    with suppress(OutsideFailed, pytest.skip.Exception):
        facts.unit("x")


class Answered:
    def __init__(self, rc: int, stdout: str, stderr: str) -> None:
        self.rc, self.stdout, self.stderr = rc, stdout, stderr


@given(SAID)
def test_what_the_probes_of_a_lab_print(said: str) -> None:
    mpls_counters.parse(said)
    parse_iperf(said)
    parse_ping(said)
    parse_traceroute(said)


@pytest.mark.parametrize(
    "said",
    [DEEP, '[{"ifname": "x", "mpls_stats": {"rx": {"packets": Infinity}}}]', f"[{HUGE}]", f'{{"end": {DEEP}'],
    ids=["deep", "infinity", "huge", "deep below"],
)
def test_json_that_breaks_readers_is_no_json(said: str) -> None:
    assert mpls_counters.parse(said) == {}
    assert parse_iperf(said)[0] is None
    assert Facts(Ahead(SimpleNamespace(run=lambda command: Answered(0, said, "")))).spec is None


def test_throughput_that_is_no_number_is_none() -> None:
    said = '{"end": {"sum_received": {"bits_per_second": %s}}}'
    assert [parse_iperf(said % number)[0] for number in ("1" + "0" * 400, '"x"', "null")] == [None, None, None]


@given(st.binary(max_size=300))
def test_frames_of_a_capture(frame: bytes) -> None:
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    record = struct.pack("<IIII", 0, 0, len(frame), len(frame))
    assert len(read_pcap(header + record + frame, "x")) == 1
    decode(frame)
    with suppress(OutsideFailed):
        read_pcap(frame, "x")


@pytest.mark.parametrize("tag", [b"\x81\x00", b"\x88\x47"])
def test_a_frame_full_of_tags_is_decoded_to_its_end(tag: bytes) -> None:
    frame = bytes(12) + tag + (b"\0\1" + tag) * 2300
    assert decode(frame)[-1].name == "cut off"
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    read_pcap(header + struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame, "x")


@pytest.mark.parametrize("said", [b"QEMU\n", b"[]\n", b"1\n", b"[" * 60_000 + b"\n", b"\xff\n"], ids=list("abcde"))
def test_a_monitor_that_speaks_no_qmp_is_told(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(said)
        with pytest.raises(NotSo, match="QEMU is not understood"):
            Monitor(ours)
