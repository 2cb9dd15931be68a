"""What the main job did: a row for each step."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """A step: what it made (or `reused`), what was proven, how long it took in seconds."""

    step: str
    made: str
    proven: str
    seconds: float


@dataclass(frozen=True)
class PipelineReport:
    """All rows, in order."""

    rows: tuple[Row, ...]

    @property
    def seconds(self) -> float:
        """The whole time."""
        return sum(row.seconds for row in self.rows)

    def as_json(self) -> dict[str, object]:
        """The report as one JSON document."""
        return {"steps": [asdict(row) for row in self.rows], "seconds": round(self.seconds, 1)}
