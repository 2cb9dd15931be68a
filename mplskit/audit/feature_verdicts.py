"""Judges a kernel: what is seen of each symbol, a verdict for each feature, and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mplskit.audit.features import Feature, Knowledge, Symbol, version_of
from mplskit.audit.judged_kernel import Kernel


class State(StrEnum):
    """What is seen of a symbol. The first two are good, the last two cannot be told."""

    BUILT_IN = "built in"
    MODULE = "module"
    ELSEWHERE = "module, in another package"
    MISSING = "module, missing"
    ABSENT = "absent"
    TOO_OLD = "kernel too old"
    NOT_GIVEN = "module, not in what was given"
    UNKNOWN = "unknown"


GOOD: Mapping[State, bool | None] = {
    **dict.fromkeys(State, False),
    State.BUILT_IN: True,
    State.MODULE: True,
    State.NOT_GIVEN: None,
    State.UNKNOWN: None,
}
WORDS = {True: "ready", False: "not ready", None: "unknown"}


@dataclass(frozen=True)
class Seen:
    """A symbol in this kernel; `where` is the file of its module, or what is known instead."""

    symbol: Symbol
    state: State
    where: str = ""

    @property
    def good(self) -> bool | None:
        """Whether the feature can rely on it; None when that cannot be told."""
        return GOOD[self.state]


@dataclass(frozen=True)
class Verdict:
    """`ready` is None when it cannot be told. `builds_on` are those among its bases that are not ready; `own` is what
    must be mended of itself, `bad` that and what must be of its bases; `lacks` is what a kernel this old cannot do."""

    feature: Feature
    ready: bool | None
    seen: tuple[Seen, ...]
    builds_on: tuple[str, ...]
    own: tuple[Seen, ...]
    bad: tuple[Seen, ...]
    lacks: tuple[str, ...]


def feature_verdicts(kernel: Kernel, knowledge: Knowledge) -> list[Verdict]:
    """A verdict for each feature, in their order."""
    verdicts: dict[str, Verdict] = {}
    for feature in knowledge.features:
        verdicts[feature.name] = _verdict(kernel, feature, verdicts)
    return list(verdicts.values())


def needed(verdicts: Sequence[Verdict], demanded: Sequence[str]) -> list[Verdict]:
    """The verdicts that decide: those features that always do, and those demanded by name."""
    return [verdict for verdict in verdicts if verdict.feature.decides or verdict.feature.name in demanded]


def see(kernel: Kernel, symbol: Symbol) -> Seen:
    """What is known of a symbol."""
    version, since = version_of(kernel.release), version_of(symbol.since)
    if version is not None and since is not None and version < since:
        return Seen(symbol, State.TOO_OLD, f"since {symbol.since}")
    if kernel.config is not None:
        value = kernel.config.get(symbol.symbol, "n")
        if kernel.partial:
            return Seen(symbol, State.UNKNOWN, f"{value} is asked for" if symbol.symbol in kernel.config else "")
        if value == "m" and symbol.module:
            return _module(kernel, symbol)
        return Seen(symbol, State.BUILT_IN if value == "y" else State.ABSENT)
    if symbol.module:
        return _unconfigured(kernel, symbol)
    proof = [name for name in symbol.shown_by if name in {*(kernel.modules or ()), *kernel.builtin, *kernel.loaded}]
    return Seen(symbol, State.BUILT_IN, f"as {proof[0]} shows") if proof else Seen(symbol, State.UNKNOWN)


def _module(kernel: Kernel, symbol: Symbol) -> Seen:
    """What is seen of a module that was built."""
    name = symbol.module
    if kernel.modules is None:
        return Seen(symbol, State.MODULE, f"{name}, in the kernel's package")
    found = _found(kernel, symbol)
    if found:
        return found
    if kernel.absent_packages:
        return Seen(symbol, State.NOT_GIVEN, name)
    return Seen(symbol, State.MISSING, f"no {name} in {kernel.modules_from}")


def _unconfigured(kernel: Kernel, symbol: Symbol) -> Seen:
    """What is seen of a module that may never have been built: no configuration says whether it was."""
    name = symbol.module
    if name in kernel.builtin:
        return Seen(symbol, State.BUILT_IN)
    found = _found(kernel, symbol)
    if found:
        return found
    if kernel.builtin and kernel.modules and not kernel.absent_packages:
        return Seen(symbol, State.ABSENT, f"no {name} in {kernel.modules_from}, nor built in")
    return Seen(symbol, State.UNKNOWN)


def _found(kernel: Kernel, symbol: Symbol) -> Seen | None:
    """A module that is on disk, loaded, or in a package that can be installed."""
    name = symbol.module
    if kernel.modules and name in kernel.modules:
        return Seen(symbol, State.MODULE, kernel.modules[name])
    if name in kernel.loaded:
        return Seen(symbol, State.MODULE, f"{name} is loaded")
    if name in kernel.elsewhere:
        return Seen(symbol, State.ELSEWHERE, kernel.elsewhere[name])
    return None


def _verdict(kernel: Kernel, feature: Feature, above: Mapping[str, Verdict]) -> Verdict:
    every = [see(kernel, symbol) for symbol in feature.all_of]
    either = [see(kernel, symbol) for symbol in feature.one_of]
    bases = [above[name] for name in feature.builds_on]
    one = _any([seen.good for seen in either]) if either else True
    ready = _all([*(seen.good for seen in every), *(base.ready for base in bases), one])
    own = [seen for seen in (every if one else [*every, *either]) if not seen.good]
    version = version_of(kernel.release)
    return Verdict(
        feature,
        ready,
        (*every, *either),
        tuple(base.feature.name for base in bases if not base.ready),
        tuple(own),
        (*(seen for base in bases for seen in base.bad), *own),
        tuple(limit.lacks for limit in feature.limits if version and version < (version_of(limit.before) or version)),
    )


def _any(goods: Sequence[bool | None]) -> bool | None:
    return True if True in goods else None if None in goods else False


def _all(goods: Sequence[bool | None]) -> bool | None:
    return False if False in goods else None if None in goods else True
