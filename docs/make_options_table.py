#!/usr/bin/env python3
"""Writes the table in docs/options.md: every option set on every base of several kernels, and why what is lost is lost.

    .venv/bin/python docs/make_options_table.py [--source SPEC]… [--base NAME]… [--to FILE]

Each cell is a configuration of its own, made as `kernel.config` makes it: some ten seconds.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mplskit.config.config_request import known_names, make_request
from mplskit.config.configure import configure
from mplskit.config.flags import ConfigFlags
from mplskit.config.fragment import read_fragment
from mplskit.config.verdict import Verdict, of_release
from mplskit.errors import Failure
from mplskit.files import write_atomically
from mplskit.paths import Workspace, data
from mplskit.progress import note
from mplskit.sources.kernel_source import fetch_kernel
from mplskit.sources.source_spec import parse_spec
from mplskit.sources.source_tree import SourceTree

SOURCES = ("debian:bullseye/5.10", "debian:bookworm/6.1", "debian:trixie/6.12", "debian:unstable")
BASES = ("guest", "defconfig", "debian")
BEGIN, END = "<!-- begin: docs/make_options_table.py -->", "<!-- end -->"


@dataclass(frozen=True)
class Cell:
    """How many settings of a set a kernel was asked for, how many are for other releases, and what it did not grant."""

    asked: int
    elsewhere: int
    lost: tuple[str, ...]


def table(columns: Sequence[str], rows: Sequence[tuple[str, str, Sequence[Cell]]]) -> str:
    """The table in Markdown, and a numbered note below it for each setting that was lost."""
    notes: dict[str, int] = {}
    lines = [
        f"| kernel | base | {' | '.join(columns)} |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for kernel, base, cells in rows:
        shown = [_shown(cell, [notes.setdefault(lost, len(notes) + 1) for lost in cell.lost]) for cell in cells]
        lines.append(f"| {kernel} | `{base}` | {' | '.join(shown)} |")
    if notes:
        lines += ["", *(f"{number}. {lost}" for lost, number in notes.items())]
    return "\n".join(lines)


def replaced(page: str, made: str) -> str:
    """The page with `made` between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def lost_of(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """A sentence for each setting that was not granted."""
    return tuple(
        f"`{v.setting.symbol}={v.setting.value}`, got {v.got}: {v.state}{f': {v.why}' if v.why else ''}"
        for v in verdicts
        if not v.granted
    )


def _shown(cell: Cell, notes: Sequence[int]) -> str:
    if not cell.asked:
        return ""
    granted = f"{cell.asked - len(cell.lost)} of {cell.asked}" if cell.lost else f"all {cell.asked}"
    marks = "".join(f" <sup>{number}</sup>" for number in notes)
    return f"{granted}{f' (+{cell.elsewhere})' if cell.elsewhere else ''}{marks}"


def _cells(source: SourceTree, base: str, workspace: Workspace) -> list[Cell]:
    """What became of the base's own settings, and of each option set alone (`mpls`, which is always in, by itself)."""
    cells = []
    for name in known_names("options"):
        configured = configure(source, make_request(ConfigFlags(base, options=(name,))), workspace)
        cells.append(_cell(source, "options", name, configured.verdicts))
    return [_cell(source, "bases", base, configured.base), *cells]


def _cell(source: SourceTree, kind: str, name: str, verdicts: Sequence[Verdict]) -> Cell:
    file = data("kconfig") / kind / f"{name}.config"
    settings = read_fragment(file) if file.exists() else []
    asked = of_release(settings, source.version)
    others = {setting.symbol for setting in settings} - {setting.symbol for setting in asked}
    return Cell(len(asked), len(others), lost_of(verdicts))


def main() -> None:
    """Fill the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", action="append", default=[])
    parser.add_argument("--base", action="append", default=[])
    parser.add_argument("--to", type=Path, default=Path(__file__).with_name("options.md"))
    given = parser.parse_args()
    workspace = Workspace.of_release()
    rows = []
    for spec in given.source or SOURCES:
        source = fetch_kernel(parse_spec(spec), workspace.cache)
        for base in given.base or BASES:
            cells = _cells(source, base, workspace)
            rows.append((source.version, Path(base).name, cells))
            note(f"{source.version} {base}: {sum(len(cell.lost) for cell in cells)} lost")
    write_atomically(given.to, replaced(given.to.read_text(), table(["of the base", *known_names("options")], rows)))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"make_options_table: {failure}")
