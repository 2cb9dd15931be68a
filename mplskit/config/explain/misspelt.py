"""Tells a misspelt symbol from one that is another: names of symbols are words, and neighbours are often relatives.

NET_SCH_CBQ is no misspelling of NET_SCH_CBS, nor is DEVKMEM one of DEVMEM; MPLS_IPTUNEL is one of MPLS_IPTUNNEL.
"""

from collections.abc import Iterable

TOLD = 3
# Shorter words and names than these differ by a letter because they mean something else.
WORD = 5
NAME = 9
# Of a slip of the fingers (a letter twice, two letters in the wrong order) shorter words can be sure.
SLIP = 3


def misspelt(name: str, names: Iterable[str]) -> list[str]:
    """The symbols that `name` is probably a misspelling of, at most three."""
    return _within(1, name, names)


def close_names(name: str, names: Iterable[str]) -> list[str]:
    """The symbols that were perhaps meant by `name`: more is guessed, such as a word too many or too few in front."""
    known = set(names)
    found = _within(2, name, known)
    within = [other for other in known if name.endswith(f"_{other}") or other.endswith(f"_{name}")]
    more = [
        other for other in within if abs(other.count("_") - name.count("_")) == 1 and "_" in min(other, name, key=len)
    ]
    return [*found, *sorted(more)][:TOLD]


def _within(edits: int, name: str, names: Iterable[str]) -> list[str]:
    # A quick look first: with one word wrong, either end is as it should be.
    near = (
        other
        for other in names
        if abs(len(other) - len(name)) <= 2 and (other[:2] == name[:2] or other[-2:] == name[-2:]) and other != name
    )
    found = {other: distance for other in near if (distance := _distance(name, other)) <= edits}
    return sorted(found, key=lambda other: (found[other], other))[:TOLD]


def _distance(name: str, other: str) -> int:
    """The letters that are wrong in `name` if `other` was meant; a large number if it was not."""
    if name.replace("_", "") == other.replace("_", ""):
        return 1
    words, others = name.split("_"), other.split("_")
    if len(words) != len(others):
        return len(name)
    differing = [pair for pair in zip(words, others, strict=True) if pair[0] != pair[1]]
    [(word, meant), *more] = differing
    # Numbers, and letters beside them, tell models and versions apart.
    if more or any(letter.isdigit() for letter in word + meant):
        return len(name)
    shortest = min(len(word), len(meant))
    if shortest >= SLIP and _is_slip(word, meant):
        return 1
    if shortest < WORD or max(len(name), len(other)) < NAME or word[0] != meant[0]:
        return len(name)
    return edit_distance(word, meant)


def _is_slip(word: str, meant: str) -> bool:
    longer, shorter = sorted((word, meant), key=len, reverse=True)
    doubled = (longer[:at] + longer[at + 1 :] for at in range(1, len(longer)) if longer[at - 1] == longer[at])
    return shorter in doubled or (
        len(word) == len(meant) and edit_distance(word, meant) == 1 != _differing(word, meant)
    )


def _differing(word: str, meant: str) -> int:
    return sum(1 for one, other in zip(word, meant, strict=True) if one != other)


def edit_distance(one: str, other: str) -> int:
    """Letters that are missing, too many, others, or in the wrong order with the next."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, meant in enumerate(other, start=1):
            least = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != meant))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == meant:
                least = min(least, before[j - 2] + 1)
            row.append(least)
        before, above = above, row
    return above[-1]
