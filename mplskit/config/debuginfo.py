"""Leaves the debug information of a distribution's configuration out, unless it is asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mplskit.config.fragment import Setting, parse_config, read_fragment
from mplskit.config.starting_point import StartingPoint
from mplskit.config.verdict import of_release
from mplskit.paths import data
from mplskit.progress import note

# Each of these is the choice of a format: with one of them objects become four times as large.
_FORMATS = ("DEBUG_INFO_DWARF5", "DEBUG_INFO_DWARF4", "DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT")
_NONE = "DEBUG_INFO_NONE"


def without_debug_info(start: StartingPoint, asked: Sequence[Setting], version: str) -> StartingPoint:
    """The start with what kconfig/bases/debian.config says of debug information, for any base that has it.

    What is `asked` on top keeps it. Ours (text None) have none.
    """
    if start.text is None:
        return start
    config = parse_config(start.text)
    formats = [symbol for symbol in _FORMATS if config.get(symbol) == "y"]
    if not formats and config.get("DEBUG_INFO") != "y":
        return start
    rule = of_release(read_fragment(data("kconfig") / "bases" / "debian.config", "bases/debian.config"), version)
    others = tuple(setting for setting in start.settings if setting not in rule)
    if who := _who_wants_it(asked):
        note(f"the base has debug information, and it stays: {who}; the build takes hours, and 20 GiB more")
        return replace(start, settings=others)
    names = " ".join(f"{setting.symbol}={setting.value}" for setting in rule)
    keep = _keeping(formats, rule)
    note(f"! the base has debug information, hours and 20 GiB of it: {names} is taken; --set {keep}=y keeps it")
    return replace(start, settings=(*others, *rule))


def _who_wants_it(asked: Iterable[Setting]) -> str:
    wanted = [
        setting.asked_by
        for setting in asked
        if (setting.symbol == "DEBUG_INFO" or setting.symbol.startswith("DEBUG_INFO_"))
        and (setting.value == "n") == (setting.symbol == _NONE)
    ]
    return f"asked by {', '.join(wanted)}" if wanted else ""


def _keeping(formats: Sequence[str], rule: Sequence[Setting]) -> str:
    """The symbol that keeps it: since 5.18 one of a choice, which may be another than an older base has."""
    if any(setting.symbol == "DEBUG_INFO" for setting in rule):
        return "DEBUG_INFO"
    return formats[0] if formats else "DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT"
