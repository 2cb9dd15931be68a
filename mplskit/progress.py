"""Progress of long work, on stderr: a spinner on a terminal, a line now and then elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INTERVAL = 30.0


def note(text: str) -> None:
    """One line for the user that is not a result."""
    print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Seconds as people say them: `7.2 s`, `4 min 49 s`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


@contextmanager
def step(title: str, log: Path | None = None, interval: float = INTERVAL) -> Iterator[None]:
    """Show that `title` is under way and how long it has taken; at the end one line stays. `log` is named at once."""
    begin = time.monotonic()
    if log:
        note(f"… {title}: the whole output goes to {log}")
    with _spinner(title) if sys.stderr.isatty() else _lines(title, begin, interval):
        try:
            yield
        except BaseException:
            note(f"✗ {title}: failed after {duration(time.monotonic() - begin)}")
            raise
    note(f"✓ {title} ({duration(time.monotonic() - begin)})")


@contextmanager
def _spinner(title: str) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as live:
        live.add_task(title, total=None)
        yield


@contextmanager
def _lines(title: str, begin: float, interval: float) -> Iterator[None]:
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
