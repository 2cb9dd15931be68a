"""Progress of long work, on stderr: a spinner on a terminal, a line now and then elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path

from mplskit.address_logins import masked
from mplskit.wording import duration

INTERVAL = 30.0


_TOLD: ContextVar[Callable[[str], None] | None] = ContextVar("told", default=None)


@contextmanager
def told_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Give the notes and steps of this thread to `listener` as long as the block runs: nothing goes to stderr."""
    token = _TOLD.set(listener)
    try:
        yield
    finally:
        _TOLD.reset(token)


def note(text: str) -> None:
    """One line for the user that is not a result; no login of an address is in it."""
    text = masked(text)
    listener = _TOLD.get()
    if listener is not None:
        listener(text)
        return
    # In one piece: print() would write the newline by itself, and the lines of two threads could mix.
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def step(title: str, log: Path | None = None, interval: float = INTERVAL) -> Iterator[None]:
    """Show that `title` is under way and how long it has taken; at the end one line stays. `log` is named at once."""
    begin = time.monotonic()
    if log:
        note(f"… {title}: the whole output goes to {log}")
    with under_way(title, interval):
        try:
            yield
        except BaseException:
            note(f"✗ {title}: failed after {duration(time.monotonic() - begin)}")
            raise
    note(f"✓ {title} ({duration(time.monotonic() - begin)})")


def under_way(title: str, interval: float = INTERVAL) -> AbstractContextManager[None]:
    """Show that `title` is under way and how long it has taken; nothing is said at the end."""
    if _TOLD.get() is not None:
        note(f"… {title}")
        return nullcontext()
    return _spinner(title) if sys.stderr.isatty() else _lines(title, interval)


@contextmanager
def _spinner(title: str) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as live:
        live.add_task(title, total=None)
        yield


@contextmanager
def _lines(title: str, interval: float) -> Iterator[None]:
    begin = time.monotonic()
    note(f"… {title}")
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(interval):
            note(f"… {title}: {duration(time.monotonic() - begin)}")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
