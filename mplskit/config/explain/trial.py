"""Tries settings on a loaded Kconfig, as `olddefconfig` would take them, and puts everything back."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import kconfiglib
from kconfiglib import Kconfig, Symbol

from mplskit.config.fragment import Setting
from mplskit.config.verdict import same

Assignments = tuple[tuple[str, str], ...]
_MEANT = {"y": ("y", "yes", "on", "true", "1"), "n": ("n", "no", "off", "false", "0"), "m": ("m", "module")}


def plain(value: str) -> str:
    """A value as Kconfiglib takes it: a string without its quotes."""
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def written(symbol: Symbol) -> str:
    """The value that a symbol has in the `.config`, `n` where it is not in it."""
    found = re.fullmatch(r"CONFIG_\w+=(.*)\n?", symbol.config_string, re.DOTALL)
    return found[1].rstrip("\n") if found else "n"


def takes(symbol: Symbol, value: str) -> bool:
    """Whether a value is one that this type of symbol has: a bool is never m, an int no text."""
    match symbol.orig_type:
        case kconfiglib.BOOL:
            return value in ("y", "n")
        case kconfiglib.TRISTATE:
            return value in ("y", "m", "n")
        case kconfiglib.INT:
            return re.fullmatch(r"0|-?[1-9][0-9]*", value) is not None
        case kconfiglib.HEX:
            return re.fullmatch(r"(0[xX])?[0-9a-fA-F]+", value) is not None
        case _:
            return value.startswith('"')


def fitting(symbol: Symbol, value: str) -> str | None:
    """The value in the form that this type of symbol takes, None where it is not plain what was meant."""
    if takes(symbol, value):
        return value
    text = plain(value)
    match symbol.orig_type:
        case kconfiglib.BOOL | kconfiglib.TRISTATE:
            meant = next((letter for letter, words in _MEANT.items() if text.lower() in words), None)
            return "y" if meant == "m" and symbol.orig_type == kconfiglib.BOOL else meant
        case kconfiglib.INT if re.fullmatch(r"-?[0-9]+|0[xX][0-9a-fA-F]+", text):
            return str(int(text, 16 if text[1:2] in ("x", "X") else 10))
        case kconfiglib.HEX if takes(symbol, text):
            return text if text[:2] in ("0x", "0X") else f"0x{text}"
        case kconfiglib.STRING if value not in ("y", "m", "n"):
            return f'"{value}"'
    return None


def holds(symbol: Symbol, value: str) -> bool:
    """Whether a symbol has what was asked: m is granted by m or y."""
    has = written(symbol)
    return same(value, has) or (value == "m" and has == "y")


@contextmanager
def tried(kconfig: Kconfig, settings: Iterable[tuple[str, str]]) -> Iterator[None]:
    """Within the block, the symbols have these values besides those of the `.config`, as far as they are granted."""
    before = []
    try:
        for name, value in settings:
            symbol = kconfig.syms[name]
            choice = symbol.choice
            before.append((symbol, symbol.user_value, (choice.user_value, choice.user_selection) if choice else None))
            if choice and value in ("m", "y"):
                choice.set_value(value)
            symbol.set_value(plain(value))
        yield
    finally:
        for symbol, was, chosen in reversed(before):
            _restore(symbol, was, chosen)


def ask(kconfig: Kconfig, settings: Iterable[Setting]) -> None:
    """Give what was asked and dropped to the loaded Kconfig again: it counts as soon as its dependencies are met."""
    for setting in settings:
        symbol = kconfig.syms.get(setting.symbol)
        # Not for members of a choice: of those the last one asked is in the `.config` already.
        if symbol is not None and symbol.nodes and symbol.choice is None and takes(symbol, setting.value):
            symbol.set_value(plain(setting.value))


def _restore(symbol: Symbol, value: str | int | None, chosen: tuple[int | None, Symbol | None] | None) -> None:
    symbol.user_value = value
    if symbol.choice and chosen:
        symbol.choice.user_value, symbol.choice.user_selection = chosen
        symbol.choice._rec_invalidate()
    symbol._rec_invalidate()
