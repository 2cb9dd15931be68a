"""Items by the thousand, for people: what is as it was meant is counted, what is not is told in full up to a bound."""

from collections import Counter
from collections.abc import Sequence

from mplskit.fleet.outcome import Document
from mplskit.node.payload_report import Item

# Routes that are added: as many are told one by one. Of all else so many are, and the rest is counted.
FEW = 20
MOST = 100
ADDED = "added"


def summed(items: Sequence[Item]) -> list[Item]:
    """The items that people see, in order; one of them may stand for many. Lines of differences stay as they are."""
    counts = Counter(map(_group, items))
    met: Counter[tuple[str, ...]] = Counter()
    shown: list[Item] = []
    for item in items:
        group = _group(item)
        count, how = counts[group], group[-1]
        alone = count <= FEW if how == ADDED else met[group] < MOST
        met[group] += 1
        if alone or item.state == "diff":
            shown.append(item)
        elif how == ADDED and met[group] == 1:
            shown.append(Item(item.state, item.kind, f"{count:,} {group[2]}", how))
        elif how != ADDED and met[group] == MOST + 1:
            shown.append(Item(item.state, item.kind, f"and {count - MOST:,} more", how))
    return shown


def is_summed(document: Document) -> bool:
    """Whether people do not see each item of a report that is a change, a failure or a note."""
    rows = (row for row in document.get("items", ()) if row["state"] not in ("same", "diff"))
    counts = Counter(_group(Item(**row)) for row in rows)
    return any(count > (FEW if group[-1] == ADDED else MOST) for group, count in counts.items())


def _group(item: Item) -> tuple[str, ...]:
    """Items that are told together: by state, kind, and what is done with a route."""
    if item.kind != "route":
        return item.state, item.kind, "", ""
    return (
        item.state,
        item.kind,
        "labels" if item.name.startswith("label ") else "prefixes",
        item.detail.partition(":")[0],
    )
