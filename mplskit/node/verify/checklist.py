"""The conditions of an MPLS-ready node, as bootstrap/checklist.yaml has them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from mplskit.paths import data

_READING = threading.Lock()


@dataclass(frozen=True)
class Condition:
    """`title` is what is so on a good node; `symptom` what users see when it is not.

    `needs` are the symbols of a kernel's configuration without which the cure cannot be followed.
    """

    id: str
    title: str
    symptom: str
    cause: str
    cure: str
    needs: tuple[str, ...] = ()


def load_checklist(path: Path | None = None) -> Mapping[str, Condition]:
    """All conditions by id, in the order in which they build on each other; a file is read once."""
    with _READING:  # it takes long, and every thread wants it at the same time
        return _read(path or data("bootstrap") / "checklist.yaml")


@cache
def _read(path: Path) -> Mapping[str, Condition]:
    rows = YAML(typ="safe").load(path)
    return {row["id"]: Condition(**{**row, "needs": tuple(row.get("needs", ()))}) for row in rows}
