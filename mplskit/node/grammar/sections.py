"""Optional sections of a node: OpenVPN (tap) as a carrier of labelled packets, LDP through FRRouting."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mplskit.node.grammar.addresses import Address, InterfaceName, LinkAddress
from mplskit.node.grammar.labels import FIRST_FREE_LABEL, LABEL_MAX
from mplskit.node.grammar.part import RuledPart
from mplskit.yaml.spec_file import Fault

# What systemd takes in the name of a unit, without those that mean something there.
_UNIT_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_PATH = re.compile(r"/[A-Za-z0-9_./@+-]{1,200}")
# Debian's openvpn@.service has ProtectHome and PrivateTmp.
_HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}")


def _tap(name: str) -> str:
    if name == "lo":
        raise ValueError("lo is every node's own; a tap device has another name")
    if not _UNIT_NAME.fullmatch(name):
        raise ValueError("the name of an OpenVPN device has letters, digits and _ . - (it becomes that of a unit)")
    return name


def _node_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("a file on the node is named from /, with letters, digits and _ . / @ + -")
    return path


def _fingerprint(text: str) -> str:
    if not _FINGERPRINT.fullmatch(text):
        raise ValueError("a SHA-256 fingerprint is 32 pairs of hexadecimal digits with : between them")
    return text.upper()


def _dotted(value: object) -> object:
    """IPv4 addresses that name something are written as such; the number 0 is 0.0.0.0, as area 0 is the backbone."""
    if value == 0 and not isinstance(value, bool):
        return IPv4Address(0)
    if isinstance(value, str):
        try:
            return IPv4Address(value)
        except ValueError:
            raise ValueError("should be written as an IPv4 address, as in 10.0.0.1") from None
    if not isinstance(value, IPv4Address):
        raise ValueError("should be written as an IPv4 address, as in 10.0.0.1")
    return value


def _router(address: IPv4Address) -> IPv4Address:
    if address.is_unspecified or address.is_multicast or address.is_loopback or str(address) == "255.255.255.255":
        raise ValueError("should be an address of this router, which no other router has")
    return address


Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
TapName = Annotated[InterfaceName, AfterValidator(_tap)]
NodePath = Annotated[str, AfterValidator(_node_path)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
Area = Annotated[IPv4Address, BeforeValidator(_dotted)]
RouterAddress = Annotated[IPv4Address, BeforeValidator(_dotted), AfterValidator(_router)]


class OpenVPN(RuledPart):
    """One end of a point-to-point OpenVPN with the tap device `dev`: with `remote` it calls, without it listens.

    `cert`, `key` and `ca` are files on the node, which mplskit neither brings nor reads. The peer is known by `ca`, or
    by the SHA-256 fingerprint of its certificate (OpenVPN 2.6 and later).
    """

    dev: TapName
    address: LinkAddress
    remote: Address | None = None
    local: Address | None = None
    port: Port = 1194
    proto: Literal["udp", "tcp"] = "udp"
    mtu: Annotated[int, Field(strict=True, ge=576, le=65535)] = 1500
    cert: NodePath
    key: NodePath
    ca: NodePath | None = None
    peer_fingerprint: Fingerprint | None = None

    def faults(self) -> Iterator[Fault]:
        """What cannot work."""
        if self.ca is not None and self.peer_fingerprint is not None:
            yield Fault(("peer_fingerprint",), "the peer is known by ca, or by peer_fingerprint, not by both")
        elif self.ca is None and self.peer_fingerprint is None:
            yield Fault((), "needs ca or peer_fingerprint: by which of them is the peer known?")
        if self.remote is not None and (self.remote.is_unspecified or self.remote.is_multicast):
            yield Fault(("remote",), "should be the address of one other machine", str(self.remote))
        if self.remote is not None and self.local is not None and self.remote.version != self.local.version:
            yield Fault(("local",), "local and remote must be of one address family", str(self.local))
        for name in ("cert", "key", "ca"):
            if str(getattr(self, name)).startswith(_HIDDEN):
                rule = f"OpenVPN's unit sees no files in {', '.join(_HIDDEN)}: put it into /etc/openvpn"
                yield Fault((name,), rule, getattr(self, name))
        if self.address.version == 6 and self.mtu < 1280:
            yield Fault(("mtu",), "IPv6 needs an mtu of at least 1280", str(self.mtu))


class Ldp(RuledPart):
    """LDP by FRRouting on `interfaces`; with `ospf_area` OSPF runs there too, and makes the loopbacks known.

    FRRouting gives the lowest labels that are free, from 16 upwards, one for each prefix: 16 to `last_label` are left
    to it. `allocate` says which prefixes get one.
    """

    router_id: RouterAddress
    interfaces: tuple[InterfaceName, ...]
    transport_address: RouterAddress | None = None
    ospf_area: Area | None = None
    allocate: Literal["all", "host-routes"] = "all"
    last_label: Annotated[int, Field(strict=True, ge=FIRST_FREE_LABEL, le=LABEL_MAX)] = 15_999

    def faults(self) -> Iterator[Fault]:
        """What cannot work."""
        if not self.interfaces:
            yield Fault(("interfaces",), "LDP runs on at least one interface")
        for index, name in enumerate(self.interfaces):
            if name == "lo":
                yield Fault(("interfaces", index), "LDP has no neighbours on lo")
            if name in self.interfaces[:index]:
                yield Fault(("interfaces", index), f"{name} stands there twice")
