"""What people and programs read: results on stdout, as one JSON document, as lines, coloured ones too, as a table."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence


def show(value: object, as_json: bool, text: Callable[[], None]) -> None:
    """Put a result on stdout: one JSON document, or what `text` prints."""
    if as_json:
        _put_json(value)
        print(flush=True)
    else:
        text()


def show_rows(
    head: Mapping[str, object], name: str, rows: Iterable[object], as_json: bool, text: Callable[[], None]
) -> None:
    """The same for a mapping that ends with a list of many rows under `name`: they are taken and printed one by one."""
    if not as_json:
        text()
        return
    print(json.dumps({**head, name: []}, indent=2, default=str).removesuffix("]\n}"), end="")
    ending = "]"
    for row in rows:
        print("\n    " if ending == "]" else ",\n    ", end="")
        _put_json(row, "    ")
        ending = "\n  ]"
    print(ending + "\n}", flush=True)


def _put_json(value: object, pad: str = "") -> None:
    # In pieces: newlines are those of the indentation alone.
    for piece in json.JSONEncoder(indent=2, default=str).iterencode(value):
        sys.stdout.write(piece.replace("\n", "\n" + pad))


def show_fields(value: Mapping[str, object], as_json: bool) -> None:
    """Put a mapping on stdout: one JSON document, or a line for each key."""
    show(value, as_json, lambda: print("\n".join(f"{name}: {field}" for name, field in value.items()), flush=True))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout, as wide as the terminal, or as its content where there is none."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    grid = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        grid.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False).print(grid)


def coloured(lines: Iterable[tuple[str, str]]) -> None:
    """Lines on stdout, each after its style: that is shown on a terminal, unless NO_COLOR is set."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False)
    for style, line in lines:
        if console.is_terminal:
            console.print(Text(line, style=style), soft_wrap=True)
        else:
            print(line)
