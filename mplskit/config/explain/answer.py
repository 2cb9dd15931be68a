"""Says why the kernel's configuration tool did not grant a setting, and what would. It never writes a configuration."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import kconfiglib

from mplskit.config.explain.blocks import Block, scan_tree
from mplskit.config.explain.chain import Chains, place_of
from mplskit.config.explain.renames import renamed
from mplskit.config.explain.trial import ask, takes
from mplskit.config.explain.ways import find_ways
from mplskit.config.explain.words import cause
from mplskit.config.verdict import Link, State, Verdict


def explain(
    asked: Sequence[Verdict], base: Sequence[Verdict], kconfig: Any, tree: Path
) -> tuple[list[Verdict], list[Verdict]]:
    """Both with a reason for each that is not granted; a symbol that the tree does not have becomes unknown.

    What was `asked` comes with the ways to mend it, what the `base` wanted does not.
    """
    ask(kconfig, (verdict.setting for verdict in asked))
    by_symbol = {verdict.setting.symbol: verdict for verdict in (*base, *asked)}
    one = _One(kconfig, tree, by_symbol, {verdict.setting.symbol: verdict for verdict in asked})
    return [one.explained(verdict, True) for verdict in asked], [one.explained(verdict, False) for verdict in base]


def show_blocks(verdicts: Iterable[Verdict], tree: Path, architecture: str) -> list[Verdict]:
    """For a tree that cannot be parsed: each verdict with the block of its symbol, as the Kconfig file has it."""
    blocks: dict[str, list[Block]] = {}
    for block in scan_tree(tree, architecture):
        blocks.setdefault(block.symbol, []).append(block)

    def shown(verdict: Verdict) -> Verdict:
        found = blocks.get(verdict.setting.symbol)
        if not found:
            return _unknown(verdict, blocks, [])
        why = "\n".join(f"{block.place} has\n{block.text}" for block in found)
        return verdict if verdict.granted else replace(verdict, why=why)

    return [shown(verdict) for verdict in verdicts]


class _One:
    def __init__(self, kconfig: Any, tree: Path, known: Mapping[str, Verdict], asked: Mapping[str, Verdict]) -> None:
        self._kconfig = kconfig
        self._asked = asked
        self._chains = Chains(tree, kconfig, known)

    def explained(self, verdict: Verdict, with_ways: bool) -> Verdict:
        """The verdict with its chain and ways."""
        setting = verdict.setting
        symbol = self._kconfig.syms.get(setting.symbol)
        if symbol is None or not symbol.nodes or setting.symbol in self._kconfig.transitional:
            names = {name for name, known in self._kconfig.syms.items() if known.nodes} - self._kconfig.transitional
            return _unknown(verdict, names, self._successors(setting.symbol))
        if verdict.granted:
            return (
                replace(verdict, why=self._promoted(symbol)) if setting.value == "m" and verdict.got == "y" else verdict
            )
        ways = find_ways(self._kconfig, verdict, self._asked) if with_ways else []
        verdict = replace(verdict, ways=tuple(way for way, _ in ways), against=tuple(who for _, who in ways))
        if not takes(symbol, setting.value) and setting.value != "n":
            kind = Link(symbol.name, _kind(symbol), symbol.str_value, place_of(symbol), 0, f"it is {_kind(symbol)}")
            return replace(verdict, chain=(kind,), why=cause([kind]))
        links = self._chains.held(symbol) if setting.value == "n" else self._chains.lacking(symbol, setting.value)
        return replace(verdict, chain=links, why=cause(links))

    def _promoted(self, symbol: Any) -> str:
        """Why a module that was asked is built in."""
        modules = self._kconfig.modules
        if not modules.tri_value:
            return (
                f"built in, since MODULES is n ({place_of(modules)})"
                if modules.nodes
                else "built in: there are no modules"
            )
        names = [link.symbol for link in self._chains.held(symbol)[1:]]
        return f"built in, selected by {', '.join(names)}" if names else ""

    def _successors(self, name: str) -> list[str]:
        """The symbols that take the value of a transitional one."""
        if name not in self._kconfig.transitional:
            return []
        old = self._kconfig.syms[name]
        return [
            symbol.name
            for symbol in self._kconfig.unique_defined_syms
            if any(old in kconfiglib.expr_items(value) for value, _ in symbol.defaults)
        ]


def _unknown(verdict: Verdict, names: Iterable[str], successors: Sequence[str]) -> Verdict:
    name, known = verdict.setting.symbol, set(names)
    told, other = renamed(name, known)
    others = [other] if other else list(successors)
    if successors and not told:
        told = f"it is called {' or '.join(successors)} here, which takes its value over"
    if not told:
        close = difflib.get_close_matches(name, known, 3, 0.75)
        told = "this kernel has no such symbol" + (f"; did you mean {' or '.join(close)}?" if close else "")
    ways = tuple((f"{other}={verdict.setting.value}",) for other in others)
    return replace(verdict, state=State.UNKNOWN, why=told, ways=ways, against=((),) * len(ways))


def _kind(symbol: Any) -> str:
    """What values a symbol takes, for who asked another one."""
    match symbol.orig_type:
        case kconfiglib.BOOL:
            return "a bool: y or n, never m"
        case kconfiglib.TRISTATE:
            return "a tristate: y, m or n"
        case kconfiglib.INT:
            return "a whole number"
        case kconfiglib.HEX:
            return "a hexadecimal number"
        case _:
            return "a text, in quotes"
