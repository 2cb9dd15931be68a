"""What became of the settings of a base: those that are gone, or have another value than the base gave them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from mplskit import files
from mplskit.config.compare import Difference, differences
from mplskit.config.needed import needed_for
from mplskit.config.verdict import Link, Way
from mplskit.progress import note

# The file beside a .config: the rows as JSON, one a line.
FILE = "base-lost.json"
# Warnings that are shown; the rest is in the file.
TOLD = 20


class Reason(StrEnum):
    """Why a setting of a base is not as it was; the order is that of the summary."""

    GONE = "not in this kernel"
    RENAMED = "renamed"
    DEPENDENCY = "a dependency is lost"
    TRIMMED = "trimmed away"
    VALUE = "another value"
    ASKED = "asked otherwise"
    FOLLOWS = "without a prompt: it follows from others"


@dataclass(frozen=True)
class Loss:
    """A symbol, the value that the base gives it, and the one it has (`n` where it is absent).

    `name` is what a renamed symbol is called here, and `after` the value of that. `chain` is that of explanations, any
    one of the `ways` brings it back.
    """

    symbol: str
    before: str
    after: str
    reason: Reason
    why: str = ""
    name: str = ""
    chain: tuple[Link, ...] = ()
    ways: tuple[Way, ...] = ()

    @property
    def needed_for(self) -> str:
        """What it is needed for, where that is known and it is weaker than it was; else empty.

        What the user asked for is no surprise, and what has a new name and the old value is not lost.
        """
        ranks = {"n": 0, "m": 1, "y": 2}
        weaker = ranks.get(self.before, 0) > ranks.get(self.after, 3)
        return needed_for().get(self.symbol, "") if weaker and self.reason is not Reason.ASKED else ""

    def as_json(self) -> dict[str, object]:
        """The row of `--json`, metadata.json and the file."""
        return {
            "symbol": self.symbol,
            "before": self.before,
            "after": self.after,
            "reason": str(self.reason),
            "why": self.why,
            **({"name": self.name} if self.name else {}),
            **({"needed_for": self.needed_for} if self.needed_for else {}),
            **({"chain": [asdict(link) for link in self.chain]} if self.chain else {}),
            **({"ways": [list(way) for way in self.ways]} if self.ways else {}),
        }


@dataclass(frozen=True)
class Outcome:
    """The values of a base, and those of the finished configuration, by symbol.

    `over` says for each symbol that is set on top of the base who did so; `untrimmed` are the values before modules
    were trimmed away, empty where none were.
    """

    base: Mapping[str, str]
    values: Mapping[str, str]
    over: Mapping[str, str]
    untrimmed: Mapping[str, str]

    def differing(self) -> list[Difference]:
        """What the base says, and is not so."""
        return [one for one in differences(self.base, self.values) if one.symbol in self.base]

    def trimmed(self, one: Difference) -> bool:
        """Whether it was there before modules were trimmed away."""
        return one.new == "n" != self.untrimmed.get(one.symbol, "n")


def write(losses: Sequence[Loss], folder: Path) -> Path:
    """Put them beside the .config."""
    rows = ",\n".join(json.dumps(loss.as_json(), ensure_ascii=False) for loss in losses)
    target = folder / FILE
    files.write_atomically(target, f"[\n{rows}\n]\n")
    return target


def tell(losses: Sequence[Loss], total: int, file: Path) -> None:
    """Say on stderr what became of the `total` settings of the base; `file` has all of it."""
    if not losses:
        return
    counts = Counter(loss.reason for loss in losses)
    words = ", ".join(f"{counts[reason]} {reason}" for reason in Reason if counts[reason])
    note(f"of the {total} settings of the base {len(losses)} are not as they were: {words} ({file})")
    needed = [loss for loss in losses if loss.needed_for]
    one_by_one = [loss for loss in needed if loss.reason is not Reason.TRIMMED]
    for loss in one_by_one[:TOLD]:
        note(f"! {sentence(loss)}")
    if len(one_by_one) > TOLD:
        note(f"! and {len(one_by_one) - TOLD} more that are needed for something (`needed_for` in {file})")
    by_need: dict[str, list[str]] = {}
    for loss in needed:
        if loss.reason is Reason.TRIMMED:
            by_need.setdefault(loss.needed_for, []).append(loss.symbol)
    for need, symbols in by_need.items():
        names = ", ".join(symbols)
        note(f"! trimmed away: {names}, for {need}: the node uses and lists no such module, or has it built in")


def sentence(loss: Loss) -> str:
    """A loss in words."""
    value = f"{loss.before} in the base, {loss.after} here"
    why = f"; {loss.why}" if loss.why else ""
    mend = "; mend: " + " ".join(f"--set {setting}" for setting in loss.ways[0]) if loss.ways else ""
    return f"{loss.symbol} ({value}) is needed for {loss.needed_for}: {loss.reason}{why}{mend}"
