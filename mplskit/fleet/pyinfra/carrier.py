"""pyinfra carries the payload: a process of it for each batch of nodes, in the folder that formats/pyinfra writes."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mplskit import files, progress
from mplskit.fleet.formats.folder import name_of
from mplskit.fleet.formats.pyinfra import Carried, write
from mplskit.fleet.outcome import Outcome, not_begun
from mplskit.fleet.pool import INTERRUPTED, TICK, Engine, Fleet, Keep, Limits, Watch
from mplskit.fleet.pyinfra.batch import Batch, Heard, Judge
from mplskit.fleet.pyinfra.program import pyinfra, require, running, status_of
from mplskit.fleet.signals import Noted, noted
from mplskit.node.node import Node
from mplskit.paths import Workspace

# pyinfra is connected to all nodes of a run at once, and knows its limit of failures in whole percents alone.
MOST = 64


def engine(carried: Carried, judge: Judge) -> Engine:
    """pyinfra in the place of pool.run. Raises MachineLacks when it is not installed."""
    require()

    def run(nodes: Sequence[Node], limits: Limits, watch: Watch, keep: Keep) -> Fleet:
        with noted() as signals, _place() as folder:
            run = _Run(folder, carried, judge, limits, watch, keep, signals)
            why = run.all(nodes)
        left = keep([not_begun(node.name, why) for node in nodes if node.name not in run.outcomes])
        outcomes = run.outcomes | {outcome.node: outcome for outcome in left}
        return Fleet(tuple(outcomes[node.name] for node in nodes), signals.interruption)

    return run


@contextmanager
def _place() -> Iterator[Path]:
    """A folder of this process; what processes that were killed left goes."""
    folder = Workspace.here().build / "pyinfra"
    for left in folder.glob("[0-9]*"):
        if not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)
    with files.full_disk_told(folder), files.work_folder(folder / str(os.getpid())) as place:
        place.chmod(0o700)
        yield place


class _Run:
    """The batches of a task, one after the other."""

    def __init__(
        self, folder: Path, carried: Carried, judge: Judge, limits: Limits, watch: Watch, keep: Keep, signals: Noted
    ) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._folder, self._carried, self._judge = folder, carried, judge
        self._limits, self._watch, self._keep, self._signals = limits, watch, keep, signals

    def all(self, nodes: Sequence[Node]) -> str:
        """Do the nodes; returns why some were not begun."""
        size = min(self._limits.batch or MOST, MOST)
        for start in range(0, len(nodes), size):
            if why := self._stopped():
                return why
            self._batch(nodes[start : start + size], self._folder / str(start))
        return self._stopped()

    def _stopped(self) -> str:
        """Why no more nodes are begun."""
        if self._signals.interruption:
            return INTERRUPTED
        failed, most = self._failed(), self._limits.max_failures
        return f"{failed} failed, and --max-failures is {most}" if most is not None and failed > most else ""

    def _failed(self) -> int:
        return sum(not outcome.state.done for outcome in self.outcomes.values())

    def _batch(self, nodes: Sequence[Node], folder: Path) -> None:
        names = [name_of(node) for node in nodes]
        folder.mkdir()
        write(folder, nodes, names, self._carried)
        batch = Batch(folder, {name: Heard(node) for name, node in zip(names, nodes, strict=True)})
        for node in nodes:
            self._watch.begun(node.name)
        with self._step(nodes), running(self._command(len(nodes)), folder) as (started, more):
            while (lines := more(TICK)) is not None and not self._signals.interruption:
                for node, text in batch.take(lines):
                    self._watch.said(node.name, f"  {text}")
                if len(nodes) > 1:
                    self._keep_all(batch.ended(self._judge))
            status = "" if self._signals.interruption else status_of(started)
        self._keep_all(batch.ended(self._judge))
        self._keep_all(batch.cut(INTERRUPTED if self._signals.interruption else ""))
        if not self._stopped():
            self._keep_all(batch.left(status))
        shutil.rmtree(folder)

    @contextmanager
    def _step(self, nodes: Sequence[Node]) -> Iterator[None]:
        """One node alone is a step, and told after it."""
        if len(nodes) > 1:
            yield
            return
        what = "planning" if self._carried.mode == "plan" else "setting up"
        with self._watch.listening(nodes[0].name), progress.step(f"{what} {nodes[0].name} with pyinfra"):
            yield

    def _keep_all(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self._watch.ended(outcome)
            [self.outcomes[outcome.node]] = self._keep([outcome])

    def _command(self, count: int) -> Sequence[str | Path]:
        """The command line for this many nodes."""
        words = ["-y", "--parallel", str(self._limits.parallel)]
        if self._limits.max_failures is not None:
            # Above the percentage of what may fail, and below that of one more: there is one, for less than 100 nodes.
            left = self._limits.max_failures - self._failed()
            words += ["--fail-percent", str(100 * left // count + 1)]
        return pyinfra(*words, "inventory.py", "deploy.py")
