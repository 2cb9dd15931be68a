"""Long lists of plain rows, read without the parser, which takes a quarter of a millisecond for each.

    - {swap: 100, as: [200], via: 10.0.0.1}

What is read here is put aside, and a mark stands for it in the text that the parser gets. Plain are words, numbers and
quoted text on one line, in flow lists and mappings, and as keys and lists over several lines. Everything else, a fault
above all, is the parser's to read: to read a row here, or not, makes no other difference than the time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mplskit.yaml.value import Written, mapping, scalar, sequence

MARK = "rows-put-aside-"
# What breaks lines, or does not, by the release of YAML.
_DOUBTFUL = re.compile("[\t\r\x85\u2028\u2029]|^%", re.MULTILINE)
_TOKEN = re.compile(
    r"""\ *(?: (
        [][{},]
        | (?<=\ )\#[ -~]*$
        | (?: [A-Za-z_][A-Za-z0-9_]{0,99}:                               # a key
            | "[ !#-\[\]-~]*+" | '[ -&(-~]*+'
            | [A-Za-z0-9_./][A-Za-z0-9_./-]*+(?: :++[A-Za-z0-9_./-]++ )*+  # a word, an address
          ) (?= [],}\ ]|$ )
    ) | .+ )""",
    re.VERBOSE,
)
_DEEPEST = 6
Tokens = Iterator[str]  # "" for what is not plain, to the end of the line


class _NotPlain(Exception):
    """The parser is to read it."""


@dataclass(frozen=True)
class Aside:
    """`text` has a mapping with the one key MARK and its index in the place of each of `rows`."""

    text: str
    rows: tuple[list[Written], ...]


def put_aside(text: str) -> Aside:
    """Read the lists of plain rows in a YAML text."""
    if MARK in text or _DOUBTFUL.search(text):
        return Aside(text, ())
    lines = text.split("\n")
    found: list[list[Written]] = []
    at = 0
    while at < len(lines):
        indent = _indent(lines[at])
        if not lines[at].startswith("- ", indent):
            at += 1
            continue
        rows, end = _rows(lines, at, indent)
        if rows:
            _blank(lines, at, end)
            lines[at] = f"{' ' * indent}- {{{MARK}{len(found)}: 0}}"
            found.append(rows)
        at = max(end, at + 1)
    return Aside("\n".join(lines), tuple(found))


def _rows(lines: list[str], at: int, indent: int) -> tuple[list[Written], int]:
    """The plain rows from line `at` on, and the line behind the last of them."""
    rows: list[Written] = []
    end = following = at
    while following < len(lines) and lines[following].startswith("- ", indent) and _indent(lines[following]) == indent:
        try:
            row, end_of_row = _item(lines, following, indent, _DEEPEST)
        except _NotPlain:
            break
        rows.append(row)
        end, following = end_of_row, _next(lines, end_of_row)
    return rows, end


def _blank(lines: list[str], first: int, end: int) -> None:
    """Empty the lines that were read; remarks may hold what the parser has to see."""
    for at in range(first, end):
        if not lines[at].lstrip(" ").startswith("#"):
            lines[at] = ""


def _item(lines: list[str], at: int, indent: int, levels: int) -> tuple[Written, int]:
    """An item of a list whose dashes stand at `indent`, and the line behind it. Raises _NotPlain."""
    tokens = _tokens(lines[at], indent + 2)
    token = next(tokens, "")
    if token.endswith(":") and lines[at][indent + 2] != " ":
        row, end = _mapping(lines, at, indent + 2, levels)
    else:
        row, end = _value(token, tokens, at + 1, levels), at + 1
        _ended(tokens)
    if _indent_at(lines, _next(lines, end)) > indent:
        raise _NotPlain
    return row, end


def _mapping(lines: list[str], at: int, indent: int, levels: int) -> tuple[Written, int]:
    """A mapping whose keys stand at `indent`, the first of them in line `at`."""
    entries: dict[str, Written] = {}
    first = at
    while True:
        tokens = _tokens(lines[at], indent)
        key, token = next(tokens, ""), next(tokens, "#")
        if not key.endswith(":") or key[:-1] in entries or levels == 0:
            raise _NotPlain
        if token.startswith("#"):
            value, end = _list(lines, at, indent, levels - 1)
        else:
            value, end = _value(token, tokens, at + 1, levels - 1), at + 1
            _ended(tokens)
        entries[key[:-1]] = value
        at = _next(lines, end)
        if (found := _indent_at(lines, at)) < indent:
            return mapping(entries, first + 1), end
        if found > indent:
            raise _NotPlain


def _list(lines: list[str], key: int, indent: int, levels: int) -> tuple[Written, int]:
    """The list below a key that stands at `indent` in line `key`."""
    at = end = _next(lines, key + 1)
    dashes = _indent_at(lines, at)
    items: list[Written] = []
    while _indent_at(lines, at) == dashes >= indent and lines[at].startswith("- ", dashes) and levels > 0:
        item, end = _item(lines, at, dashes, levels - 1)
        items.append(item)
        at = _next(lines, end)
    if not items:
        raise _NotPlain
    return sequence(items, key + 1), end


def _value(token: str, tokens: Tokens, line: int, levels: int) -> Written:
    """The value that begins with `token`."""
    first = token[:1]
    if levels == 0 or not first or token.endswith(":"):
        raise _NotPlain
    if first == "[":
        return _flow_sequence(tokens, line, levels - 1)
    if first == "{":
        return _flow_mapping(tokens, line, levels - 1)
    if first in "\"'":
        return Written(token[1:-1], line)
    if first in "]},#":
        raise _NotPlain
    return Written(scalar(token), line)


def _flow_sequence(tokens: Tokens, line: int, levels: int) -> Written:
    items: list[Written] = []
    for token in tokens:
        if token == "]" and not items:
            break
        items.append(_value(token, tokens, line, levels))
        if _closed(tokens, "]"):
            break
    else:
        raise _NotPlain
    return sequence(items, line)


def _flow_mapping(tokens: Tokens, line: int, levels: int) -> Written:
    entries: dict[str, Written] = {}
    for token in tokens:
        if token == "}" and not entries:
            break
        if not token.endswith(":") or token[:-1] in entries:
            raise _NotPlain
        entries[token[:-1]] = _value(next(tokens, ""), tokens, line, levels)
        if _closed(tokens, "}"):
            break
    else:
        raise _NotPlain
    return mapping(entries, line)


def _closed(tokens: Tokens, end: str) -> bool:
    token = next(tokens, "")
    if token not in (",", end):
        raise _NotPlain
    return token == end


def _ended(tokens: Tokens) -> None:
    """Nothing but a remark may follow."""
    if next(tokens, "#")[:1] != "#":
        raise _NotPlain


def _tokens(line: str, start: int) -> Tokens:
    return iter(_TOKEN.findall(line.rstrip(" "), start))


def _next(lines: list[str], at: int) -> int:
    """The first line from `at` on that says something."""
    while at < len(lines) and lines[at].lstrip(" ")[:1] in ("", "#"):
        at += 1
    return at


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _indent_at(lines: list[str], at: int) -> int:
    return _indent(lines[at]) if at < len(lines) else -1
