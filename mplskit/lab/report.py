"""What a lab saw, as values: verdicts with what was expected and seen, commands with their outputs."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mplskit.progress import duration


@dataclass(frozen=True)
class Command:
    """A command that ran on the machine of the lab, quoted as it can be pasted there."""

    command: str
    status: int
    output: str
    seconds: float


@dataclass(frozen=True)
class Check:
    """One thing that had to be so: what it is about, what was expected, what was seen."""

    about: str
    expected: str
    seen: str
    passed: bool


@dataclass(frozen=True)
class StepReport:
    """One step; `verdict` is passed, failed or skipped. `captures` are file names in the folder of the report."""

    step: str
    verdict: str
    checks: tuple[Check, ...] = ()
    commands: tuple[Command, ...] = ()
    captures: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class LabReport:
    """A whole run. `kernel` and `ip` are the releases that it ran on; `folder` holds report.json and the captures."""

    lab: str
    proves: str
    kernel: str
    ip: str
    passed: bool
    steps: tuple[StepReport, ...]
    seconds: float
    folder: Path

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {**asdict(self), "folder": str(self.folder)}

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The report as a table: verdict, step or check, what was expected, what was seen."""
        rows = []
        for step in self.steps:
            rows.append((step.verdict, step.step, "", "" if step.verdict == "skipped" else duration(step.seconds)))
            for check in step.checks:
                verdict = "  ok" if check.passed else "  not so"
                rows.append((verdict, f"  {check.about}", check.expected, check.seen))
        return rows
