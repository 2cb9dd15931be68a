"""What every part of a spec has in common: it is frozen, and a key that the grammar does not have is refused."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A mapping of a spec."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
