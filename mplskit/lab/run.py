"""Runs a lab: builds its stage, goes through its steps, and leaves the evidence in a folder."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from mplskit import progress
from mplskit.errors import Failure
from mplskit.files import locked, write_atomically
from mplskit.lab.ground import Ground, Undone
from mplskit.lab.report import Check, LabReport, StepReport
from mplskit.lab.settings import check_settings
from mplskit.lab.stage import Stage
from mplskit.lab.steps import run_step
from mplskit.lab.topology import Topology
from mplskit.remote.session import Shell

SETUP, CLEARING = "The nodes are set up", "Everything is taken away again"


class _Failed(Exception):
    """A step did not show what it should."""


def run_lab(topology: Topology, shell: Shell, folder: Path) -> LabReport:
    """Run a lab on the machine of `shell` (root, MPLS modules loaded); report.json and the captures go to `folder`.

    A step that shows something else than expected does not end the lab; one that cannot be done does. What the lab
    made on the machine is gone afterwards. Raises OutsideFailed when the machine is lost, MachineLacks when another
    process runs a lab into `folder`.
    """
    with locked(folder / ".lock", wait=False):
        return _run(topology, Ground(shell), folder)


def _run(topology: Topology, ground: Ground, folder: Path) -> LabReport:
    begin = time.monotonic()
    for old in (*folder.glob("*.pcap"), folder / "report.json"):
        old.unlink(missing_ok=True)
    kernel, ip = (ground.run(argv).output.strip() for argv in (["uname", "-r"], ["ip", "-V"]))
    steps = _play(topology, ground, folder)
    passed = all(step.verdict == "passed" for step in steps)
    seconds = round(time.monotonic() - begin, 3)
    report = LabReport(topology.name, topology.proves, kernel, ip, passed, steps, seconds, folder)
    write_atomically(folder / "report.json", json.dumps(report.as_json(), indent=2) + "\n")
    return report


def _play(topology: Topology, ground: Ground, folder: Path) -> tuple[StepReport, ...]:
    stage = Stage(ground, topology.name)
    try:
        reports = [_report(SETUP, ground, folder, lambda: _set_up(stage, topology))]
        for number, step in enumerate(topology.steps, 1):
            if any(report.verdict == "stopped" for report in reports):
                reports.append(StepReport(step.step, "skipped"))
            else:
                work = partial(run_step, topology, number, stage, folder)
                reports.append(_report(step.step, ground, folder, work))
    except BaseException:
        with suppress(Undone, Failure):
            stage.remove()
        raise
    return (*reports, _report(CLEARING, ground, folder, stage.remove))


def _set_up(stage: Stage, topology: Topology) -> list[Check]:
    stage.remove()
    stage.build(topology)
    for node, spec in topology.nodes.items():
        stage.apply(node, spec)
    return [check_settings(stage, node, spec) for node, spec in topology.nodes.items()]


def _report(title: str, ground: Ground, folder: Path, work: Callable[[], Sequence[Check] | None]) -> StepReport:
    """Do the work of a step and show how it goes; what fails is told below its title."""
    begin, there = time.monotonic(), set(folder.glob("*.pcap"))
    checks: Sequence[Check] = ()
    verdict = "passed"
    try:
        with progress.step(title):
            try:
                checks = work() or ()
            except Undone as error:
                checks, verdict = (
                    [Check(error.doing, "to be done", error.output or "it said nothing", False)],
                    "stopped",
                )
            if not all(check.passed for check in checks):
                raise _Failed
    except _Failed:
        verdict = "failed" if verdict == "passed" else verdict
        for check in checks:
            if not check.passed:
                progress.note(f"  {check.about}: expected {check.expected}; seen: {check.seen}")
    captures = sorted(path.name for path in set(folder.glob("*.pcap")) - there)
    seconds = round(time.monotonic() - begin, 3)
    return StepReport(title, verdict, tuple(checks), ground.told(), tuple(captures), seconds)
