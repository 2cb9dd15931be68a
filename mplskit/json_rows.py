"""JSON for people with an editor: a line for each row, however much there is in it."""

import json
from collections.abc import Callable, Iterator, Mapping

# A list of plain values stays on its line up to this many characters.
WIDTH = 100


def in_rows(value: object, default: Callable[[object], object] = str) -> Iterator[str]:
    """A JSON value in pieces: mappings are opened, and lists whose entries are no plain values; an entry is one line.

    `default` says what stands for a value that JSON does not know.
    """
    return _opened(value, "", default)


def _opened(value: object, pad: str, default: Callable[[object], object]) -> Iterator[str]:
    inner = pad + "  "
    if isinstance(value, Mapping) and value:
        opening = "{\n"
        for key, entry in value.items():
            yield f"{opening}{inner}{json.dumps(str(key))}: "
            yield from _opened(entry, inner, default)
            opening = ",\n"
        yield f"\n{pad}}}"
    elif isinstance(value, list | tuple) and not _fits(value):
        opening = "[\n"
        for entry in value:
            yield f"{opening}{inner}{json.dumps(entry, default=default)}"
            opening = ",\n"
        yield f"\n{pad}]"
    else:
        yield json.dumps(value, default=default)


def _fits(values: "list[object] | tuple[object, ...]") -> bool:
    plain = all(isinstance(value, str | int | float) or value is None for value in values)
    return plain and len(values) <= WIDTH and len(json.dumps(values)) <= WIDTH
