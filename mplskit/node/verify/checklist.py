"""The conditions of an MPLS-ready node, as bootstrap/checklist.yaml has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from mplskit.paths import data


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


@cache
def load_checklist(path: Path | None = None) -> Mapping[str, Condition]:
    """All conditions by id, in the order in which they build on each other."""
    rows = YAML(typ="safe").load(path or data("bootstrap") / "checklist.yaml")
    return {row["id"]: Condition(**{**row, "needs": tuple(row.get("needs", ()))}) for row in rows}
