"""What the payload says: one tab-separated line per item."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mplskit.wording import did_you_mean

# `diff` is a line of a file's unified diff, or `(+N -N lines)` at the end of one that is too long; `have` is a package
# that the node says it has.
STATES = ("changed", "same", "failed", "waits", "note", "diff", "have")
# Before the names that an item which waits for an interface could have meant.
NODE_HAS = "the node has "


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the node; `kind` is package, file, module, sysctl, …

    `state` is changed, same, failed, note, or waits: all was done, and it is not so before something comes.
    """

    state: str
    kind: str
    name: str
    detail: str


FIELDS = ("state", "kind", "name", "detail")


@dataclass(frozen=True)
class Report:
    """What a set-up did: its items in order. `reboot_needed` says why, or is None."""

    items: tuple[Item, ...]
    changed: bool
    reboot_needed: str | None

    @classmethod
    def of(cls, items: Sequence[Item]) -> "Report":
        """The report of these items."""
        kernels = [item for item in items if item.kind == "kernel" and item.state == "note"]
        return cls(
            items=tuple(items),
            changed=any(item.state == "changed" for item in items),
            reboot_needed=f"{kernels[0].name}: {kernels[0].detail}" if kernels else None,
        )

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Report":
        """The report of which `document` was made; what else stands there is left alone."""
        return cls.of([Item(*(row[name] for name in FIELDS)) for row in document["items"]])

    @property
    def document(self) -> dict[str, object]:
        """The report as JSON has it."""
        rows = [{name: getattr(item, name) for name in FIELDS} for item in self.items]
        return {"items": rows, "changed": self.changed, "reboot_needed": self.reboot_needed}

    @property
    def failed(self) -> tuple[Item, ...]:
        """The items that failed."""
        return tuple(item for item in self.items if item.state == "failed")

    @property
    def waits(self) -> tuple[Item, ...]:
        """What the node is not ready without."""
        return tuple(item for item in self.items if item.state == "waits")


def parse_line(line: str) -> Item:
    """Read STATE<TAB>KIND<TAB>NAME<TAB>DETAIL. Raises ValueError for any other line (a login message, say)."""
    parts = line.rstrip("\r\n").split("\t")
    if len(parts) != 4 or parts[0] not in STATES or not parts[1] or not parts[2]:
        raise ValueError(f"not a line of the payload: {line!r}")
    item = Item(sys.intern(parts[0]), sys.intern(parts[1]), parts[2], parts[3])
    return replace(item, detail=item.detail + _meant(item)) if item.state == "waits" else item


def _meant(item: Item) -> str:
    """Which of the node's interfaces was probably meant by the name of one that it has not."""
    names = item.detail.partition(NODE_HAS)[2].split(", ") if item.kind == "interface" else []
    meant = did_you_mean(item.name, names)
    return f" — {meant}" if meant else ""
