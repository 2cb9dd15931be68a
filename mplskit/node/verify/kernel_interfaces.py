"""What `ip` says of interfaces: their other names, and what they are part of or stand on. Text in, values out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mplskit.wording import did_you_mean, several

# What receives the frames of its ports itself (an rx_handler, linux/netdevice.h), by the kind that `ip -d` names, and
# what a port is called. A VRF is none: its members receive their own.
PORTS = {
    "bridge": "a port",
    "bond": "a member",
    "team": "a port",
    "openvswitch": "a port",
    "hsr": "a port",
}
MOST_NAMED = 20


@dataclass(frozen=True)
class Interface:
    """`whole` is what it is part of, of the kind `part_of`; `parent` is what it stands on, as a VLAN does."""

    name: str
    kind: str = ""
    altnames: tuple[str, ...] = ()
    whole: str = ""
    part_of: str = ""
    parent: str = ""


@dataclass(frozen=True)
class Interfaces:
    """Those of one node by their own names, and the altnames of all."""

    by_name: Mapping[str, Interface] = field(default_factory=dict)

    def real(self, name: str) -> str:
        """The own name of an interface; the same one where nothing is called so."""
        if name in self.by_name:
            return name
        return next((found.name for found in self.by_name.values() if name in found.altnames), name)

    def receiver(self, name: str) -> str:
        """The interface on which the kernel receives what comes in by this one."""
        for _ in self.by_name:
            found = self.by_name.get(name)
            if found is None or found.part_of not in PORTS or not found.whole:
                break
            name = found.whole
        return name

    def part(self, name: str) -> str:
        """What an interface is part of, in words: a port of br0."""
        found = self.by_name[name]
        return f"{PORTS[found.part_of]} of {found.whole}"

    def vlans(self, name: str) -> list[str]:
        """The VLANs that stand on an interface."""
        return [found.name for found in self.by_name.values() if found.kind == "vlan" and found.parent == name]

    def absent(self, name: str) -> str:
        """What to say of a name that no interface has: which there are, and which was probably meant."""
        names = [known for known in self.by_name if known != "lo"]
        shown = several(names, MOST_NAMED) if names else "no interface but lo"
        meant = did_you_mean(name, names)
        return f"no such interface; the node has {shown}{f' — {meant}' if meant else ''}"


def of_links(text: str) -> Interfaces:
    """What `ip -d -j link show` says. Raises ValueError when it cannot be understood."""
    rows: Sequence[Mapping[str, Any]] = json.loads(text)
    return Interfaces({row["ifname"]: _interface(row) for row in rows if "ifname" in row})


def _interface(row: Mapping[str, Any]) -> Interface:
    info = row.get("linkinfo", {})
    # The parent of an interface in another namespace is none that has a name here.
    parent = row.get("link", "") if "link_netnsid" not in row else ""
    return Interface(
        row["ifname"],
        info.get("info_kind", ""),
        tuple(row.get("altnames", ())),
        row.get("master", ""),
        info.get("info_slave_kind", ""),
        parent or "",
    )
