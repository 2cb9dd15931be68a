"""What a node says that it has before packages are sent: those that it needs no more, and room for the others."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from mplskit.debian.package_file import Deb, Role, package_members
from mplskit.node.payload_report import Item
from mplskit.whole_number import whole

HAVE = "have"
STREAMED = "/var/tmp"
FOLDERS = ("/boot", "/lib", "/usr")
KIB = 1 << 10
BLOCK = 4 << 10
# KiB: more than any disk has.
MOST = 1 << 60

_MEASURING = threading.Lock()


@dataclass
class Offer:
    """`packages`: name -> `SHA256 VERSION`; `room`: folder -> its mount point and what is free there, in KiB.

    `initrd` is the size of the initramfs that a kernel gets there, in KiB; 0 when none is made.
    """

    packages: dict[str, str] = field(default_factory=dict)
    room: dict[str, tuple[str, int]] = field(default_factory=dict)
    initrd: int = 0

    def take(self, item: Item) -> bool:
        """Take a `have` item; True when it is the last."""
        first, _, rest = item.detail.strip().partition(" ")
        size = whole(first, 0, MOST)
        if item.kind == "package":
            self.packages[item.name] = item.detail
        elif item.kind == "space" and size is not None:
            self.room[item.name] = (rest, size)
        elif item.kind == "initrd" and size is not None:
            self.initrd = size
        return item.kind == "node"

    def missing(self, packages: Sequence[Deb]) -> list[Deb]:
        """Those packages that the node does not have, by digest."""
        wanted = ((deb, f"{deb.package.sha256} {deb.package.version}") for deb in packages)
        return [deb for deb, identity in wanted if self.packages.get(deb.package.package) != identity]

    def lacking(self, sent: Sequence[Deb]) -> list[Item]:
        """A failed item for each file system of the node that is too small for these packages."""
        needed: Counter[str] = Counter()
        folders: dict[str, set[str]] = {}
        for deb in sent:
            for folder, size in (needs(deb) + self._initrd_of(deb)).items():
                mount = self.room.get(folder, ("", 0))[0]
                needed[mount] += size
                folders.setdefault(mount, set()).add(folder)
        free = dict(self.room.values())
        names = ", ".join(deb.package.package for deb in sent)
        return [
            Item(
                "failed",
                "node",
                "space",
                f"{mount} has {free[mount] >> 10} MiB free, and {-(-size >> 10)} MiB are needed "
                f"({', '.join(sorted(folders[mount]))}) for {names}",
            )
            for mount, size in needed.items()
            if mount in free and size > free[mount]
        ]

    def _initrd_of(self, deb: Deb) -> Counter[str]:
        return Counter({"/boot": self.initrd if deb.package.role is Role.IMAGE else 0})


def needs(deb: Deb) -> Counter[str]:
    """KiB by folder that a package takes on a node, its file included; an initramfs comes on top of it."""
    return Counter(unpacked(deb)) + Counter({STREAMED: -(-deb.package.size // KIB)})


def unpacked(deb: Deb) -> Mapping[str, int]:
    """KiB that a package takes below each of FOLDERS, once unpacked; measured once for all nodes.

    Raises WrongInput when it is damaged.
    """
    with _MEASURING:
        return _measured(deb)


@cache
def _measured(deb: Deb) -> Mapping[str, int]:
    sizes: Counter[str] = Counter()
    for member in package_members(deb.path):
        top = "/" + member.name.partition("/")[0]
        sizes[top if top in FOLDERS else "/usr"] += -(-member.size // BLOCK) * (BLOCK // KIB)
    return sizes
