"""Values as a YAML file has them: what a word means, and each value with its line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

Scalar = str | int | bool | None
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Written:
    """A value where it was written: the line (from 1) of its key or list item; with all below, aliases expanded,
    `size` values in `depth` levels. `origin` is for those who put trees together."""

    value: "Scalar | dict[str, Written] | list[Written]"
    line: int
    size: int = 1
    depth: int = 1
    origin: str = ""

    @property
    def entries(self) -> "dict[str, Written]":
        """The entries of a mapping; none of anything else."""
        return self.value if isinstance(self.value, dict) else {}


def scalar(word: str) -> Scalar:
    """What a word without quotes means."""
    if word in _WORDS:
        return _WORDS[word]
    return int(word) if _NUMBER.fullmatch(word) else word


def sequence(items: list[Written], line: int) -> Written:
    """These items as one value."""
    return Written(items, line, *_measured(items))


def mapping(entries: dict[str, Written], line: int) -> Written:
    """These entries as one value."""
    return Written(entries, line, *_measured(list(entries.values())))


def _measured(below: Sequence[Written]) -> tuple[int, int]:
    return 1 + sum([one.size for one in below]), 1 + max([one.depth for one in below], default=0)
