"""Symbols that are called otherwise in other releases, as kconfig/renames.yaml has them."""

from collections.abc import Set
from functools import cache

import kconfiglib
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mplskit.config.explain.load_kconfig import KernelKconfig
from mplskit.config.releases import parse_release
from mplskit.paths import data
from mplskit.yaml.spec_file import read_spec


class Rename(BaseModel):
    """A symbol `old` that has been called `new` since a release; `place` is the Kconfig file with the new name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    old: str
    new: str
    since: str
    place: str = Field(alias="in")

    @field_validator("since")
    @classmethod
    def _is_release(cls, text: str) -> str:
        if parse_release(text) is None:
            raise ValueError("should be a release of Linux such as 6.9")
        return text


class Renames(BaseModel):
    """All of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renames: tuple[Rename, ...]


@cache
def known_renames() -> tuple[Rename, ...]:
    """What kconfig/renames.yaml holds."""
    return read_spec(data("kconfig") / "renames.yaml", Renames).renames


def renamed(name: str, names: Set[str]) -> tuple[str, str]:
    """How an unknown symbol is called here, in words and by name; both are empty where it is not known to be renamed.

    `names` are the symbols of this kernel.
    """
    for rename in known_renames():
        if name == rename.old and rename.new in names:
            return f"since Linux {rename.since} it is called {rename.new} ({rename.place})", rename.new
        if name == rename.new and rename.old in names:
            return f"it is called {rename.old} here; {name} came with Linux {rename.since}", rename.old
    return "", ""


def successors(kconfig: KernelKconfig, name: str) -> list[str]:
    """The symbols of a loaded Kconfig that take the value of a transitional one."""
    if name not in kconfig.transitional:
        return []
    old = kconfig.syms[name]
    return [
        symbol.name
        for symbol in kconfig.unique_defined_syms
        if any(old in kconfiglib.expr_items(value) for value, _ in symbol.defaults)
    ]
