"""Runs a lab: builds its stage, goes through its steps, and leaves the evidence in a folder."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mplskit import progress
from mplskit.errors import Failure
from mplskit.files import locked, write_atomically
from mplskit.lab.diagnosis import diagnose
from mplskit.lab.evidence import Check, Undone
from mplskit.lab.faults import Sabotage
from mplskit.lab.grammar.topology import nodes_at
from mplskit.lab.html.page import write_page
from mplskit.lab.junit import junit
from mplskit.lab.lab_report import Cause, LabReport, StepReport
from mplskit.lab.play_step import LeftOut, Play, StepSeen, run_step, set_up
from mplskit.lab.stage.stage import Stage

SETUP, CLEARING, REBOOT = "The nodes are set up", "Everything is taken away again", "Every node is rebooted"
AGAIN = "after the reboot"


@dataclass(frozen=True)
class RunOptions:
    """How a lab is run: with which faults, and whether every node is rebooted at the end and tried again."""

    faults: Sequence[Sabotage] = ()
    reboot: bool = False


class _Failed(Exception):
    """A step did not show what it should."""


def run_lab(stage: Stage, folder: Path, wanted: RunOptions = RunOptions()) -> LabReport:
    """Run a lab on its stage; report.json, report.html, junit.xml and the captures go to `folder`.

    A step that shows something else than expected does not end the lab; one that cannot be done does. What the lab
    made is gone afterwards. Raises MachineLacks when another process runs a lab into `folder`; what else fails (a lost
    machine: OutsideFailed) is raised when the report is written.
    """
    with locked(folder / ".lock", wait=False):
        return _Run(stage, folder, wanted).report()


@dataclass
class _Run:
    stage: Stage
    folder: Path
    wanted: RunOptions
    steps: list[StepReport] = field(default_factory=list)
    failure: Failure | None = None

    def report(self) -> LabReport:
        begin = time.monotonic()
        for old in (*self.folder.glob("*.pcap"), *self.folder.glob("report.*"), self.folder / "junit.xml"):
            old.unlink(missing_ok=True)
        topology = self.stage.topology
        kernel, ip = self._versions()
        try:
            self._play()
        except BaseException:
            with suppress(Undone, Failure):
                self.stage.remove()
            raise
        self._step(CLEARING, self._cleared, always=True)
        passed = not any(step.wrong for step in self.steps)
        seconds = round(time.monotonic() - begin, 3)
        report = LabReport(
            lab=topology.name,
            proves=topology.proves,
            stage=self.stage.name,
            kernel=kernel,
            ip=ip,
            passed=passed,
            steps=tuple(self.steps),
            seconds=seconds,
            folder=self.folder,
            topology=topology,
        )
        _write(report)
        if self.failure:
            raise self.failure
        return report

    def _versions(self) -> tuple[str, str]:
        ground = self.stage.ground(next(iter(self.stage.topology.nodes)))
        kernel, ip = (ground.run(words).output.strip() for words in (["uname", "-r"], ["ip", "-V"]))
        return kernel, ip

    def _play(self) -> None:
        topology = self.stage.topology
        play = Play(self.stage, self.folder)
        self._step(SETUP, self._built)
        for number, step in enumerate(topology.steps, 1):
            self._step(step.step, lambda number=number: self._tried(play, number, "step"), number)  # type: ignore[misc]
        if not self.wanted.reboot:
            return
        self._step(REBOOT, self._rebooted)
        last = max((number for number, step in enumerate(topology.steps, 1) if step.add), default=1)
        for number, step in enumerate(topology.steps[last - 1 :], last):
            title = f"{step.step} ({AGAIN})"
            self._step(title, lambda number=number: run_step(play, number, "rebooted"), number)  # type: ignore[misc]

    def _built(self) -> StepSeen:
        self.stage.remove()
        self.stage.build()
        self.stage.apply(nodes_at(self.stage.topology, 0))
        return StepSeen(())

    def _tried(self, play: Play, number: int, prefix: str) -> StepSeen:
        set_up(play, number)
        for fault in self.wanted.faults:
            fault.do(self.stage)
        return run_step(play, number, prefix)

    def _rebooted(self) -> StepSeen:
        self.stage.reboot()
        return StepSeen(())

    def _cleared(self) -> StepSeen:
        self.stage.remove()
        return StepSeen(())

    def _step(self, title: str, work: Callable[[], StepSeen], number: int = 0, always: bool = False) -> None:
        """Do the work of a step and show how it goes; what fails is told below its title."""
        if not always and any(step.verdict == "stopped" for step in self.steps):
            self.steps.append(StepReport(title, "skipped"))
            return
        begin = time.monotonic()
        shown, verdict, reason = StepSeen(()), "passed", ""
        try:
            with progress.step(title):
                try:
                    shown = work()
                except Undone as error:
                    verdict = "stopped"
                    shown = StepSeen((Check(error.doing, "to be done", error.output or "it said nothing", False),))
                except LeftOut as left:
                    verdict, reason = "left out", str(left)
                except Failure as failure:
                    verdict = "stopped"
                    shown = StepSeen((Check(failure.message, "to be done", failure.detail or "it failed", False),))
                    self.failure = self.failure or failure
                if not all(check.passed for check in shown.checks):
                    raise _Failed
        except _Failed:
            verdict = "failed" if verdict == "passed" else verdict
        seconds = round(time.monotonic() - begin, 3)
        commands = self.stage.told()
        causes: tuple[Cause, ...] = ()
        if number and verdict in ("failed", "stopped") and not self.failure:
            try:
                causes = diagnose(self.stage, number)
            except Failure as failure:
                self.failure = failure
        step = StepReport(
            title, verdict, shown.checks, commands, shown.captures, seconds, shown.counters, causes, reason
        )
        self.steps.append(step)
        _tell(step)


def _tell(step: StepReport) -> None:
    if step.reason:
        progress.note(f"  left out: {step.reason}")
    for check in step.checks:
        if not check.passed:
            progress.note(f"  {check.about}: expected {check.expected}; seen: {check.seen}")
    for cause in step.causes:
        progress.note(f"  {cause.node}: not so: {cause.title} ({cause.id}): {cause.seen}")
        progress.note(f"    cause: {cause.cause}")
        progress.note(f"    cure: {cause.cure}")
    for sign in step.signs:
        progress.note(f"  every condition holds; {sign}")


def _write(report: LabReport) -> None:
    write_atomically(report.folder / "report.json", json.dumps(report.as_json(), indent=2, default=str) + "\n")
    write_atomically(report.folder / "report.html", write_page(report))
    write_atomically(report.folder / "junit.xml", junit([report]))
