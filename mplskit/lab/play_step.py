"""One step of a lab: nodes get what it adds, captures begin, something is tried, and what was seen is judged."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mplskit.lab.evidence import Check, Counter
from mplskit.lab.grammar.steps import Step
from mplskit.lab.grammar.topology import nodes_at
from mplskit.lab.probes import PROBES
from mplskit.lab.probes.probe import Look
from mplskit.lab.stage.stage import Stage
from mplskit.patience import attempts

PAUSE = 0.5


class LeftOut(Exception):
    """There is nothing to try here, for the reason in it."""


@dataclass
class Play:
    """What is known while the steps of a lab are gone through: `rates` has the throughput of each that measured one,
    and None for each that was left out.
    """

    stage: Stage
    folder: Path
    rates: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class StepSeen:
    """What a step showed."""

    checks: tuple[Check, ...]
    captures: tuple[str, ...] = ()
    counters: tuple[Counter, ...] = ()


def set_up(play: Play, number: int) -> None:
    """Give the nodes what step `number` (from 1) adds. Raises Undone."""
    step = play.stage.topology.steps[number - 1]
    nodes = nodes_at(play.stage.topology, number)
    changed = {node: nodes[node] for node in step.add}
    if changed:
        play.stage.apply(changed)


def run_step(play: Play, number: int, prefix: str = "step") -> StepSeen:
    """Try step `number` (from 1) until all is as expected, or its time is over; what was seen the last time.

    Captures are kept as PREFIX-NUMBER.NODE.DEV.pcap. Raises Undone when something could not be done at all, LeftOut
    when there is nothing to try here.
    """
    step = play.stage.topology.steps[number - 1]
    try:
        with _without(play.stage, step):
            for _ in attempts(max(step.within or 0, play.stage.patience), PAUSE):
                shown = _try(play, step, f"{prefix}-{number}")
                if all(check.passed for check in shown.checks):
                    break
            return shown
    except LeftOut:
        play.rates[step.step] = None
        raise


def _try(play: Play, step: Step, name: str) -> StepSeen:
    look = Look(play.stage, tuple(play.stage.topology.nodes), play.folder, name, play.rates)
    under_way = [probe.checks(look, step, step.expect) for probe in reversed(PROBES)]
    checks = [check for probe in reversed(under_way) for check in probe]
    return StepSeen(tuple(checks), tuple(sorted(look.files)), tuple(look.counters))


@contextmanager
def _without(stage: Stage, step: Step) -> Iterator[None]:
    """Without a module, on every machine, as long as the block runs. Raises LeftOut where it is built in."""
    module = step.without_module
    if module is None:
        yield
        return
    nodes = stage.machines()
    try:
        for node in nodes:
            if stage.ground(node).run(["modprobe", "-r", module]).returncode != 0:
                raise LeftOut(f"{module} cannot be taken out of this kernel: it is built in, in use, or not there")
        yield
    finally:
        for node in nodes:
            stage.ground(node).run(["modprobe", module])
