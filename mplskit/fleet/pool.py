"""One task on many nodes at a time: a bounded pool, batches, a limit of failures; no node holds the others up."""

import contextvars
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from mplskit.errors import Failure, OutsideFailed
from mplskit.fleet.outcome import Done, Outcome, not_begun
from mplskit.fleet.signals import Noted, noted
from mplskit.node.node import Node
from mplskit.process_group import Group, grouped
from mplskit.remote.refusals import PasswordRefused
from mplskit.unforeseen import failure_of

Work = Callable[[Node], Done]
# Writes outcomes down; what comes back is remembered in their place.
Keep = Callable[[Sequence[Outcome]], Sequence[Outcome]]

# A session takes about six file descriptors, and a login has 1024.
MOST = 128
TICK = 0.25
INTERRUPTED = "the run was interrupted"


@dataclass(frozen=True)
class Limits:
    """`parallel` nodes at a time; the next `batch` when the one before is through; no node is begun after more than
    `max_failures` failed; `timeout` seconds for each node, and `grace` more until what is left of it is killed.
    """

    parallel: int = 16
    batch: int | None = None
    max_failures: int | None = None
    timeout: float | None = None
    grace: float = 5.0


class Watch(Protocol):
    """Who is told how a fleet gets on. `begun` and `ended` are called in the thread of `run`."""

    def begun(self, node: str) -> None:
        """A node was begun."""

    def said(self, node: str, text: str) -> None:
        """What is being done on a node; in any thread."""

    def listening(self, node: str) -> AbstractContextManager[None]:
        """As long as the block runs, in the thread of a node: where its notes and steps go."""

    def ended(self, outcome: Outcome) -> None:
        """A node is through."""


@dataclass(frozen=True)
class Fleet:
    """An outcome for each node, in the order asked for. `interruption` is what ended the run early, if anything."""

    outcomes: tuple[Outcome, ...]
    interruption: BaseException | None = None


# What does a task on nodes in the place of `run`, where something else than our own sessions carries it.
Engine = Callable[[Sequence[Node], Limits, Watch, Keep], Fleet]


class _Stopped(Exception):
    """No more nodes are begun; the message says why."""


class _Run:
    """A node under way."""

    def __init__(self, node: Node, grace: float) -> None:
        self.node = node
        self._grace = grace
        self.begin = time.monotonic()
        self.group = Group()
        self.why = ""
        self._signalled = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    def stop(self, why: str) -> None:
        """End its session: asked first, forced when it is still there after the time of grace."""
        if not self.why:
            self.why, self._signalled = why, time.monotonic()
            self.group.end(signal.SIGTERM)
        elif time.monotonic() - self._signalled > self._grace:
            self.group.end(signal.SIGKILL)


def run(
    nodes: Sequence[Node], work: Work, limits: Limits, watch: Watch, keep: Keep = lambda outcomes: outcomes
) -> Fleet:
    """Do `work` on each node. Whatever it raises is the outcome of its node alone; only a refused password of sudo,
    too many failures and an interruption (a signal) keep the nodes that come after from being begun. `keep` gets
    outcomes as they come, in case that we are killed.
    """
    why = ""
    with noted() as signals:
        with ThreadPoolExecutor(limits.parallel, thread_name_prefix="node") as threads:
            pool = _Pool(work, limits, watch, keep, threads, signals)
            try:
                for batch in _batches(nodes, limits.batch):
                    pool.through(batch)
            except _Stopped as stopped:
                why = str(stopped)
                pool.finish()
        left = keep([not_begun(node.name, why) for node in nodes if node.name not in pool.outcomes])
        outcomes = pool.outcomes | {outcome.node: outcome for outcome in left}
        return Fleet(tuple(outcomes[node.name] for node in nodes), signals.interruption)


class _Pool:
    """The nodes that are under way, and those that are through."""

    def __init__(
        self, work: Work, limits: Limits, watch: Watch, keep: Keep, threads: ThreadPoolExecutor, signals: Noted
    ) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._work, self._limits, self._watch, self._keep = work, limits, watch, keep
        self._threads, self._signals = threads, signals
        self._running: dict[Future[Done], _Run] = {}
        self._failed = 0
        self._refused = False

    def through(self, batch: Sequence[Node]) -> None:
        """Do all nodes of a batch. Raises _Stopped when no more are to be begun."""
        waiting = deque(batch)
        while waiting or self._running:
            self._look()
            while waiting and len(self._running) < self._limits.parallel:
                self._begin(waiting.popleft())
            self._gather()

    def finish(self) -> None:
        """Wait for what is under way; after a signal, end it."""
        while self._running:
            if self._signals.interruption:
                for under_way in self._running.values():
                    under_way.stop(INTERRUPTED)
            self._gather()

    def _begin(self, node: Node) -> None:
        under_way = _Run(node, self._limits.grace)
        context = contextvars.copy_context()
        self._watch.begun(node.name)
        self._running[self._threads.submit(context.run, self._one, under_way)] = under_way

    def _one(self, under_way: _Run) -> Done:
        with self._watch.listening(under_way.node.name):
            return _in_group(under_way.group, self._work, under_way.node)

    def _gather(self) -> None:
        """Wait a moment for nodes to end, and end those that take too long."""
        for future in wait(self._running, timeout=TICK, return_when=FIRST_COMPLETED).done:
            under_way = self._running.pop(future)
            outcome = Outcome.of(under_way.node.name, _came(future, under_way), under_way.seconds)
            self._failed += not outcome.state.done
            self._refused = self._refused or isinstance(outcome.failure, PasswordRefused)
            self._watch.ended(outcome)
            [self.outcomes[outcome.node]] = self._keep([outcome])
        timeout = self._limits.timeout
        for under_way in self._running.values():
            if timeout and under_way.seconds > timeout:
                under_way.stop(_late(timeout))

    def _look(self) -> None:
        """Raise _Stopped when no more nodes are to be begun."""
        if self._signals.interruption:
            raise _Stopped(INTERRUPTED)
        if self._refused:
            raise _Stopped("sudo did not take the password on another node: too many tries lock accounts")
        if self._limits.max_failures is not None and self._failed > self._limits.max_failures:
            raise _Stopped(f"{self._failed} failed, and --max-failures is {self._limits.max_failures}")


def _batches(nodes: Sequence[Node], size: int | None) -> Iterator[Sequence[Node]]:
    step = size or len(nodes) or 1
    return (nodes[start : start + step] for start in range(0, len(nodes), step))


def _in_group(group: Group, work: Work, node: Node) -> Done:
    with grouped(group):
        return work(node)


def _came(future: "Future[Done]", under_way: _Run) -> Done | Failure:
    """What a node came to; one that was stopped came to that, whatever it said of it."""
    error = future.exception()
    if error is None:
        return future.result()
    return _stopped(under_way, error) if under_way.why else failure_of(error, traced=True)


def _stopped(under_way: _Run, error: BaseException) -> OutsideFailed:
    """The failure of a node whose session we ended; how far it came is in the session's own error."""
    said = f": {error.message}" if isinstance(error, Failure) else ""
    return OutsideFailed(
        f"{under_way.why}{said}", hint="it may be run again: what is done stays, what is missing follows"
    )


def _late(timeout: float) -> str:
    return f"no end after {timeout:g} s"
