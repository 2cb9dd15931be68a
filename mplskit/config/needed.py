"""What a node needs of a kernel beside MPLS, as kconfig/needed.yaml has it."""

from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from mplskit.paths import data
from mplskit.yaml.spec_file import read_spec


class Need(BaseModel):
    """Symbols, and what they are needed for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field(alias="for")
    symbols: tuple[str, ...]


class Needs(BaseModel):
    """All of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    needed: tuple[Need, ...]


@cache
def needed_for() -> dict[str, str]:
    """What each symbol of kconfig/needed.yaml is needed for."""
    needs = read_spec(data("kconfig") / "needed.yaml", Needs).needed
    return {symbol: need.reason for need in needs for symbol in need.symbols}
