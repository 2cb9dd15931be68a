"""A frame, layer by layer, in words: Ethernet, VLAN tags, MPLS entries, IPv4 or IPv6, ICMP, UDP, TCP."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

ETHERTYPES = {
    0x0800: "IPv4",
    0x86DD: "IPv6",
    0x0806: "ARP",
    0x8100: "VLAN",
    0x88A8: "VLAN",
    0x8847: "MPLS",
    0x8848: "MPLS",
}
PROTOCOLS = {0: "hop-by-hop options", 1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}
# RFC 3032, RFC 5586, RFC 6790, RFC 7274.
NAMES = {
    0: "IPv4 explicit null",
    1: "router alert",
    2: "IPv6 explicit null",
    3: "implicit null",
    7: "entropy label indicator",
    13: "GAL",
    14: "OAM alert",
    15: "extension",
}
ICMP = {0: "echo reply", 3: "unreachable", 8: "echo request", 11: "time exceeded"}
ICMPV6 = {
    1: "unreachable",
    2: "packet too big",
    3: "time exceeded",
    128: "echo request",
    129: "echo reply",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbour solicitation",
    136: "neighbour advertisement",
    143: "multicast listener report",
}


@dataclass(frozen=True)
class Layer:
    """One header: its name, and what it says."""

    name: str
    told: str


def decode(frame: bytes) -> tuple[Layer, ...]:
    """The layers of an Ethernet frame, as far as it goes: one that breaks off ends with `cut off`."""
    return tuple(_ethernet(frame))


def _ethernet(frame: bytes) -> Iterator[Layer]:
    if len(frame) < 14:
        yield Layer("cut off", f"{len(frame)} bytes")
        return
    kind = _number(frame, 12)
    yield Layer(
        "Ethernet", f"{_mac(frame[6:12])} → {_mac(frame[:6])}, type 0x{kind:04x} {ETHERTYPES.get(kind, '')}".strip()
    )
    yield from _behind(kind, frame[14:])


def _behind(kind: int, rest: bytes) -> Iterator[Layer]:
    # Not by calling itself: a frame has room for two thousand tags.
    while (name := ETHERTYPES.get(kind)) == "VLAN" and len(rest) >= 4:
        yield Layer("VLAN", f"{_number(rest, 0) & 0xFFF}, priority {rest[0] >> 5}")
        kind, rest = _number(rest, 2), rest[4:]
    if name == "MPLS":
        yield from _mpls(rest)
    elif name == "IPv4":
        yield from _ipv4(rest)
    elif name == "IPv6":
        yield from _ipv6(rest)
    elif name == "ARP" and len(rest) >= 28:
        asks = _number(rest, 6) == 1
        sender, target = IPv4Address(rest[14:18]), IPv4Address(rest[24:28])
        yield Layer("ARP", f"who has {target}? tell {sender}" if asks else f"{sender} is at {_mac(rest[8:14])}")
    elif name is not None:
        yield Layer("cut off", f"{name}, {len(rest)} bytes")


def _mpls(rest: bytes) -> Iterator[Layer]:
    while len(rest) >= 4:
        entry = int.from_bytes(rest[:4], "big")
        label, tc, bottom, ttl = entry >> 12, entry >> 9 & 7, entry >> 8 & 1, entry & 255
        name = f" ({NAMES[label]})" if label in NAMES else ""
        yield Layer("MPLS", f"label {label}{name}, TC {tc}, S {bottom}, TTL {ttl}")
        rest = rest[4:]
        if bottom:
            version = rest[0] >> 4 if rest else 0
            if version in (4, 6):
                yield from _ipv4(rest) if version == 4 else _ipv6(rest)
            return
    yield Layer("cut off", "the label stack has no bottom")


def _ipv4(rest: bytes) -> Iterator[Layer]:
    if len(rest) < 20 or rest[0] >> 4 != 4 or len(rest) < (rest[0] & 15) * 4 or rest[0] & 15 < 5:
        yield Layer("cut off", f"IPv4, {len(rest)} bytes")
        return
    source, destination = IPv4Address(rest[12:16]), IPv4Address(rest[16:20])
    flags = _number(rest, 6)
    fragment = f", fragment at {(flags & 0x1FFF) * 8}" if flags & 0x3FFF else ""
    dont = ", DF" if flags & 0x4000 else ""
    protocol = rest[9]
    told = f"{source} → {destination}, TTL {rest[8]}, {_number(rest, 2)} bytes{dont}{fragment}"
    yield Layer("IPv4", f"{told}, {PROTOCOLS.get(protocol, f'protocol {protocol}')}")
    if not flags & 0x1FFF:
        yield from _above(protocol, rest[(rest[0] & 15) * 4 :])


def _ipv6(rest: bytes) -> Iterator[Layer]:
    if len(rest) < 40 or rest[0] >> 4 != 6:
        yield Layer("cut off", f"IPv6, {len(rest)} bytes")
        return
    source, destination = IPv6Address(rest[8:24]), IPv6Address(rest[24:40])
    protocol, behind = rest[6], rest[40:]
    told = f"{source} → {destination}, hop limit {rest[7]}, {40 + _number(rest, 4)} bytes"
    yield Layer("IPv6", f"{told}, {PROTOCOLS.get(protocol, f'next header {protocol}')}")
    if protocol == 0 and len(behind) >= 8:
        protocol, behind = behind[0], behind[(behind[1] + 1) * 8 :]
    yield from _above(protocol, behind)


def _above(protocol: int, rest: bytes) -> Iterator[Layer]:
    if protocol in (1, 58) and len(rest) >= 8:
        kind = rest[0]
        known = (ICMP if protocol == 1 else ICMPV6).get(kind, f"type {kind}")
        numbers = (
            f", id {_number(rest, 4)}, seq {_number(rest, 6)}" if known.startswith("echo") else f", code {rest[1]}"
        )
        yield Layer("ICMP" if protocol == 1 else "ICMPv6", known + numbers)
    elif protocol in (6, 17) and len(rest) >= 8:
        yield Layer(PROTOCOLS[protocol], f"port {_number(rest, 0)} → {_number(rest, 2)}")


def _number(octets: bytes, offset: int) -> int:
    return int.from_bytes(octets[offset : offset + 2], "big")


def _mac(octets: bytes) -> str:
    return octets.hex(":")
