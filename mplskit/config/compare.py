"""Two configurations side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mplskit.config.configfile import config_in
from mplskit.config.dotconfig import read
from mplskit.config.verdict import same
from mplskit.errors import WrongInput
from mplskit.progress import note


class Side(StrEnum):
    """Where a symbol is set."""

    OLD = "only in OLD"
    NEW = "only here"
    BOTH = "changed"


@dataclass(frozen=True)
class Difference:
    """A symbol and its two values, `n` where it is not set."""

    symbol: str
    old: str
    new: str

    @property
    def side(self) -> Side:
        """Where it is set."""
        if self.new == "n":
            return Side.OLD
        return Side.NEW if self.old == "n" else Side.BOTH

    def as_json(self) -> dict[str, str]:
        """The difference as `--json` shows it."""
        return {"symbol": self.symbol, "old": self.old, "new": self.new, "difference": str(self.side)}


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[Difference]:
    """What differs between the values of two configurations, those only in the first first; else by name."""
    found = [Difference(symbol, before, after) for symbol, before, after in _pairs(old, new) if not same(before, after)]
    return sorted(found, key=lambda one: (list(Side).index(one.side), one.symbol))


def _pairs(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for symbol in old.keys() | new.keys():
        yield symbol, old.get(symbol, "n"), new.get(symbol, "n")


def old_configuration(name: str) -> dict[str, str]:
    """The values of the configuration that `--diff` names. Raises WrongInput where it is none."""
    path = Path(name)
    if not path.is_file():
        raise WrongInput(f"--diff {name}: there is no such file", hint="give a configuration, as --base takes one")
    text = config_in(path, f"--diff {name}", "give a .config, or a kernel or config.gz with one inside").text
    config = read(text)
    for line in config.remarks(name, "what it does not name is shown as n"):
        note(f"! {line}")
    return dict(config.values)
