"""Follows what a symbol lacks, or what holds it, down to the symbols that a user can set."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import kconfiglib
from kconfiglib import AND, EQUAL, NOT, OR, UNEQUAL, Symbol

from mplskit.config.explain.compiler_answers import probe, refusal
from mplskit.config.explain.expression import Expression, Item
from mplskit.config.explain.load_kconfig import KernelKconfig
from mplskit.config.verdict import NO_SUCH_SYMBOL, Link, Verdict
from mplskit.wording import first_few

# Selectors and alternatives that are told by name.
TOLD = 4
DEPTH = 12
_LETTERS = "nmy"
_TRISTATES = (kconfiglib.BOOL, kconfiglib.TRISTATE)


class Chains:
    """Chains on one loaded Kconfig; `asked` are the verdicts by symbol."""

    def __init__(self, tree: Path, kconfig: KernelKconfig, asked: Mapping[str, Verdict]) -> None:
        self._tree = tree
        self._kconfig = kconfig
        self._asked = asked

    def lacking(self, symbol: Symbol, value: str) -> tuple[Link, ...]:
        """Why a symbol is below the value that was asked of it; a number or a text: why it is another one."""
        if symbol.orig_type in _TRISTATES:
            return tuple(_once(self._need(symbol, _LETTERS.index(value), 0)))
        return tuple(_once([self._link(symbol, value, 0, self._range(symbol)), *self._hidden(symbol, 1, 1)]))

    def held(self, symbol: Symbol) -> tuple[Link, ...]:
        """What holds a symbol that was asked to be absent."""
        return tuple(_once(self._less(symbol, 0, 0)))

    def _need(self, symbol: Symbol, level: int, depth: int) -> Iterator[Link]:
        level = level if symbol.type == kconfiglib.TRISTATE else 2
        if level in symbol.assignable:
            yield self._link(symbol, _LETTERS[level], depth, self._chosen(symbol))
            return
        below = list(self._hidden(symbol, level, depth + 1)) if depth < DEPTH else []
        yield self._link(symbol, _LETTERS[level], depth, "" if below else self._fixed(symbol))
        yield from below

    def _hidden(self, symbol: Symbol, level: int, depth: int) -> Iterator[Link]:
        """What a user would have to change before the symbol can be set."""
        level = level if symbol.type == kconfiglib.TRISTATE else 1
        prompts = [node.prompt[1] for node in symbol.nodes if node.prompt]
        if kconfiglib.expr_value(symbol.direct_dep) < level:
            yield from self._unmet(symbol, symbol.direct_dep, level, depth)
        elif prompts:
            for prompt in prompts:
                yield from self._unmet(symbol, prompt, level, depth)
        elif symbol.rev_dep is not self._kconfig.n:
            selectors = kconfiglib.split_expr(symbol.rev_dep, OR)
            if len(selectors) == 1:
                yield from self._unmet(symbol, selectors[0], level, depth)
        else:
            given = [(v, c) for v, c in symbol.defaults if not isinstance(v, tuple) and v.str_value != "n"]
            for value, condition in given[:1]:
                yield from self._unmet(symbol, (AND, value, condition), level, depth)

    def _unmet(self, owner: Symbol, expression: Expression, level: int, depth: int) -> Iterator[Link]:
        """The operands of a conjunction that are below `level`, without those that another one brings up anyway."""
        parts = [part for part in kconfiglib.split_expr(expression, AND) if kconfiglib.expr_value(part) < level]
        trees = [list(self._part(owner, part, level, depth)) for part in dict.fromkeys(parts)]
        below = {link.symbol for tree in trees for link in tree[1:]}
        for tree in trees:
            if tree and tree[0].symbol not in below:
                yield from tree

    def _part(self, owner: Symbol, part: Expression, level: int, depth: int) -> Iterator[Link]:
        if isinstance(part, kconfiglib.Symbol):
            yield from self._operand(owner, part, level, depth)
        elif isinstance(part, kconfiglib.Choice):
            for node in part.nodes:
                if node.prompt:
                    yield from self._unmet(owner, node.prompt[1], level, depth)
        elif part[0] == NOT and isinstance(part[1], kconfiglib.Symbol):
            yield from self._less(part[1], 2 - level, depth)
        elif part[0] == OR:
            yield from self._any(owner, part, level, depth)
        elif (goal := _plain_goal(part)) and part[1].nodes:
            yield from (
                self._less(part[1], 0, depth) if goal == "n" else self._need(part[1], _LETTERS.index(goal), depth)
            )
        else:
            symbol = next((item for item in kconfiglib.expr_items(part) if item.nodes), owner)
            note = self._probed(symbol) or self._asker(symbol)
            yield Link(_words(part), "y", _compared(part), place_of(symbol), depth, note)

    def _operand(self, owner: Symbol, symbol: Symbol, level: int, depth: int) -> Iterator[Link]:
        if symbol.nodes:
            yield from self._need(symbol, level, depth)
        elif symbol.is_constant:
            yield self._constant(owner, symbol, depth)
        else:
            yield Link(symbol.name, _LETTERS[level], "n", place_of(owner), depth, NO_SUCH_SYMBOL)

    def _any(self, owner: Symbol, part: Expression, level: int, depth: int) -> Iterator[Link]:
        if one := _same_symbol(part):
            yield from self._either(part, one, depth)
            return
        needed = "m" if level == 1 and owner.type == kconfiglib.TRISTATE else "y"
        yield Link(_words(part), needed, _letter(part), place_of(owner), depth, "any one of them")
        for operand in kconfiglib.split_expr(part, OR)[:TOLD]:
            if depth < DEPTH:
                yield from self._unmet(owner, operand, level, depth + 1)

    def _either(self, part: Expression, symbol: Symbol, depth: int) -> Iterator[Link]:
        """One symbol that may have one of several values, and has another one."""
        values = [operand[2].name if isinstance(operand, tuple) else "y" for operand in kconfiglib.split_expr(part, OR)]
        yield self._link(symbol, " or ".join(values), depth, self._asker(symbol))
        yield from self._selectors(symbol, " or ".join(values), 0, depth + 1)

    def _less(self, symbol: Symbol, level: int, depth: int) -> Iterator[Link]:
        """What holds a symbol above `level`."""
        level = level if symbol.type == kconfiglib.TRISTATE else 0
        selecting = list(self._selectors(symbol, _LETTERS[level], level, depth + 1)) if depth < DEPTH else []
        note = self._asker(symbol) if depth else ""
        if not selecting and level not in symbol.assignable:
            note = self._on(symbol)
        yield self._link(symbol, _LETTERS[level], depth, note)
        yield from selecting
        if not selecting and level not in symbol.assignable and symbol.choice is None and depth < DEPTH:
            for node in symbol.nodes:
                if node.prompt:
                    yield from self._unmet(symbol, node.prompt[1], 1, depth + 1)

    def _selectors(self, symbol: Symbol, needed: str, level: int, depth: int) -> Iterator[Link]:
        active = [part for part in kconfiglib.split_expr(symbol.rev_dep, OR) if kconfiglib.expr_value(part) > level]
        for part in active[:TOLD]:
            selector = kconfiglib.split_expr(part, AND)[0]
            others = f", as do {len(active) - TOLD} more" if part is active[:TOLD][-1] and len(active) > TOLD else ""
            asker = self._asker(selector)
            note = f"selects {symbol.name}{others}" + (f"; {asker}" if asker else "")
            yield self._link(selector, needed, depth, note)
            if not any(node.prompt for node in selector.nodes) and depth < DEPTH:
                yield from self._selectors(selector, needed, level, depth + 1)

    def _link(self, symbol: Symbol, needed: str, depth: int, note: str) -> Link:
        return Link(symbol.name, needed, _has(symbol), place_of(symbol), depth, note)

    def _asker(self, symbol: Symbol) -> str:
        """Who asked for the value that stands in the way; who was refused suffers from the same cause."""
        verdict = self._asked.get(symbol.name)
        return f"asked by {verdict.setting.asked_by}" if verdict and verdict.granted else ""

    def _chosen(self, symbol: Symbol) -> str:
        """For a symbol that can be set, and is not: who holds its choice, or who asked for another value."""
        if symbol.choice is None or symbol.choice.selection in (None, symbol):
            return self._asker(symbol)
        other = symbol.choice.selection
        asker = self._asker(other)
        return f"{_choice(symbol.choice)} has {other.name}" + (f", {asker}" if asker else "")

    def _fixed(self, symbol: Symbol) -> str:
        """For a symbol with nothing below it that could be changed."""
        if probed := self._probed(symbol):
            return probed
        selectors = [kconfiglib.split_expr(part, AND)[0] for part in kconfiglib.split_expr(symbol.rev_dep, OR)]
        names = list(dict.fromkeys(item.name for item in selectors if item.nodes))
        if names:
            return f"it has no prompt, and is selected by {first_few(names, TOLD)}"
        return "" if any(node.prompt for node in symbol.nodes) else "it has no prompt, and nothing selects it"

    def _on(self, symbol: Symbol) -> str:
        """For a symbol that is on, and that nothing selects."""
        if symbol.choice is not None and symbol.choice.selection is symbol:
            default = "its default" if symbol.choice._selection_from_defaults() is symbol else "chosen"
            return self._asker(symbol) or f"{_choice(symbol.choice)} needs one, and this is {default}"
        if any(kconfiglib.expr_value(part) for part in kconfiglib.split_expr(symbol.weak_rev_dep, OR)):
            names = [item.name for item in kconfiglib.expr_items(symbol.weak_rev_dep) if item.tri_value]
            return f"it is implied by {', '.join(sorted(names))}"
        if any(node.prompt for node in symbol.nodes):
            return "it is on by default, and its prompt is hidden"
        return self._probed(symbol) or "it is on by default, and has no prompt"

    def _probed(self, symbol: Symbol) -> str:
        line = "" if any(node.prompt for node in symbol.nodes) else probe(self._tree, symbol, False)
        return refusal(self._kconfig, line) if line else ""

    def _constant(self, owner: Symbol, part: Symbol, depth: int) -> Link:
        line = probe(self._tree, owner, True)
        if not line:
            return Link(part.name, "y", part.name, place_of(owner), depth, "never on this architecture")
        return Link(line, "y", part.name, place_of(owner), depth, refusal(self._kconfig, line))

    def _range(self, symbol: Symbol) -> str:
        for low, high, condition in symbol.ranges:
            if kconfiglib.expr_value(condition):
                bounds = (f"{bound.str_value}{f' ({bound.name})' if bound.nodes else ''}" for bound in (low, high))
                return f"it takes {' to '.join(bounds)}"
        return ""


def _once(links: Iterable[Link]) -> Iterator[Link]:
    """The links, without a symbol and what is below it where that was told already."""
    told: set[tuple[str, str]] = set()
    skipped = None
    for link in links:
        if skipped is not None and link.depth > skipped:
            continue
        skipped = link.depth if (link.symbol, link.needed) in told else None
        if skipped is None:
            told.add((link.symbol, link.needed))
            yield link


def place_of(item: Item) -> str:
    """FILE:LINE of a symbol or choice, where a user is offered it."""
    node = next((node for node in item.nodes if node.prompt), item.nodes[0])
    return f"{node.filename}:{node.linenr}"


def _has(symbol: Symbol) -> str:
    return str(symbol.str_value) if symbol.orig_type != kconfiglib.STRING else f'"{symbol.str_value}"'


def _letter(expression: Expression) -> str:
    return _LETTERS[kconfiglib.expr_value(expression)]


def _words(expression: Expression) -> str:
    return str(kconfiglib.expr_str(expression, lambda item: _choice(item) if not item.name else item.name))


def _compared(relation: Expression) -> str:
    """What the symbols of a relation have."""
    has = [f"{item.name}={_has(item)}" for item in kconfiglib.expr_items(relation) if item.nodes]
    return ", ".join(sorted(has)) or "n"


def _choice(choice: Item) -> str:
    prompt = next((node.prompt[0] for node in choice.nodes if node.prompt), "")
    return f"the choice “{prompt}”"


def _plain_goal(relation: tuple[Any, ...]) -> str:
    """The value that `X = y` or `X != n` asks of its symbol; empty for relations of other kinds."""
    goals = {(EQUAL, "n"): "n", (EQUAL, "y"): "y", (UNEQUAL, "n"): "m"}
    return (
        goals.get((relation[0], relation[2].name), "")
        if len(relation) == 3 and not isinstance(relation[2], tuple)
        else ""
    )


def _same_symbol(expression: Expression) -> Symbol | None:
    """The one symbol that all operands of a disjunction are about (`X || X = n`), else None."""
    parts = kconfiglib.split_expr(expression, OR)
    plain = all(isinstance(part, kconfiglib.Symbol) or (part[0] == EQUAL and part[2].is_constant) for part in parts)
    symbols = {part if isinstance(part, kconfiglib.Symbol) else part[1] for part in parts} if plain else set()
    return symbols.pop() if len(symbols) == 1 else None
