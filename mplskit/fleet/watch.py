"""How a fleet gets on, on stderr: a live table of the nodes under way on a terminal, and a line for each that ended."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from mplskit import progress
from mplskit.fleet.outcome import Outcome, State
from mplskit.fleet.pool import Watch
from mplskit.wording import counted, duration, first_few

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Seconds without a line until one says what is waited for, and how many nodes it names.
SILENCE = 60.0
NAMED = 5


class Lines:
    """A line for each node that ended."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.through = 0
        self.failed = 0
        self.spoke = time.monotonic()
        self._lock = threading.Lock()
        self._under_way: dict[str, tuple[float, str]] = {}

    def begun(self, node: str) -> None:
        """Says nothing: the line comes at the end."""
        with self._lock:
            self._under_way[node] = (time.monotonic(), "")

    def said(self, node: str, text: str) -> None:
        """Says nothing: items are in the report."""
        with self._lock:
            if node in self._under_way:
                self._under_way[node] = (self._under_way[node][0], text.strip())

    def listening(self, node: str) -> AbstractContextManager[None]:
        """What is said there comes to `said`."""
        return progress.told_to(lambda text: self.said(node, text))

    def ended(self, outcome: Outcome) -> None:
        """One line."""
        with self._lock:
            self._under_way.pop(outcome.node, None)
        self.through += 1
        self.failed += not outcome.state.done
        self.note(f"{line(outcome)} [{self.through}/{self.total}]")

    def note(self, text: str) -> None:
        """One line on stderr."""
        self.spoke = time.monotonic()
        progress.note(text)

    def under_way(self) -> list[tuple[str, float, str]]:
        """Each node under way, since how many seconds, and what was done last; the longest first."""
        now = time.monotonic()
        with self._lock:
            rows = sorted(self._under_way.items(), key=lambda row: row[1][0])
        return [(node, now - begin, text) for node, (begin, text) in rows]

    def waiting(self) -> str:
        """`… 5 of 8 through; under way: ler-1 (1 min 02 s) and 2 more`."""
        rows = self.under_way()
        names = first_few([f"{node} ({duration(seconds)})" for node, seconds, _ in rows], NAMED)
        return f"… {self.through} of {self.total} through; under way: {names or 'none'}"


def line(outcome: Outcome) -> str:
    """`✓ ler-1: changed, 7 changes (2.3 s)`, or what went wrong."""
    how = "ok" if outcome.state is State.OK else outcome.state.value
    changes = f", {counted(outcome.changes, 'change')}" if outcome.state is State.CHANGED else ""
    sign = "✓" if outcome.state.done else "✗"
    error = f": {outcome.error}" if outcome.error else ""
    return f"{sign} {outcome.node}: {how}{changes} ({duration(outcome.seconds)}){error}"


class One:
    """One node alone: its notes and steps come as they are."""

    def begun(self, node: str) -> None:
        """Says nothing: the step does."""

    def said(self, node: str, text: str) -> None:
        """One line."""
        progress.note(text)

    def listening(self, node: str) -> AbstractContextManager[None]:
        """They go to stderr."""
        return nullcontext()

    def ended(self, outcome: Outcome) -> None:
        """Says nothing: the result does."""


class Table(Lines):
    """The same, above a table of the nodes under way: node, state, elapsed, what was done last."""

    def __init__(self, total: int, title: str, console: "Console") -> None:
        super().__init__(total)
        self._title, self._console = title, console
        self._begin = time.monotonic()

    def rendered(self) -> "RenderableType":
        """The table as it is now: the nodes that take longest first, as many as there is room for."""
        from rich.console import Group
        from rich.table import Table as Grid
        from rich.text import Text

        rows = self.under_way()
        failed = f", {self.failed} failed" if self.failed else ""
        grid = Grid.grid(padding=(0, 2), expand=True)
        for column in ("left", "left", "right"):
            grid.add_column(justify=column, no_wrap=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        head = f"{self._title}: {self.through} of {self.total} through{failed}"
        room = max(1, self._console.height - 3)  # what does not fit would scroll at every refresh
        for node, seconds, text in rows[:room]:
            grid.add_row(Text(node), Text("under way"), Text(duration(seconds)), Text(text))
        return Group(grid, Text(f"{head}, {duration(time.monotonic() - self._begin)}", style="bold", no_wrap=True))


@contextmanager
def telling(lines: Lines, silence: float = SILENCE) -> Iterator[None]:
    """Say what is waited for after so many seconds of silence, as long as the block runs."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(max(0.0, lines.spoke + silence - time.monotonic())):
            if time.monotonic() - lines.spoke >= silence:
                lines.note(lines.waiting())

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


@contextmanager
def watching(total: int, title: str) -> Iterator[Watch]:
    """Show how `total` nodes get on as long as the block runs."""
    if not sys.stderr.isatty():
        progress.note(f"… {title}")
        lines = Lines(total)
        with telling(lines):
            yield lines
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    table = Table(total, title, console)
    with Live(get_renderable=table.rendered, console=console, refresh_per_second=4, transient=True):
        yield table
