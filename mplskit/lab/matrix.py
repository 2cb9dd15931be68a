"""Labs × kernels: which lab passes on which kernel."""

from collections.abc import Sequence
from dataclasses import dataclass

from mplskit.lab.lab_report import LabReport


@dataclass(frozen=True)
class Cell:
    """A lab on a kernel, which is called as the user did. `verdict` is passed, failed or not run; `told` the step that
    failed, what was left out, or why it was not run.
    """

    lab: str
    kernel: str
    verdict: str
    seconds: float
    told: str = ""


@dataclass(frozen=True)
class Matrix:
    """`kernels` are the releases, each with what the user called it."""

    kernels: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]

    @property
    def passed(self) -> bool:
        """Whether every lab passed on every kernel."""
        return all(cell.verdict == "passed" for cell in self.cells)

    def rows(self) -> list[tuple[str, ...]]:
        """A row for each lab: its name, and its verdict on each kernel."""
        labs = list(dict.fromkeys(cell.lab for cell in self.cells))
        found = {(cell.lab, cell.kernel): cell for cell in self.cells}
        return [(lab, *(_shown(found[lab, name]) for _, name in self.kernels)) for lab in labs]

    def markdown(self) -> str:
        """The table as Markdown."""
        rows = [("lab", *(f"{release} ({name})" for release, name in self.kernels)), *self.rows()]
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:], ""])

    def as_json(self) -> dict[str, object]:
        """The matrix as plain values."""
        return {
            "passed": self.passed,
            "kernels": [{"release": release, "name": name} for release, name in self.kernels],
            "labs": [vars(cell) for cell in self.cells],
        }


def column(name: str, labs: Sequence[str], reports: Sequence[LabReport], failure: str = "") -> list[Cell]:
    """What ran of the labs on the kernel that the user called `name`; the others were not run, for the `failure`."""
    ran = {report.lab: _cell(name, report) for report in reports}
    return [ran.get(lab) or Cell(lab, name, "not run", 0.0, failure) for lab in labs]


def _cell(name: str, report: LabReport) -> Cell:
    wrong = [step.step for step in report.steps if step.wrong]
    left = [f"left out: {step.step}" for step in report.steps if step.verdict == "left out"]
    verdict = "passed" if report.passed else "failed"
    return Cell(report.lab, name, verdict, round(report.seconds, 1), "; ".join(wrong or left))


def _shown(cell: Cell) -> str:
    return f"{cell.verdict}: {cell.told}" if cell.told else cell.verdict
