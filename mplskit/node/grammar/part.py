"""What every part of a spec has in common: it is frozen, and a key that the grammar does not have is refused."""

from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from mplskit.yaml.spec_file import Fault, Unfit


class Part(BaseModel):
    """A mapping of a spec."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class RuledPart(Part):
    """A mapping with rules that no key can be judged by alone."""

    def faults(self) -> Iterator[Fault]:
        """What breaks them, each with its place in the mapping."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if faults := list(self.faults()):
            raise Unfit(*faults)
        return self
