"""The report of a lab, as values: each step with its verdict, and the evidence for that."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from mplskit.lab.evidence import Check, Command, Counter
from mplskit.lab.grammar.topology import Topology
from mplskit.node.verify.mpls_counters import meaning
from mplskit.wording import duration


@dataclass(frozen=True)
class Cause:
    """A condition of the checklist that a node does not meet: why a step failed, most probably."""

    node: str
    id: str
    title: str
    seen: str
    cause: str
    cure: str


@dataclass(frozen=True)
class StepReport:
    """One step. `verdict` is passed, failed, stopped (it could not be done), skipped (one before it was stopped) or
    left out (this machine has nothing to try, for the `reason`). `captures` are file names in the folder of the report.
    """

    step: str
    verdict: str
    checks: tuple[Check, ...] = ()
    commands: tuple[Command, ...] = ()
    captures: tuple[str, ...] = ()
    seconds: float = 0.0
    counters: tuple[Counter, ...] = ()
    causes: tuple[Cause, ...] = ()
    reason: str = ""

    @property
    def wrong(self) -> bool:
        """Whether the lab has failed by this step."""
        return self.verdict in ("failed", "stopped")

    @property
    def signs(self) -> tuple[str, ...]:
        """Where a step failed and every condition holds: the counters that rose in it, each with what that means."""
        if not self.wrong or self.causes:
            return ()
        rose = [(each, meaning(each.dev, each.name)) for each in self.counters if each.after > each.before]
        return tuple(
            f"{each.node}: {each.name} of {each.dev} rose by {each.after - each.before}: {told}"
            for each, told in rose
            if told
        )


@dataclass(frozen=True)
class LabReport:
    """A whole run. `kernel` and `ip` are the releases that it ran on; `folder` holds the report and the captures."""

    lab: str
    proves: str
    stage: str
    kernel: str
    ip: str
    passed: bool
    steps: tuple[StepReport, ...]
    seconds: float
    folder: Path
    topology: Topology

    def as_json(self) -> dict[str, object]:
        """The report as plain values; the topology, which is a file of its own, is left out."""
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "topology"}
        return {
            **plain,
            "steps": [{**asdict(step), "signs": step.signs} for step in self.steps],
            "folder": str(self.folder),
        }

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The report as a table: verdict, step or check, what was expected, what was seen."""
        rows = []
        for step in self.steps:
            took = "" if step.verdict == "skipped" else duration(step.seconds)
            rows.append((step.verdict, step.step, "", step.reason or took))
            for check in step.checks:
                verdict = "  ok" if check.passed else "  not so"
                rows.append((verdict, f"  {check.about}", check.expected, check.seen))
            for cause in step.causes:
                rows.append(
                    ("  cause", f"  {cause.id} on {cause.node}", f"{cause.title}; cure: {cause.cure}", cause.seen)
                )
            rows += [("  sign", "  a counter", "every condition holds", sign) for sign in step.signs]
        return rows
