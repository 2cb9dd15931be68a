"""Compares what was asked with what a configuration holds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mplskit.config.fragment import Setting
from mplskit.config.releases import release_of, release_text


class State(StrEnum):
    """What became of a setting."""

    GRANTED = "granted"
    DEMOTED = "demoted"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    FORCED = "forced"
    ELSEWHERE = "not asked"


@dataclass(frozen=True)
class Link:
    """A condition on the way from a lost setting to its cause: `symbol` (or an expression) has `has`, not `needed`.

    `place` is FILE:LINE of its definition, `note` what else is to know; `depth` counts from the lost setting, 0.
    """

    symbol: str
    needed: str
    has: str
    place: str
    depth: int = 0
    note: str = ""


# Why a symbol that is asked to be absent is so, and why any other is not granted.
NO_SUCH_SYMBOL = "this kernel has no such symbol"

# Settings as --set takes them, in the order to give them; together they mend what is lost.
Way = tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """A setting, the value it has got (`n` where it is absent), and why it is not the one that was asked.

    `chain` leads, depth first, down to what can be set; any one of the `ways` grants the setting. `against` names, for
    each way, who asked for what it takes back.
    """

    setting: Setting
    got: str
    state: State
    why: str = ""
    chain: tuple[Link, ...] = ()
    ways: tuple[Way, ...] = ()
    against: tuple[tuple[str, ...], ...] = ()

    @property
    def granted(self) -> bool:
        """Whether the configuration holds what was asked."""
        return self.state is State.GRANTED


def verdicts_on(settings: Iterable[Setting], config: Mapping[str, str]) -> list[Verdict]:
    """A verdict for each setting: `m` is granted by m or y, `y` by y, `n` by absence, else `same` decides."""
    return [_judge(setting, config.get(setting.symbol, "n")) for setting in settings]


def same(asked: str, got: str) -> bool:
    """Whether two values are the same one; of a number the notation does not matter, as `064` and `64`."""
    return asked == got or _number(asked, got) == _number(got, got) is not None


def of_release(settings: Iterable[Setting], version: str) -> tuple[Setting, ...]:
    """The settings that are for this kernel version, the last one of each symbol."""
    return tuple({setting.symbol: setting for setting in settings if setting.is_for(version)}.values())


def of_other_releases(settings: Iterable[Setting], version: str) -> list[Verdict]:
    """A verdict for each setting that only other releases are asked for, with the releases it is for."""
    settings = list(settings)
    asked = {setting.symbol for setting in of_release(settings, version)}
    release = release_text(release_of(version))
    return [
        Verdict(setting, "n", State.ELSEWHERE, f"not in Linux {release}: {_span(setting)}")
        for setting in settings
        if setting.symbol not in asked
    ]


def _span(setting: Setting) -> str:
    return ", ".join(mark.replace(":", "") for mark in setting.marks())


def _number(text: str, got: str) -> int | None:
    """A number as a symbol with the value `got` takes it: where that has 0x, the text needs none."""
    if got[:2] in ("0x", "0X"):
        return int(text, 16) if re.fullmatch(r"(0[xX])?[0-9a-fA-F]+", text) else None
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else None


def _judge(setting: Setting, got: str) -> Verdict:
    match setting.value, got:
        case ("m", "m" | "y") | ("y", "y") | ("n", "n"):
            state = State.GRANTED
        case ("y", "m"):
            state = State.DEMOTED
        case ("n", _):
            state = State.FORCED
        case (asked, _) if same(asked, got):
            state = State.GRANTED
        case _:
            state = State.UNMET
    return Verdict(setting, got, state)
