"""The pcap reader against an encoder of our own, written here from the pcap format and RFC 3032."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import OutsideFailed
from mplskit.lab.pcap import Ip, Label, Packet, read_pcap

MAGICS = {("<", 1_000): 0xA1B2C3D4, (">", 1_000): 0xA1B2C3D4, ("<", 1): 0xA1B23C4D, (">", 1): 0xA1B23C4D}
ETHERNET = bytes.fromhex("020000000002 020000000001".replace(" ", ""))
ECHO_101 = bytes.fromhex(
    "0200000000020200000000018847"  # Ethernet, MPLS unicast
    "00065140"  # label 101, TC 0, bottom, TTL 64
    "450000541234400040010000c0a80abbc0a80a98"  # IPv4, TTL 64, ICMP, 192.168.10.187 to 192.168.10.152
    "08001234"  # echo request
)


def pcap(*frames: bytes, order: str = "<", unit: int = 1_000, time: int = 0, linktype: int = 1) -> bytes:
    header = struct.pack(f"{order}IHHiIII", MAGICS[order, unit], 2, 4, 0, 0, 262144, linktype)
    seconds, rest = divmod(time, 1_000_000_000)
    return header + b"".join(
        struct.pack(f"{order}IIII", seconds, rest // unit, len(frame), len(frame)) + frame for frame in frames
    )


def entry(label: Label) -> bytes:
    return struct.pack(">I", label.value << 12 | label.tc << 9 | label.bottom << 8 | label.ttl)


@dataclass(frozen=True)
class Written:
    frame: bytes
    read: Packet


@st.composite
def headers(draw: st.DrawFn) -> tuple[bytes, Ip]:
    ttl, protocol = draw(st.integers(0, 255)), draw(st.sampled_from([1, 6, 17, 58]))
    payload = draw(st.binary(min_size=1, max_size=20))
    icmp = payload[0] if protocol in (1, 58) else None
    if draw(st.booleans()):
        four = draw(st.ip_addresses(v=4)), draw(st.ip_addresses(v=4))
        options = draw(st.sampled_from([b"", b"\1\1\1\1"]))
        packed = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, 0, 0, 0x4000, ttl, protocol, 0)
        packed += four[0].packed + four[1].packed + options
        return packed + payload, Ip(four[0], four[1], ttl, protocol, icmp)
    six = draw(st.ip_addresses(v=6)), draw(st.ip_addresses(v=6))
    packed = struct.pack(">IHBB", 6 << 28, len(payload), protocol, ttl) + six[0].packed + six[1].packed
    return packed + payload, Ip(six[0], six[1], ttl, protocol, icmp)


@st.composite
def frames(draw: st.DrawFn) -> Written:
    tags = draw(st.lists(st.sampled_from([b"\x81\x00\x00\x64", b"\x88\xa8\x00\x0a"]), max_size=2))
    packed, ip = draw(headers())
    fields = st.tuples(st.integers(0, (1 << 20) - 1), st.integers(0, 7), st.integers(0, 255))
    values = draw(st.lists(fields, max_size=4))
    stack = tuple(Label(value, tc, i == len(values) - 1, ttl) for i, (value, tc, ttl) in enumerate(values))
    ethertype = 0x8847 if stack else 0x86DD if ip.source.version == 6 else 0x0800
    frame = ETHERNET + b"".join(tags) + struct.pack(">H", ethertype) + b"".join(entry(label) for label in stack)
    return Written(frame + packed, Packet(0, ethertype, stack, ip))


@given(st.lists(frames(), max_size=4), st.sampled_from(sorted(MAGICS)))
def test_what_was_written_is_read_back_in_either_byte_order_and_either_unit(
    written: list[Written], kind: tuple[str, int]
) -> None:
    content = pcap(*(one.frame for one in written), order=kind[0], unit=kind[1])
    assert read_pcap(content, "x.pcap") == tuple(one.read for one in written)


def test_a_labelled_echo_request_is_decoded_to_its_last_field() -> None:
    assert read_pcap(pcap(ECHO_101, time=1_700_000_000_123_456_000), "x.pcap") == (
        Packet(
            1_700_000_000_123_456_000,
            0x8847,
            (Label(101, 0, True, 64),),
            Ip(IPv4Address("192.168.10.187"), IPv4Address("192.168.10.152"), 64, 1, 8),
        ),
    )


def test_microseconds_and_nanoseconds_are_told_apart() -> None:
    times = [read_pcap(pcap(ECHO_101, unit=unit, time=7_000_001_000), "x")[0].time for unit in (1_000, 1)]
    assert times == [7_000_001_000, 7_000_001_000]


@pytest.mark.parametrize(
    ("protocol", "kind", "echo"),
    [(1, 8, "request"), (1, 0, "reply"), (58, 128, "request"), (58, 129, "reply"), (1, 3, None)],
)
def test_echo_says_request_or_reply(protocol: int, kind: int, echo: str | None) -> None:
    assert Ip(IPv6Address("::1"), IPv6Address("::2"), 64, protocol, kind).echo == echo


def test_a_later_fragment_has_no_icmp_type() -> None:
    frame = bytearray(ECHO_101)
    frame[24:26] = b"\x00\x01"
    ip = read_pcap(pcap(bytes(frame)), "x")[0].ip
    assert ip is not None
    assert ip.icmp is None


def test_a_stack_that_breaks_off_has_no_bottom_and_no_ip_header() -> None:
    (packet,) = read_pcap(pcap(ETHERNET + bytes.fromhex("8847 00065040 0006".replace(" ", ""))), "x")
    assert packet == Packet(0, 0x8847, (Label(101, 0, False, 64),), None)


def test_what_is_below_the_stack_but_not_ip_is_left_alone() -> None:
    (packet,) = read_pcap(pcap(ETHERNET + bytes.fromhex("88470006514000000000")), "x")
    assert packet.stack == (Label(101, 0, True, 64),)
    assert packet.ip is None


@given(st.integers(1, 16 + len(ECHO_101)))
def test_a_last_record_that_breaks_off_is_left_out(missing: int) -> None:
    whole = pcap(ECHO_101, ECHO_101)
    assert len(read_pcap(whole[:-missing], "x")) == 1


@given(st.binary(max_size=200))
def test_no_frame_whatever_its_bytes_are_stops_the_reader(frame: bytes) -> None:
    assert len(read_pcap(pcap(frame), "x")) == 1


@given(st.binary(max_size=400), st.sampled_from(sorted(MAGICS)))
def test_no_record_whatever_its_bytes_are_stops_the_reader(rest: bytes, kind: tuple[str, int]) -> None:
    read_pcap(pcap(order=kind[0], unit=kind[1]) + rest, "x")


@given(st.binary(max_size=100))
def test_other_bytes_than_a_pcap_are_refused_and_nothing_else_happens(content: bytes) -> None:
    try:
        read_pcap(content, "x.pcap")
    except OutsideFailed as error:
        assert "x.pcap" in str(error)


def test_a_file_that_is_no_pcap_is_named_with_its_first_bytes() -> None:
    with pytest.raises(OutsideFailed) as caught:
        read_pcap(b"\x0a\x0d\x0d\x0a" + bytes(40), "step-1.ler-2.eth0.pcap")
    assert str(caught.value) == (
        "error: step-1.ler-2.eth0.pcap is no pcap file\n  | it has 44 bytes and begins with 0a 0d 0d 0a"
    )


def test_frames_of_another_kind_than_ethernet_are_refused() -> None:
    with pytest.raises(OutsideFailed, match="has link type 113; only Ethernet"):
        read_pcap(pcap(linktype=113), "x.pcap")
