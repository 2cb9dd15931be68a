"""Says why the kernel's configuration tool did not grant a setting, and what would. It never writes a configuration."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import kconfiglib
from kconfiglib import Symbol

from mplskit.config.explain.chain import Chains, place_of
from mplskit.config.explain.kconfig_blocks import Block, scan_tree
from mplskit.config.explain.load_kconfig import KernelKconfig
from mplskit.config.explain.loss_texts import NOT_FOUND, cause
from mplskit.config.explain.misspelt import close_names, misspelt
from mplskit.config.explain.renames import renamed, successors
from mplskit.config.explain.trial import ask, holds, takes
from mplskit.config.explain.ways_to_mend import find_ways
from mplskit.config.verdict import NO_SUCH_SYMBOL, Link, State, Verdict, Way

# A configuration is kept, and the tools that Kconfig asks for their features may have changed since.
OLDER = "nothing stands in its way now: this configuration is older than a tool; remove the folder build/config"


def explain(
    asked: Sequence[Verdict], base: Sequence[Verdict], kconfig: KernelKconfig, tree: Path
) -> tuple[list[Verdict], list[Verdict]]:
    """Both with a reason for each that is not granted; what the tree does not have becomes unknown.

    Asked n, it is granted by its absence, unless it is probably misspelt, or has another name here and is on.

    What was `asked` comes with the ways to mend it, what the `base` wanted does not.
    """
    ask(kconfig, (verdict.setting for verdict in asked))
    by_symbol = {verdict.setting.symbol: verdict for verdict in (*base, *asked)}
    one = _One(kconfig, tree, by_symbol, {verdict.setting.symbol: verdict for verdict in asked})
    return [one.explained(verdict, True) for verdict in asked], [one.explained(verdict, False) for verdict in base]


def show_blocks(verdicts: Iterable[Verdict], tree: Path, architecture: str) -> list[Verdict]:
    """For a tree that cannot be parsed: each verdict with the block of its symbol, as the Kconfig file has it.

    What is granted stays so, found or not, unless it is probably misspelt; of a renamed symbol the way is its new name,
    untried.
    """
    blocks: dict[str, list[Block]] = {}
    for block in scan_tree(tree, architecture):
        blocks.setdefault(block.symbol, []).append(block)

    def shown(verdict: Verdict) -> Verdict:
        found = blocks.get(verdict.setting.symbol)
        if verdict.granted and (found or verdict.setting.value != "n"):
            return verdict
        if not found:
            unknown, others = _unknown(verdict, blocks, [])
            if verdict.granted and others:
                return replace(verdict, why=unknown.why)
            verdict = unknown
            ways = tuple((f"{other}={verdict.setting.value}",) for other in others)
            return replace(verdict, ways=ways, against=((),) * len(ways))
        return replace(verdict, why="\n".join(f"{block.place} has\n{block.text}" for block in found))

    return [shown(verdict) for verdict in verdicts]


class _One:
    def __init__(
        self, kconfig: KernelKconfig, tree: Path, known: Mapping[str, Verdict], asked: Mapping[str, Verdict]
    ) -> None:
        self._kconfig = kconfig
        self._asked = asked
        self._chains = Chains(tree, kconfig, known)

    def explained(self, verdict: Verdict, with_ways: bool) -> Verdict:
        """The verdict with its chain and ways."""
        setting = verdict.setting
        symbol = self._kconfig.syms.get(setting.symbol)
        if symbol is None or not symbol.nodes or setting.symbol in self._kconfig.transitional:
            # What the kernel's tools have granted they know, whatever the parser makes of it.
            return verdict if verdict.granted and setting.value != "n" else self._called_otherwise(verdict, with_ways)
        if verdict.granted:
            return (
                replace(verdict, why=self._promoted(symbol)) if setting.value == "m" and verdict.got == "y" else verdict
            )
        if holds(symbol, setting.value):
            return replace(verdict, why=OLDER)
        if with_ways:
            verdict = _with_ways(verdict, find_ways(self._kconfig, symbol, setting.value, self._asked))
        if not takes(symbol, setting.value) and setting.value != "n":
            kind = kind_of(symbol, setting.value)
            link = Link(symbol.name, kind, symbol.str_value, place_of(symbol), 0, f"it is {kind}")
            return replace(verdict, chain=(link,), why=cause([link]))
        links = self._chains.held(symbol) if setting.value == "n" else self._chains.lacking(symbol, setting.value)
        return replace(verdict, chain=links, why=cause(links))

    def _called_otherwise(self, verdict: Verdict, with_ways: bool) -> Verdict:
        """The verdict on a symbol that is not here, with the ways to what it is called now."""
        names = {name for name, known in self._kconfig.syms.items() if known.nodes} - self._kconfig.transitional
        verdict, others = _unknown(verdict, names, successors(self._kconfig, verdict.setting.symbol))
        value = verdict.setting.value
        if value == "n" and others and all(holds(self._kconfig.syms[name], "n") for name in others):
            return replace(verdict, state=State.GRANTED)
        if not others or not with_ways:
            return verdict
        found = [find_ways(self._kconfig, self._kconfig.syms[name], value, self._asked, named=True) for name in others]
        ways = sorted((way for ways in found for way in ways), key=lambda way: bool(way[1]))
        return _with_ways(verdict, ways) if ways else replace(verdict, why=f"{verdict.why}; {NOT_FOUND}")

    def _promoted(self, symbol: Symbol) -> str:
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


def _with_ways(verdict: Verdict, ways: Sequence[tuple[Way, tuple[str, ...]]]) -> Verdict:
    return replace(verdict, ways=tuple(way for way, _ in ways), against=tuple(who for _, who in ways))


def _unknown(verdict: Verdict, names: Iterable[str], successors: Sequence[str]) -> tuple[Verdict, list[str]]:
    """The verdict on a symbol that is not among the `names`, and what it is called here.

    Asked to be absent it is granted, where nothing like it is known.
    """
    name, known = verdict.setting.symbol, set(names)
    told, other = renamed(name, known)
    others = [other] if other else list(successors)
    if successors and not told:
        told = f"it is called {' or '.join(successors)} here, which takes its value over"
    if told:
        return replace(verdict, state=State.UNKNOWN, why=told), others
    absent = verdict.setting.value == "n"
    close = misspelt(name, known) if absent else close_names(name, known)
    if not close:
        return replace(verdict, state=State.GRANTED if absent else State.UNKNOWN, why=NO_SUCH_SYMBOL), []
    why = f"{NO_SUCH_SYMBOL}; did you mean {' or '.join(close)}?"
    return replace(verdict, state=State.UNKNOWN, why=why), []


def kind_of(symbol: Symbol, value: str) -> str:
    """What values a symbol takes, for who asked another one."""
    match symbol.orig_type:
        case kconfiglib.BOOL:
            return "a bool: y or n, never m"
        case kconfiglib.TRISTATE:
            return "a tristate: y, m or n"
        case kconfiglib.INT:
            zero = value.strip('"-').startswith("0")
            return "a whole decimal number, without zeros before it" if zero else "a whole number"
        case kconfiglib.HEX:
            return "a hexadecimal number, with 0x before it"
        case _:
            return "a text, in quotes"
