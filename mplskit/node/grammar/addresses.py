"""Addresses and interface names, as a spec writes them."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator

Parsed = TypeVar("Parsed")
IP = IPv4Address | IPv6Address
Local = IPv4Interface | IPv6Interface

# Linux refuses "/", ":" and white space (dev_valid_name in net/core/dev.c); the others mean something of their own
# in sysctl.d, in udev rules, in a shell or in a batch of `ip`.
_NOT_IN_A_NAME = frozenset("/:%#=*?[]{}\\'\"$;`&|<>()!~^,")

_ADDRESS = "an address is written as in 10.0.0.1 or 2001:db8::1"
_NETWORK = "a destination is written as in 10.9.0.0/24 or 2001:db8:9::/48"
_LOOPBACK = "a loopback address is written as in 192.0.2.1/32 or 2001:db8::1/128"
_INTERFACE = "an address is written with its prefix length here, as in 10.0.0.1/24 or 2001:db8::1/64"


def interface_name(name: str) -> str:
    """A network interface's name, as it is. Raises ValueError with the rule that it breaks."""
    if not 1 <= len(name.encode()) <= 15:
        raise ValueError("an interface name has 1 to 15 bytes")
    if name in (".", ".."):
        raise ValueError("an interface cannot be named . or ..")
    if name.startswith("-"):
        raise ValueError("an interface name here cannot begin with -: tools would take it for an option")
    if name in ("all", "default"):
        raise ValueError(f"there is no net.mpls.conf.{name}: name each interface")
    wrong = [c for c in name if c in _NOT_IN_A_NAME or not "!" <= c <= "~"]
    if wrong:
        raise ValueError(f"an interface name cannot hold {wrong[0]!r}")
    return name


class Unwritten(ValueError):
    """What is wrong with a text, in words for who wrote it."""


def _written(parse: Callable[[str], Parsed], rule: str) -> BeforeValidator:
    """Takes text only: the ipaddress module would take a number for an address, and anything at all for a zone."""

    def read(value: object) -> object:
        if isinstance(value, IP | Local | IPv4Network | IPv6Network):
            return value
        if not isinstance(value, str):
            raise ValueError("an address is text")
        if "%" in value:
            raise ValueError("an address has no zone here: dev names the interface")
        try:
            return parse(value)
        except Unwritten:
            raise
        except ValueError:
            raise ValueError(rule) from None

    return BeforeValidator(read)


def _network(text: str) -> IPv4Network | IPv6Network:
    """A destination. Raises ValueError, of ours for what people write for one."""
    if text in ("default", "any", "all"):
        raise Unwritten(f"there is no {text} here: all of IPv4 is 0.0.0.0/0, all of IPv6 ::/0")
    network = ip_network(text, strict=False)
    address = ip_interface(text).ip
    if network.network_address != address:
        alone = f"{address}/{address.max_prefixlen}"
        raise Unwritten(f"{text} is an address in {network}: write that, or {alone} for the address alone")
    return network


@lru_cache(maxsize=1024)
def _address(text: str) -> IP:
    """An address without a prefix length. Raises ValueError."""
    if "/" in text:
        raise Unwritten(f"an address stands without a prefix length here, as in {text.partition('/')[0]}")
    return ip_address(text)


def _unicast(address: IP) -> IP:
    if address.is_unspecified or address.is_multicast or address.is_loopback or str(address) == "255.255.255.255":
        raise ValueError("a next hop is the address of one other machine")
    return address


def _with_prefix(address: Local) -> Local:
    if address.network.prefixlen == address.max_prefixlen:
        raise ValueError("the address of a link needs the prefix length of its segment, as in 10.10.0.187/24")
    if address.ip.is_unspecified or address.ip.is_multicast or address.ip.is_loopback:
        raise ValueError("the address of a link is that of one machine")
    network = address.network
    # A segment of two addresses has no others (RFC 3021).
    if network.version == 4 and network.prefixlen < 31 and address.ip in (network[0], network[-1]):
        raise ValueError(f"{address.ip} is the segment {network} itself, or everybody in it")
    return address


def _on_loopback(address: Local) -> Local:
    if address.ip.is_unspecified or address.ip.is_multicast or address.ip.is_link_local:
        raise ValueError("a loopback address is one by which others reach this node")
    if address.ip.is_loopback:
        raise ValueError(f"{address.ip} is on every lo already, and nobody else reaches it")
    if address.version == 4 and address.network.prefixlen < 32:
        raise ValueError("on lo a prefix shorter than /32 makes every address in it this node's own: write /32")
    return address


Address = Annotated[IPv4Address | IPv6Address, _written(_address, _ADDRESS)]
NextHop = Annotated[IPv4Address | IPv6Address, _written(_address, _ADDRESS), AfterValidator(_unicast)]
Network = Annotated[IPv4Network | IPv6Network, _written(_network, _NETWORK)]
LinkAddress = Annotated[IPv4Interface | IPv6Interface, _written(ip_interface, _INTERFACE), AfterValidator(_with_prefix)]
Loopback = Annotated[IPv4Interface | IPv6Interface, _written(ip_interface, _LOOPBACK), AfterValidator(_on_loopback)]
InterfaceName = Annotated[str, AfterValidator(interface_name)]
