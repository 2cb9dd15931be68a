"""The settings that mend a lost one: those of `search` that hold when they are tried."""

from collections.abc import Mapping

from kconfiglib import Symbol

from mplskit.config.explain.load_kconfig import KernelKconfig
from mplskit.config.explain.search import Search
from mplskit.config.explain.trial import Assignments, fitting, holds, tried
from mplskit.config.verdict import Verdict, Way

TOLD = 4


def find_ways(
    kconfig: KernelKconfig, symbol: Symbol, value: str, asked: Mapping[str, Verdict], named: bool = False
) -> list[tuple[Way, tuple[str, ...]]]:
    """Ways to grant a value, each with those who asked for what it takes back; without such first, then the shortest.

    None is empty. The symbol itself is in a way only where another value of it must be asked, or where it is `named`.
    """
    fit = fitting(symbol, value)
    if fit is None:
        return []
    found: dict[Assignments, tuple[str, ...]] = {}
    for proposal in Search().reach(symbol, fit):
        way = _needed(kconfig, symbol, fit, proposal)
        if way is not None and (named or fit != value) and symbol.name not in dict(way):
            way = (*way, (symbol.name, fit))
        if way and way not in found:
            found[way] = _against(kconfig, way, asked)
    kept = [way for way in found if not any(set(other) < set(way) for other in found)]
    kept.sort(key=lambda way: (bool(found[way]), len(way)))
    return [(tuple(f"{name}={value}" for name, value in way), found[way]) for way in kept[:TOLD]]


def _needed(kconfig: KernelKconfig, symbol: Symbol, value: str, proposal: Assignments) -> Assignments | None:
    """What of a proposal is needed for the value; None when all of it does not do."""

    def grants(way: Assignments) -> bool:
        with tried(kconfig, way):
            return holds(symbol, value)

    if not grants(proposal):
        return None
    for pair in proposal:
        without = tuple(other for other in proposal if other != pair)
        if grants(without):
            proposal = without
    return proposal


def _against(kconfig: KernelKconfig, way: Assignments, asked: Mapping[str, Verdict]) -> tuple[str, ...]:
    with tried(kconfig, way):
        lost = [
            verdict.setting.asked_by
            for name, verdict in asked.items()
            if verdict.granted and name in kconfig.syms and not holds(kconfig.syms[name], verdict.setting.value)
        ]
    return tuple(dict.fromkeys(lost))
