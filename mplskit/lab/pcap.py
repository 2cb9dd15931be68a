"""Reads classic pcap files: Ethernet, its VLAN tags, the MPLS label stack (RFC 3032), then the IP header."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from mplskit.errors import OutsideFailed

FILE_HEADER = 24
RECORD_HEADER = 16
ETHERNET = 1
MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
MPLS = (0x8847, 0x8848)
IPV4, IPV6 = 0x0800, 0x86DD
ICMP, ICMPV6 = 1, 58
ECHOES = {(ICMP, 8): "request", (ICMP, 0): "reply", (ICMPV6, 128): "request", (ICMPV6, 129): "reply"}


@dataclass(frozen=True)
class Label:
    """One entry of a label stack; `tc` is the traffic class, which used to be called EXP."""

    value: int
    tc: int
    bottom: bool
    ttl: int


@dataclass(frozen=True)
class Ip:
    """What an IP header says; `icmp` is the type of an ICMP or ICMPv6 message."""

    source: IPv4Address | IPv6Address
    destination: IPv4Address | IPv6Address
    ttl: int
    protocol: int
    icmp: int | None

    @property
    def echo(self) -> str | None:
        """`request` or `reply` of a ping, or None."""
        return None if self.icmp is None else ECHOES.get((self.protocol, self.icmp))


@dataclass(frozen=True)
class Packet:
    """One frame: `time` in ns since 1970, the EtherType behind the VLAN tags, the label stack from top to bottom."""

    time: int
    ethertype: int
    stack: tuple[Label, ...]
    ip: Ip | None


def read_pcap(content: bytes, name: str) -> tuple[Packet, ...]:
    """The packets of a capture file called `name`; a record that breaks off at the end is left out.

    Raises OutsideFailed when the file header is not that of a pcap of Ethernet frames.
    """
    return tuple(_packet(time, frame) for time, frame in read_frames(content, name))


def read_frames(content: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """The frames of a capture, each with its time in ns since 1970. Raises OutsideFailed as `read_pcap` does."""
    magic = MAGICS.get(content[:4])
    if magic is None or len(content) < FILE_HEADER:
        raise OutsideFailed(
            f"{name} is no pcap file",
            detail=f"it has {len(content)} bytes and begins with {content[:4].hex(' ') or 'nothing'}",
        )
    order, unit = magic
    linktype = struct.unpack_from(f"{order}I", content, 20)[0] & 0xFFFF
    if linktype != ETHERNET:
        raise OutsideFailed(f"{name} has link type {linktype}; only Ethernet ({ETHERNET}) can be read")
    return _records(content, order, unit)


def _records(content: bytes, order: str, unit: int) -> Iterator[tuple[int, bytes]]:
    offset = FILE_HEADER
    while offset + RECORD_HEADER <= len(content):
        seconds, fraction, size, _ = struct.unpack_from(f"{order}IIII", content, offset)
        offset += RECORD_HEADER
        if offset + size > len(content):
            return
        yield seconds * 1_000_000_000 + fraction * unit, content[offset : offset + size]
        offset += size


def _packet(time: int, frame: bytes) -> Packet:
    ethertype, offset = _number(frame, 12), 14
    while ethertype in VLAN_TAGS:
        ethertype, offset = _number(frame, offset + 2), offset + 4
    if ethertype in MPLS:
        stack, payload = _stack(frame[offset:])
        return Packet(time, ethertype, stack, _ip(payload) if stack and stack[-1].bottom else None)
    return Packet(time, ethertype, (), _ip(frame[offset:]) if ethertype in (IPV4, IPV6) else None)


def _number(frame: bytes, offset: int) -> int:
    return int.from_bytes(frame[offset : offset + 2], "big")


def _stack(octets: bytes) -> tuple[tuple[Label, ...], bytes]:
    """The label stack and what follows it; a stack that breaks off has no label with `bottom`."""
    stack = []
    for offset in range(0, len(octets) - 3, 4):
        entry = int.from_bytes(octets[offset : offset + 4], "big")
        label = Label(entry >> 12, entry >> 9 & 7, bool(entry & 0x100), entry & 0xFF)
        stack.append(label)
        if label.bottom:
            break
    return tuple(stack), octets[4 * len(stack) :]


def _ip(octets: bytes) -> Ip | None:
    """The header at the start; its version is in its first four bits, as behind a label stack nothing else tells."""
    version = octets[0] >> 4 if octets else 0
    if version == 4 and len(octets) >= 20 and octets[0] & 0xF >= 5:
        first_fragment = _number(octets, 6) & 0x1FFF == 0
        rest = octets[(octets[0] & 0xF) * 4 :] if first_fragment else b""
        return _header(IPv4Address(octets[12:16]), IPv4Address(octets[16:20]), octets[8], octets[9], rest)
    if version == 6 and len(octets) >= 40:
        return _header(IPv6Address(octets[8:24]), IPv6Address(octets[24:40]), octets[7], octets[6], octets[40:])
    return None


def _header(
    source: IPv4Address | IPv6Address, destination: IPv4Address | IPv6Address, ttl: int, protocol: int, rest: bytes
) -> Ip:
    icmp = rest[0] if rest and protocol in (ICMP, ICMPV6) else None
    return Ip(source, destination, ttl, protocol, icmp)
