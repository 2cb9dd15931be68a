"""Reads YAML into a tree that knows its lines. Files come from others: what they can cost is bounded.

Only what means the same in every YAML is a value of its own: null, true, false, whole decimal numbers. All else is
text: `no`, `010`, `0x10`, `1:20`, dates. Keys are text. There are no tags. Anchors, aliases and `<<` work.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from mplskit.errors import WrongInput
from mplskit.wording import clipped
from mplskit.yaml.parser_words import in_words
from mplskit.yaml.plain_rows import MARK, put_aside
from mplskit.yaml.value import Written, scalar

# What a value begins with, or is.
Below = AliasEvent | ScalarEvent | MappingStartEvent | SequenceStartEvent

# A thousand nodes with thirty routes each are 2 MB and 250,000 values, one with 100,000 label routes 7 MB and 600,000.
LARGEST_FILE = 9_000_000
LONGEST_LINE = 50_000  # the parser's time grows with the square of a tag's length
MOST_VALUES = 700_000
DEEPEST = 32

_SURROGATE = re.compile("[\ud800-\udfff]")


def read_tree(path: Path) -> Written:
    """The content of a YAML file. Raises WrongInput with file, line and the rule."""
    name = path_from_here(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise WrongInput(f"there is no file {name}") from None
    except IsADirectoryError:
        raise WrongInput(f"{name} is a folder, not a file") from None
    except (ValueError, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise WrongInput(f"{clipped(name)}: no file can be read there ({clipped(str(error))})") from None
    if len(content) > LARGEST_FILE:
        raise WrongInput(f"{name}: larger than {LARGEST_FILE // 1_000_000} MB: it was not read")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongInput(f"{name}:{line}: byte {error.start} is not UTF-8") from None
    return parse_tree(text, name)


def parse_tree(text: str, name: str, lines: bool = True) -> Written:
    """The one document of a YAML text; an error begins with `name`, and the line. Raises WrongInput."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if len(line) > LONGEST_LINE:
            raise WrongInput(f"{_at(name, number, lines)}: a line with more than {LONGEST_LINE} characters")
    try:
        return _quickly(text) or _Builder(text).document()
    except _Refused as error:
        raise WrongInput(f"{_at(name, error.line, lines)}: {error.rule}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _at(name, mark.line + 1, lines) if mark else name
        raise WrongInput(f"{place}: no YAML: {in_words(error.problem or str(error))}") from None
    except YAMLError as error:
        position = getattr(error, "position", None)
        number = text.count("\n", 0, position) + 1 if isinstance(position, int) else 0
        raise WrongInput(f"{_at(name, number, lines and number > 0)}: no YAML: {in_words(str(error))}") from None


def _quickly(text: str) -> Written | None:
    """The document, with its lists of plain rows read beforehand; None where that cannot be, for a fault above all."""
    aside = put_aside(text)
    if not aside.rows:
        return None
    builder = _Builder(aside.text, aside.rows)
    try:
        tree = builder.document()
    except (_Refused, YAMLError):
        return None
    return tree if builder.taken == len(aside.rows) else None


def _at(name: str, line: int, lines: bool) -> str:
    return f"{name}:{line}" if lines else name


def plain(tree: Written) -> object:
    """The values alone."""
    if isinstance(tree.value, dict):
        return {key: plain(below) for key, below in tree.value.items()}
    if isinstance(tree.value, list):
        return [plain(below) for below in tree.value]
    return tree.value


def path_from_here(path: Path) -> str:
    """A path as an error names it: from here, where it is below here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


class _Refused(Exception):
    def __init__(self, line: int, rule: str) -> None:
        super().__init__(rule)
        self.line, self.rule = line, rule


class _Builder:
    """Makes a tree of the parser's events, and reads no further than what is within the bounds."""

    def __init__(self, text: str, rows: Sequence[list[Written]] = ()) -> None:
        self.events = YAML(typ="safe", pure=True).parse(text)
        self.anchors: dict[str, Written | None] = {}
        self.rows = rows
        self.taken = 0

    def document(self) -> Written:
        next(self.events)  # the beginning of the stream
        first = next(self.events)
        if isinstance(first, StreamEndEvent):
            return Written(None, 1)
        event = next(self.events)
        tree = self._value(event, _line(event), DEEPEST)
        following = next(self.events)
        while isinstance(following, DocumentEndEvent):
            following = next(self.events)
        if isinstance(following, DocumentStartEvent):
            raise _Refused(_line(following), "a second document begins here: one file is one document")
        return tree

    def _value(self, event: Below, line: int, levels: int) -> Written:
        if isinstance(event, AliasEvent):
            return self._aliased(event, line, levels)
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!", 1)
            raise _Refused(_line(event), f"there are no tags here: {clipped(tag)}")
        if levels == 0:
            raise _Refused(_line(event), f"nested deeper than {DEEPEST} levels")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, MappingStartEvent):
            tree = self._mapping(line, levels - 1)
        elif isinstance(event, SequenceStartEvent):
            tree = self._sequence(line, levels - 1)
        else:
            word = str(_character(event).value)
            tree = Written(scalar(word) if event.implicit[0] else word, line)
        if event.anchor is not None:
            self.anchors[event.anchor] = tree
        return tree

    def _aliased(self, event: AliasEvent, line: int, levels: int) -> Written:
        if event.anchor not in self.anchors:
            raise _Refused(_line(event), f"there is no anchor &{clipped(event.anchor)} above")
        found = self.anchors[event.anchor]
        if found is None:
            raise _Refused(_line(event), f"*{clipped(event.anchor)} holds itself")
        if found.depth > levels:
            raise _Refused(_line(event), f"nested deeper than {DEEPEST} levels, with what *{event.anchor} stands for")
        return replace(found, line=line)

    def _sequence(self, line: int, levels: int) -> Written:
        items: list[Written] = []
        size = depth = 1
        while not isinstance(event := next(self.events), SequenceEndEvent):
            for item in self._rows(self._value(event, _line(event), levels), levels):
                items.append(item)
                size, depth = _grown(size, depth, item, item.line)
        return Written(items, line, size, depth)

    def _rows(self, item: Written, levels: int) -> Sequence[Written]:
        """The rows that an item of a list stands for, if it stands for any."""
        key = next(iter(item.entries), "") if self.rows else ""
        if not key.startswith(MARK):
            return (item,)
        self.taken += 1
        rows = self.rows[int(key.removeprefix(MARK))]
        if any(row.depth > levels for row in rows):
            raise _Refused(item.line, "nested deeper than can be")
        return rows

    def _mapping(self, line: int, levels: int) -> Written:
        entries: dict[str, Written] = {}
        merged: dict[str, Written] = {}
        size = depth = 1
        while not isinstance(event := next(self.events), MappingEndEvent):
            at = _line(event)
            if not isinstance(event, ScalarEvent) or event.tag is not None:
                raise _Refused(at, "a key is text, without a tag")
            key, is_merge = _character(event).value, event.implicit[0] and event.value == "<<"
            value = self._value(next(self.events), at, levels)
            size, depth = _grown(size, depth, value, at)
            if is_merge and not merged:
                merged = _to_merge(value)
            elif key in entries:
                raise _Refused(at, f"the key {clipped(key)!r} is there already, in line {entries[key].line}")
            else:
                entries[key] = value
        return Written({**merged, **entries} if merged else entries, line, size, depth)


def _grown(size: int, depth: int, item: Written, line: int) -> tuple[int, int]:
    if size + item.size > MOST_VALUES:
        raise _Refused(line, f"more than {MOST_VALUES} values, with what the aliases stand for")
    return size + item.size, max(depth, item.depth + 1)


def _to_merge(value: Written) -> dict[str, Written]:
    """What `<<` brings: the entries of a mapping, or of several, the first of which count."""
    several = value.value if isinstance(value.value, list) else [value]
    entries: dict[str, Written] = {}
    for one in several:
        if not isinstance(one.value, dict):
            raise _Refused(value.line, "<< takes a mapping, or a list of them")
        for key, entry in one.value.items():
            entries.setdefault(key, entry)
    return entries


def _character(event: ScalarEvent) -> ScalarEvent:
    """The event of a scalar, if every escape in it is a character."""
    if _SURROGATE.search(event.value):
        raise _Refused(_line(event), "half of a surrogate pair is no character")
    return event


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1
