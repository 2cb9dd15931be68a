"""Says why a setting of a base is not what it was, on the kernel's Kconfig with the finished configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import kconfiglib
from kconfiglib import Symbol

from mplskit.config.base_losses import Loss, Outcome, Reason
from mplskit.config.compare import Difference
from mplskit.config.explain.answer import kind_of
from mplskit.config.explain.chain import Chains
from mplskit.config.explain.load_kconfig import KernelKconfig
from mplskit.config.explain.loss_texts import cause
from mplskit.config.explain.renames import known_renames, renamed, successors
from mplskit.config.explain.trial import ask, takes
from mplskit.config.explain.ways_to_mend import find_ways
from mplskit.config.fragment import Setting
from mplskit.config.verdict import NO_SUCH_SYMBOL, Verdict, same

_TRISTATES = (kconfiglib.BOOL, kconfiglib.TRISTATE)


def symbols_of(kconfig: KernelKconfig) -> set[str]:
    """The symbols that this kernel has, without those that only carry an old name's value on."""
    defined = {name for name, symbol in kconfig.syms.items() if symbol.nodes}
    return defined - set(kconfig.transitional)


def carried(values: Mapping[str, str], names: set[str], called: str) -> list[Setting]:
    """The values of a base's symbols under the names that they have here, where the base does not name those.

    The kernel does so itself for what is marked `transitional`.
    """
    found: dict[str, Setting] = {}
    for rename in known_renames():
        for old, new in ((rename.old, rename.new), (rename.new, rename.old)):
            value = values.get(old, "n")
            if value == "n" or old in names or new not in names or new in values:
                continue
            # Of several that became one, the strongest counts.
            if new not in found or value == "y":
                found[new] = Setting(new, value, f"base {called}: there it is {old}")
    return list(found.values())


def losses(outcome: Outcome, kconfig: KernelKconfig, tree: Path, verdicts: Sequence[Verdict]) -> list[Loss]:
    """Why each value of a base is another one in the finished configuration, which `kconfig` has loaded.

    `verdicts` are those on what was asked.
    """
    one = _One(outcome, kconfig, tree, {verdict.setting.symbol: verdict for verdict in verdicts})
    return [one.with_ways(one.loss(difference)) for difference in outcome.differing()]


def guessed(outcome: Outcome, names: set[str]) -> list[Loss]:
    """The same for a Kconfig that cannot be parsed, by the names of its symbols."""

    def loss(one: Difference) -> Loss:
        told, name = renamed(one.symbol, names)
        if one.symbol in outcome.over:
            return Loss(one.symbol, one.old, one.new, Reason.ASKED, f"asked by {outcome.over[one.symbol]}")
        if one.symbol not in names:
            after = outcome.values.get(name, "n")
            return Loss(one.symbol, one.old, after, Reason.RENAMED if name else Reason.GONE, told, name)
        if outcome.trimmed(one):
            return Loss(one.symbol, one.old, one.new, Reason.TRIMMED)
        return Loss(one.symbol, one.old, one.new, Reason.DEPENDENCY if one.new == "n" else Reason.VALUE)

    return [loss(difference) for difference in outcome.differing()]


class _One:
    def __init__(self, outcome: Outcome, kconfig: KernelKconfig, tree: Path, asked: Mapping[str, Verdict]) -> None:
        self._outcome = outcome
        self._kconfig = kconfig
        self._names = symbols_of(kconfig)
        self._asked = asked
        self._chains = Chains(tree, kconfig, asked)

    def with_ways(self, loss: Loss) -> Loss:
        """Of what is needed, the settings that bring it back and take back nothing that was asked."""
        symbol = self._kconfig.syms.get(loss.symbol)
        if symbol is None or not loss.needed_for or loss.reason is Reason.TRIMMED:
            return loss
        if not any(node.prompt for node in symbol.nodes):
            return loss
        # The base still asks for it, as soon as it can be had.
        ask(self._kconfig, [Setting(loss.symbol, loss.before, "the base")])
        found = find_ways(self._kconfig, symbol, loss.before, self._asked)
        return replace(loss, ways=tuple(way for way, against in found if not against))

    def loss(self, difference: Difference) -> Loss:
        """Why it is so."""
        symbol, before, after = difference.symbol, difference.old, difference.new
        if symbol in self._outcome.over:
            return Loss(symbol, before, after, Reason.ASKED, f"asked by {self._outcome.over[symbol]}")
        if symbol not in self._names:
            return self._elsewhere(difference)
        if self._outcome.trimmed(difference):
            return Loss(symbol, before, after, Reason.TRIMMED)
        return self._here(self._kconfig.syms[symbol], difference)

    def _here(self, known: Symbol, difference: Difference) -> Loss:
        """Of a symbol that this kernel has."""
        symbol, before, after = difference.symbol, difference.old, difference.new
        if not any(node.prompt for node in known.nodes):
            return Loss(symbol, before, after, Reason.FOLLOWS)
        if not takes(known, before):
            return Loss(symbol, before, after, Reason.VALUE, f"here it is {kind_of(known, before)}")
        if after == "n" or (before, after) == ("y", "m"):
            chain = self._chains.lacking(known, before)
            return Loss(symbol, before, after, Reason.DEPENDENCY, cause(chain), chain=chain)
        return Loss(symbol, before, after, Reason.VALUE, self._changed(known, difference))

    def _elsewhere(self, difference: Difference) -> Loss:
        """Of a symbol that is not here: it has another name, or is gone."""
        told, name = renamed(difference.symbol, self._names)
        if not name:
            name = next(iter(successors(self._kconfig, difference.symbol)), "")
            told = f"it is called {name} here" if name else ""
        if not name:
            return Loss(difference.symbol, difference.old, "n", Reason.GONE, NO_SUCH_SYMBOL)
        before, after = difference.old, self._outcome.values.get(name, "n")
        carried_over = same(before, after) or (before, after) == ("m", "y") or before == "n"
        chain = () if carried_over else self._chains.lacking(self._kconfig.syms[name], before)
        why = told + (f"; {cause(chain)}" if chain else "")
        return Loss(difference.symbol, before, after, Reason.RENAMED, why, name, chain)

    def _changed(self, known: Symbol, difference: Difference) -> str:
        """Why a symbol is stronger than the base has it, or another number or text."""
        if difference.old == "n" and known.orig_type in _TRISTATES:
            return cause(self._chains.held(known))
        if difference.old == "m":
            names = [link.symbol for link in self._chains.held(known)[1:]]
            return f"built in, selected by {', '.join(names)}" if names else "built in"
        # A number or a text that can be set has its default, where the base's is out of its range.
        return cause(self._chains.lacking(known, difference.old)) if difference.old != "n" else ""
