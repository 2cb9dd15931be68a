"""`--fix`: the settings that grant what was lost, where there is one way only and it takes back nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from mplskit.config.config_request import parse_set
from mplskit.config.fragment import Setting
from mplskit.config.verdict import State, Verdict, Way


@dataclass(frozen=True)
class Mend:
    """The settings of one way, and whom they help; `instead` is the setting whose place they take, if they do."""

    settings: tuple[Setting, ...]
    lost: tuple[str, ...]
    instead: Setting | None = None

    def __str__(self) -> str:
        added = " ".join(f"--set {setting.symbol}={setting.value}" for setting in self.settings)
        if self.instead:
            return f"--fix: {added} instead of {self.instead.symbol}={self.instead.value}"
        return f"--fix: {added} for {', '.join(self.lost)}"


def mends(verdicts: Sequence[Verdict]) -> list[Mend]:
    """What is unambiguous, for these verdicts on all that was asked.

    One way alone contradicts nobody who asked, and it turns nothing off unless that is what was asked.
    """
    asked = {verdict.setting.symbol: verdict.setting.value for verdict in verdicts}
    helped: dict[Way, list[Verdict]] = {}
    for verdict in verdicts:
        free = [way for way, who in zip(verdict.ways, verdict.against, strict=True) if not who]
        if len(free) == 1 and _adds_only(free[0], verdict) and not _contradicts(free[0], verdict, asked):
            helped.setdefault(free[0], []).append(verdict)
    return [_mend(way, lost) for way, lost in helped.items()]


def fixed(settings: Sequence[Setting], mended: Sequence[Mend]) -> tuple[Setting, ...]:
    """The settings with those of the mends; what is mended by another symbol or value of its own is left out."""
    gone = {mend.instead.symbol for mend in mended if mend.instead}
    added: dict[str, Setting] = {}
    for setting in (setting for mend in mended for setting in mend.settings):
        # What one needs as a module, another may need built in.
        if setting.symbol not in added or (added[setting.symbol].value, setting.value) == ("m", "y"):
            added[setting.symbol] = setting
    kept = [setting for setting in settings if setting.symbol not in gone and setting.symbol not in added]
    return (*kept, *added.values())


def _mend(way: Way, lost: Sequence[Verdict]) -> Mend:
    given = [parse_set(text) for text in way]
    symbols = {setting.symbol for setting in given}
    names = tuple(verdict.setting.symbol for verdict in lost)
    replaced = [v.setting for v in lost if v.state is State.UNKNOWN or v.setting.symbol in symbols]
    reason = f"--fix: for {', '.join(names)}"
    if replaced:
        reason = f"--fix: instead of {replaced[0].symbol}={replaced[0].value} ({replaced[0].asked_by})"
    settings = tuple(Setting(setting.symbol, setting.value, reason) for setting in given)
    return Mend(settings, names, replaced[0] if replaced else None)


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
