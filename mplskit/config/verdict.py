"""Compares what was asked with what a configuration holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mplskit.config.fragment import Setting


class State(StrEnum):
    """What became of a setting."""

    GRANTED = "granted"
    DEMOTED = "demoted"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    FORCED = "forced"


@dataclass(frozen=True)
class Verdict:
    """A setting, the value it has got (`n` where it is absent), and why it is not the one that was asked."""

    setting: Setting
    got: str
    state: State
    why: str = ""

    @property
    def granted(self) -> bool:
        """Whether the configuration holds what was asked."""
        return self.state is State.GRANTED


def judge(settings: Iterable[Setting], config: Mapping[str, str]) -> list[Verdict]:
    """A verdict for each setting: `m` is granted by m or y, `y` by y, `n` by absence, anything else by itself."""
    return [_judge(setting, config.get(setting.symbol, "n")) for setting in settings]


def _judge(setting: Setting, got: str) -> Verdict:
    match setting.value, got:
        case ("m", "m" | "y") | ("y", "y") | ("n", "n"):
            state = State.GRANTED
        case ("y", "m"):
            state = State.DEMOTED
        case ("n", _):
            state = State.FORCED
        case (asked, _) if asked == got:
            state = State.GRANTED
        case _:
            state = State.UNMET
    return Verdict(setting, got, state)
