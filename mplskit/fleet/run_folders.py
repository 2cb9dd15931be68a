"""A folder for the items of each run of a task: runs at the same time do not touch each other's.

A run holds its folder locked as long as it lives; what no row names any more goes when no run holds it.
"""

import shutil
from collections.abc import Container
from contextlib import ExitStack
from pathlib import Path

from mplskit import files
from mplskit.errors import MachineLacks


def own(place: Path, held: ExitStack) -> Path:
    """A new folder in `place`, numbered, which `held` keeps locked. One process at a time is here."""
    taken = [int(path.name) for path in _entries(place) if path.name.isdecimal()]
    folder = place / str(max(taken, default=0) + 1)
    folder.mkdir(parents=True)
    held.enter_context(files.locked(folder))
    return folder


def clear(place: Path, named: Container[Path]) -> None:
    """Remove the files in `place` that are not among `named`, but for those of runs that live.

    One process at a time is here, and `named` is all that rows name now.
    """
    for path in _entries(place):
        if not path.is_dir():
            _remove(path, named)
        elif not _is_held(path):
            for file in path.iterdir():
                _remove(file, named)
            if not any(path.iterdir()):
                shutil.rmtree(path)


def _entries(place: Path) -> list[Path]:
    return list(place.iterdir()) if place.is_dir() else []


def _remove(file: Path, named: Container[Path]) -> None:
    if file not in named:
        file.unlink()


def _is_held(folder: Path) -> bool:
    try:
        with files.locked(folder, wait=False):
            return False
    except MachineLacks:
        return True
