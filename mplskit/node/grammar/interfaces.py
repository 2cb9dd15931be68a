"""What is known of a node's interfaces beforehand."""

from typing import Annotated, Literal

from pydantic import Field

from mplskit.node.grammar.part import Part

# fmt: off
Kind = Literal[
    "ethernet", "tap", "vlan", "bridge", "bond", "veth", "vxlan", "macvlan", "dummy", "vrf",
    "gre", "ip6gre", "gretap", "ipip", "ip6tnl", "sit", "bareudp", "ppp", "tun", "wireguard",
]
# fmt: on
# Point-to-point, or without ARP: the device alone says where labelled packets go.
DIRECT = frozenset({"gre", "ip6gre", "ipip", "ip6tnl", "sit", "bareudp", "ppp"})
IP_ONLY = frozenset({"tun", "wireguard"})


class Interface(Part):
    """One interface. `kind` is what `ip -d link` calls it, or `ethernet`.

    `optional` says that it may come later than the node is ready; None is true for the tap of a tunnel alone.
    """

    kind: Kind | None = None
    optional: Annotated[bool, Field(strict=True)] | None = None


def no_direct_push(dev: str, kind: Kind | None) -> str:
    """The rule that a push by `dev` alone, without a next hop, breaks; nothing where it is right.

    None is a kind that is not known, where nobody can be asked either.
    """
    if kind in DIRECT:
        return ""
    if kind in IP_ONLY:
        return f"{dev} is of kind {kind}, which carries no labels"
    if kind is None:
        return (
            f"a push by {dev} without via is right where {dev} is point-to-point or knows no ARP, and here no node can "
            f"be asked: say what it is, as in interfaces: {{{dev}: {{kind: gre}}}}, or add via"
        )
    return (
        f"a push by {dev} needs via, since {dev} is of kind {kind}: Linux takes labels without a next hop there and "
        "the packets go nowhere, without an error"
    )
