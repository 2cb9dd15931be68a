"""Finds the settings that bring a symbol to a value: what the Kconfig language lets follow from its expressions.

What is found is a proposal: `ways_to_mend` tries each before it tells anybody.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from itertools import product

import kconfiglib
from kconfiglib import AND, EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, OR, UNEQUAL, Symbol

from mplskit.config.explain.expression import Expression, Item
from mplskit.config.explain.trial import Assignments, plain, tried

# Alternatives kept at each step, those tried of a symbol that hundreds select, and steps in all: answers in a moment.
KEPT = 8
SELECTORS = 6
STEPS = 4000
DEPTH = 24

Proposals = list[Assignments]
NOTHING_TO_DO: Proposals = [()]
NO_WAY: Proposals = []
_VALUES = {"n": 0, "m": 1, "y": 2}
_TRISTATES = (kconfiglib.BOOL, kconfiglib.TRISTATE)
_RELATIONS = (EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL)
_OPPOSITE = {
    EQUAL: UNEQUAL,
    UNEQUAL: EQUAL,
    LESS: GREATER_EQUAL,
    GREATER_EQUAL: LESS,
    GREATER: LESS_EQUAL,
    LESS_EQUAL: GREATER,
}


class Search:
    """Proposals on one loaded Kconfig; levels are 0 (n), 1 (m) and 2 (y)."""

    def __init__(self) -> None:
        self._steps = 0
        self._open: set[tuple[Item, str, int]] = set()

    def reach(self, symbol: Symbol, value: str) -> Proposals:
        """Settings that give `symbol` this value, the fewest first."""
        self._steps = 0
        if symbol.orig_type not in _TRISTATES:
            return self._assign(symbol, value)
        return self.lower(symbol, 0) if value == "n" else self.raise_to(symbol, _VALUES[value])

    def raise_to(self, symbol: Item, level: int) -> Proposals:
        """Settings that bring a symbol to `level` at least."""
        if symbol.tri_value >= level:
            return NOTHING_TO_DO
        return self._guarded(symbol, "raise", level, lambda: self._raise(symbol, level))

    def lower(self, symbol: Item, level: int) -> Proposals:
        """Settings that bring a symbol to `level` at most."""
        if symbol.tri_value <= level:
            return NOTHING_TO_DO
        return self._guarded(symbol, "lower", level, lambda: self._lower(symbol, level))

    def at_least(self, expression: Expression, level: int) -> Proposals:
        """Settings that bring an expression to `level` at least."""
        if level == 0 or kconfiglib.expr_value(expression) >= level:
            return NOTHING_TO_DO
        if not isinstance(expression, tuple):
            return self.raise_to(expression, level)
        match expression[0]:
            case kconfiglib.AND:
                return _all(self.at_least(part, level) for part in kconfiglib.split_expr(expression, AND))
            case kconfiglib.OR:
                return _best(way for part in _near(expression, level) for way in self.at_least(part, level))
            case kconfiglib.NOT:
                return self.at_most(expression[1], 2 - level)
            case _:
                return self._relation(*expression)

    def at_most(self, expression: Expression, level: int) -> Proposals:
        """Settings that bring an expression to `level` at most."""
        if level == 2 or kconfiglib.expr_value(expression) <= level:
            return NOTHING_TO_DO
        if not isinstance(expression, tuple):
            return self.lower(expression, level)
        match expression[0]:
            case kconfiglib.AND:
                parts = kconfiglib.split_expr(expression, AND)
                return _best(way for part in parts for way in self.at_most(part, level))
            case kconfiglib.OR:
                return _all(self.at_most(part, level) for part in kconfiglib.split_expr(expression, OR))
            case kconfiglib.NOT:
                return self.at_least(expression[1], 2 - level)
            case operator:
                return self._relation(_OPPOSITE[operator], *expression[1:])

    def _guarded(self, symbol: Item, goal: str, level: int, find: Callable[[], Proposals]) -> Proposals:
        key = (symbol, goal, level)
        self._steps += 1
        if key in self._open or self._steps > STEPS or len(self._open) > DEPTH:
            return NO_WAY
        self._open.add(key)
        try:
            return find()
        finally:
            self._open.discard(key)

    def _raise(self, symbol: Item, level: int) -> Proposals:
        if isinstance(symbol, kconfiglib.Choice):
            return _best(way for node in symbol.nodes if node.prompt for way in self.at_least(node.prompt[1], level))
        if symbol.is_constant or not symbol.nodes or symbol.orig_type not in _TRISTATES:
            return NO_WAY
        tristate = symbol.type == kconfiglib.TRISTATE
        level, shown = (level, level) if tristate else (2, 1)
        value = ((symbol.name, "m" if level == 1 else "y"),)
        prompts = [node.prompt[1] for node in symbol.nodes if node.prompt]
        direct = _best(_merged(way, value) for prompt in prompts for way in self.at_least(prompt, shown))
        if direct and any(kconfiglib.expr_value(prompt) >= shown for prompt in prompts):
            return direct
        if symbol.user_value is None or not prompts:
            # Out of sight, it takes its default as soon as that is offered; nothing else need be said.
            defaults = (_both(self.at_least(v, level), self.at_least(c, level)) for v, c in symbol.defaults)
            direct = _best([*direct, *(way for ways in defaults for way in ways if self._comes(symbol, level, way))])
        if direct:
            return direct
        selectors = _near(symbol.rev_dep, shown)
        # Who selects it as a module already is what the user thinks of.
        selectors = [part for part in selectors if kconfiglib.expr_value(part)] or selectors[:SELECTORS]
        return _best(way for part in selectors for way in self.at_least(part, shown))

    def _comes(self, symbol: Symbol, level: int, way: Assignments) -> bool:
        """Whether a default comes true: what it depends on may have a default of its own, which then changes."""
        with tried(symbol.kconfig, way):
            return bool(symbol.tri_value >= level)

    def _lower(self, symbol: Item, level: int) -> Proposals:
        if isinstance(symbol, kconfiglib.Choice) or symbol.is_constant or not symbol.nodes:
            return NO_WAY
        if symbol.choice is not None and symbol.choice.selection is symbol:
            others = [other for other in symbol.choice.syms if other is not symbol]
            return _best(way for other in others for way in self.raise_to(other, 2))
        level = level if symbol.type == kconfiglib.TRISTATE else 0
        released = _all(self._release(part, level) for part in kconfiglib.split_expr(symbol.rev_dep, OR))
        prompts = [node.prompt[1] for node in symbol.nodes if node.prompt]
        value = ((symbol.name, "n" if level == 0 else "m"),)
        own = _best(_merged(way, value) for prompt in prompts for way in self.at_least(prompt, 1))
        if not any(kconfiglib.expr_value(prompt) for prompt in prompts):
            # Nobody can be asked, so its default holds it: the condition of that can be taken away.
            given = next((both for both in symbol.defaults if kconfiglib.expr_value(both[1])), None)
            if given:
                own = _best([*own, *self.at_most((AND, *given), level)])
            elif kconfiglib.expr_value(symbol.rev_dep) > level:
                own = NOTHING_TO_DO
        return _both(released, own)

    def _release(self, select: Expression, level: int) -> Proposals:
        """Settings that take away one `select`: its symbol goes, or where that cannot, its condition."""
        if kconfiglib.expr_value(select) <= level:
            return NOTHING_TO_DO
        return self.at_most(kconfiglib.split_expr(select, AND)[0], level) or self.at_most(select, level)

    def _relation(self, operator: int, left: Symbol, right: Symbol) -> Proposals:
        """Settings that make a relation true, where one side is a constant."""
        if kconfiglib.expr_value((operator, left, right)):
            return NOTHING_TO_DO
        if left.nodes and right.nodes:
            return NO_WAY
        if not left.nodes:
            mirrored = {LESS: GREATER, GREATER: LESS, LESS_EQUAL: GREATER_EQUAL, GREATER_EQUAL: LESS_EQUAL}
            operator, left, right = mirrored.get(operator, operator), right, left
        if left.orig_type not in _TRISTATES:
            # More and less of a number: what the user wants of it is not ours to guess.
            return self._assign(left, right.str_value) if operator == EQUAL and left.nodes else NO_WAY
        wanted = [name for name, level in _VALUES.items() if _related(operator, level, right.name)]
        return _best(way for name in wanted for way in self._exactly(left, _VALUES[name]))

    def _exactly(self, symbol: Symbol, level: int) -> Proposals:
        if level == 1 and symbol.type != kconfiglib.TRISTATE:
            return NO_WAY
        return self.lower(symbol, level) if symbol.tri_value > level else self.raise_to(symbol, level)

    def _assign(self, symbol: Symbol, value: str) -> Proposals:
        """Settings that give a number or a text this value: its prompt, its range, or its default."""
        bounds = self._bounds(symbol, value)
        prompts = [node.prompt[1] for node in symbol.nodes if node.prompt]
        if prompts:
            shown = _best(way for prompt in prompts for way in self.at_least(prompt, 1))
            return _both(_both(shown, bounds), [((symbol.name, value),)])
        return self._defaulting(symbol, lambda number: number == plain(value))

    def _bounds(self, symbol: Symbol, value: str) -> Proposals:
        """Settings that widen the range of a number until it has room for the value."""
        for low, high, condition in symbol.ranges:
            if kconfiglib.expr_value(condition):
                least = self._bound(low, lambda bound: _number(bound) <= _number(value))
                return _both(least, self._bound(high, lambda bound: _number(bound) >= _number(value)))
        return NOTHING_TO_DO

    def _bound(self, symbol: Symbol, fits: Callable[[str], bool]) -> Proposals:
        return NOTHING_TO_DO if fits(symbol.str_value) else self._defaulting(symbol, fits)

    def _defaulting(self, symbol: Symbol, fits: Callable[[str], bool]) -> Proposals:
        """Settings by which a number that only has defaults gets one that fits."""
        found: Proposals = []
        for index, (given, condition) in enumerate(symbol.defaults):
            if not isinstance(given, tuple) and fits(given.str_value):
                before = [self.at_most(other, 0) for _, other in symbol.defaults[:index]]
                found += _all([self.at_least(condition, 1), *before])
        return _best(found)


def _near(expression: Expression, level: int) -> list[Expression]:
    """The operands of a disjunction, first those that are m already, then those that a single setting brings."""

    def distance(part: Expression) -> tuple[int, int]:
        operands = kconfiglib.split_expr(part, AND)
        unmet = [operand for operand in operands if kconfiglib.expr_value(operand) < level]
        closed = [item for item in unmet if not _offered(item, level)]
        return len(closed), -int(kconfiglib.expr_value(part))

    return sorted(kconfiglib.split_expr(expression, OR), key=distance)


def _offered(item: Expression, level: int) -> bool:
    """Whether a user can set this symbol as it stands."""
    return isinstance(item, kconfiglib.Symbol) and any(rank >= level for rank in item.assignable)


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return 0


def _related(operator: int, level: int, name: str) -> bool:
    other = _VALUES.get(name, 0)
    return {
        EQUAL: level == other,
        UNEQUAL: level != other,
        LESS: level < other,
        LESS_EQUAL: level <= other,
        GREATER: level > other,
        GREATER_EQUAL: level >= other,
    }[operator]


def _merged(*ways: Assignments) -> Assignments | None:
    """All of these settings, or None where they contradict each other."""
    values: dict[str, str] = {}
    for name, value in (pair for way in ways for pair in way):
        before = values.get(name, value)
        if {before, value} not in ({value}, {"m", "y"}):
            return None
        values[name] = "y" if "y" in (before, value) else value
    return tuple(values.items())


def _both(first: Proposals, second: Proposals) -> Proposals:
    return _best(_merged(*pair) for pair in product(first, second))


def _all(needs: Iterable[Proposals]) -> Proposals:
    """Proposals that meet every need: each a way for the first, then one for the second, and so on."""
    return reduce(_both, needs, NOTHING_TO_DO)


def _best(ways: Iterable[Assignments | None]) -> Proposals:
    """The shortest of these, each once. One that holds another stays: what seems to be enough may fail when tried."""
    return sorted(dict.fromkeys(way for way in ways if way is not None), key=len)[:KEPT]
