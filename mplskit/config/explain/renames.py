"""Symbols that are called otherwise in other releases, as kconfig/renames.yaml has them."""

from collections.abc import Set
from functools import cache

from pydantic import BaseModel, ConfigDict, field_validator

from mplskit.config.releases import Release, parse_release, shown
from mplskit.paths import data
from mplskit.specfile import read_spec


class Rename(BaseModel):
    """A symbol `old` that has been called `new` since a release; several `new` where it was split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    old: str
    new: tuple[str, ...]
    since: str
    why: str = ""

    @field_validator("since")
    @classmethod
    def _is_release(cls, text: str) -> str:
        if parse_release(text) is None:
            raise ValueError("should be a release of Linux such as 6.9")
        return text


class Renames(BaseModel):
    """All of them, the latest release last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renames: tuple[Rename, ...]


@cache
def known_renames() -> tuple[Rename, ...]:
    """What kconfig/renames.yaml holds."""
    return read_spec(data("kconfig") / "renames.yaml", Renames).renames


def renamed(name: str, release: Release, names: Set[str]) -> tuple[str, list[str]]:
    """How an unknown symbol is called here, in words and by name; both are empty where it is not known to be renamed.

    `names` are the symbols of this kernel.
    """
    for rename in known_renames():
        since = parse_release(rename.since)
        assert since is not None
        why = f" ({rename.why})" if rename.why else ""
        if name == rename.old and set(rename.new) & names:
            here = [new for new in rename.new if new in names]
            return f"Linux {rename.since} renamed it to {' or '.join(here)}{why}", here
        if name in rename.new and rename.old in names:
            return f"Linux {shown(release)} has it as {rename.old}; it was renamed in {rename.since}{why}", [rename.old]
    return "", []
