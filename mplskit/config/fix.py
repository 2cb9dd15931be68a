"""`--fix`: the settings that grant what was lost, where there is one way only and it takes back nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from mplskit.config.fragment import Setting
from mplskit.config.request import parse_set
from mplskit.config.verdict import Verdict, Way


@dataclass(frozen=True)
class Mend:
    """The settings that one way adds, for the symbol that was lost; `instead` of its own setting or beside it."""

    lost: Setting
    settings: tuple[Setting, ...]
    instead: bool

    def __str__(self) -> str:
        added = " ".join(f"--set {setting.symbol}={setting.value}" for setting in self.settings)
        return f"--fix: {added} {'instead of' if self.instead else 'for'} {self.lost.symbol}={self.lost.value}"


def mends(verdicts: Sequence[Verdict]) -> list[Mend]:
    """What is unambiguous, for these verdicts on all that was asked.

    One way alone contradicts nobody who asked, and it turns nothing off unless that is what was asked.
    """
    asked = {verdict.setting.symbol: verdict.setting.value for verdict in verdicts}
    found = []
    for verdict in verdicts:
        free = [way for way, who in zip(verdict.ways, verdict.against, strict=True) if not who]
        if len(free) == 1 and _adds_only(free[0], verdict) and not _contradicts(free[0], verdict, asked):
            found.append(_mend(verdict, free[0]))
    return found


def fixed(settings: Sequence[Setting], mended: Sequence[Mend]) -> tuple[Setting, ...]:
    """The settings with those of the mends; what is mended by another symbol or value of its own is left out."""
    gone = {mend.lost.symbol for mend in mended if mend.instead}
    added = {setting.symbol: setting for mend in mended for setting in mend.settings}
    kept = [setting for setting in settings if setting.symbol not in gone and setting.symbol not in added]
    return (*kept, *added.values())


def _mend(verdict: Verdict, way: Way) -> Mend:
    lost = verdict.setting
    given = [parse_set(text) for text in way]
    instead = verdict.state is verdict.state.UNKNOWN or any(setting.symbol == lost.symbol for setting in given)
    reason = (
        f"--fix: instead of {lost.symbol}={lost.value} ({lost.asked_by})" if instead else f"--fix: for {lost.symbol}"
    )
    return Mend(lost, tuple(Setting(setting.symbol, setting.value, reason) for setting in given), instead)


def _adds_only(way: Way, verdict: Verdict) -> bool:
    return verdict.setting.value == "n" or not any(text.endswith("=n") for text in way)


def _contradicts(way: Way, verdict: Verdict, asked: dict[str, str]) -> bool:
    """Whether a symbol that was asked is given another value; y grants m."""
    for setting in map(parse_set, way):
        wanted = asked.get(setting.symbol, setting.value)
        if (
            setting.symbol != verdict.setting.symbol
            and wanted != setting.value
            and (wanted, setting.value) != ("m", "y")
        ):
            return True
    return False
