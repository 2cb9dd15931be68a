"""What is said of a node in several places, put together: the later place counts, and each value knows its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mplskit.errors import WrongInput
from mplskit.wording import clipped
from mplskit.yaml.spec_file import Place, nearest
from mplskit.yaml.tree import parse_tree
from mplskit.yaml.value import Written

SET = "--set"


def where(tree: Written, place: Place) -> tuple[str, int]:
    """The origin of the deepest part of `place` that is in the tree, and its line (of the command line: 0)."""
    origin = tree.origin
    for depth in range(1, len(place) + 1):
        origin = nearest(tree, place[:depth]).origin or origin
    return origin, 0 if by_flag(origin) else nearest(tree, place).line


def by_flag(origin: str) -> bool:
    """Whether a flag of the command line said it."""
    return origin.startswith("--")


def of(origin: str, tree: Written) -> Written:
    """A tree of which every entry (of mappings in mappings too) says that it comes from `origin`."""
    if not isinstance(tree.value, dict):
        return replace(tree, origin=origin)
    return replace(tree, value={key: of(origin, below) for key, below in tree.value.items()}, origin=origin)


def merged(layers: Sequence[Written]) -> Written:
    """The layers, later ones over earlier ones: mappings key by key, everything else as a whole."""
    result = layers[0]
    for layer in layers[1:]:
        result = _over(result, layer)
    return result


def _over(below: Written, above: Written) -> Written:
    if not isinstance(below.value, dict) or not isinstance(above.value, dict):
        return above
    entries = dict(below.value)
    for key, entry in above.value.items():
        entries[key] = _over(entries[key], entry) if key in entries else entry
    size = 1 + sum(entry.size for entry in entries.values())
    return Written(entries, above.line, size, max(below.depth, above.depth), above.origin)


def settings(words: Iterable[str]) -> tuple[Written, ...]:
    """A layer for each `KEY=VALUE` of the command line: VALUE is YAML, `a.b=VALUE` is for the key b of the mapping a.

    Raises WrongInput for what has no such form.
    """
    return tuple(_setting(word) for word in words)


def _setting(word: str) -> Written:
    key, equals, value = word.partition("=")
    names = key.strip().split(".")
    place = f"{SET} {clipped(key, 40)}"
    if not equals or not all(names):
        raise WrongInput(
            f"{SET} {clipped(word)}: it should be KEY=VALUE, as in platform_labels=200000 or ldp.router_id=10.0.0.1"
        )
    if len(names) > 4:
        raise WrongInput(f"{place}: no key is that deep")
    tree = parse_tree(value, place, lines=False)
    for name in reversed(names):
        tree = Written({name: tree}, 0, tree.size + 1, tree.depth + 1)
    return of(f"{SET} {clipped(word, 60)}", tree)
