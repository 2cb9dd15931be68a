"""`--limit`: which of the nodes of an inventory are meant."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

from mplskit.errors import WrongInput
from mplskit.wording import clipped, no_such, several

LIMIT_RULE = "--limit takes names of nodes and groups, and globs of them, in commas; !x takes x out"


class Named(Protocol):
    """What a limit looks at."""

    @property
    def name(self) -> str: ...

    @property
    def groups(self) -> tuple[str, ...]: ...


AnyNode = TypeVar("AnyNode", bound=Named)


def limited(nodes: Sequence[AnyNode], limit: str) -> tuple[AnyNode, ...]:
    """The nodes that `limit` leaves: names of nodes and groups, globs of them, in commas; `!x` takes out.

    Only exclusions: all others. Raises WrongInput for a word that matches nothing, and when nothing is left.
    """
    words = [word.strip() for word in limit.split(",")] if limit else []
    taken: set[str] = set()
    out: set[str] = set()
    for word in words:
        pattern = word.removeprefix("!").strip()
        if not pattern:
            raise WrongInput(f"--limit {clipped(limit)}: an empty word", hint=LIMIT_RULE)
        found = {node.name for node in nodes if any(fnmatchcase(name, pattern) for name in (node.name, *node.groups))}
        if not found:
            raise WrongInput(_unmatched(nodes, pattern), hint=LIMIT_RULE)
        (out if word.startswith("!") else taken).update(found)
    if all(word.startswith("!") for word in words):
        taken = {node.name for node in nodes}
    left = tuple(node for node in nodes if node.name in taken - out)
    if not left:
        raise WrongInput(f"--limit {clipped(limit)}: no node is left", hint=LIMIT_RULE)
    return left


def _unmatched(nodes: Sequence[Named], pattern: str) -> str:
    names = [node.name for node in nodes]
    groups = list(dict.fromkeys(group for node in nodes for group in node.groups))
    if not set(pattern) & set("*?["):
        also = f"; groups: {several(groups)}" if groups else ""
        return f"--limit: {no_such('node or group', pattern, names)}{also}"
    known = f"nodes: {several(names)}; groups: {several(groups)}"
    return f"--limit: {clipped(pattern)!r} matches no node and no group; {known}"
