"""The command line of pyinfra, which is no part of mplskit: it runs in a process of its own, if it is there."""

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from mplskit import process
from mplskit.errors import MachineLacks
from mplskit.wording import clean

VERSION = "3.10.0"
ENVIRONMENT = {"PYINFRA_PROGRESS": "off", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
LONGEST = 1 << 16

# The lines that came since the last call, waiting at most this many seconds for one; None when none will come any more.
More = Callable[[float], list[str] | None]


def require() -> None:
    """Raise MachineLacks unless pyinfra is there for our Python."""
    if find_spec("pyinfra_cli") is None:
        install = [sys.executable, "-m", "pip", "install", f"pyinfra=={VERSION}"]
        raise MachineLacks(
            "this machine lacks pyinfra, which --engine pyinfra runs",
            hint=f"install it: `{process.quote(install)}` (the extra `fleet` of mplskit's package)",
        )


def pyinfra(*words: str | Path) -> list[str | Path]:
    """The command line. It has no terminal: what it would ask there fails, and nothing waits."""
    # The kernel ends the process of the new session when the one that we end is gone.
    untied = ["setsid", "--wait", "setpriv", "--pdeathsig", "KILL"]
    # -P: no module of the current folder stands in for pyinfra's.
    return [*untied, sys.executable, "-P", "-m", "pyinfra", *words]


@contextmanager
def running(argv: Sequence[str | Path], folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", More]]:
    """A command in a folder, and what it says on stdout and stderr; when the block is left, it has ended."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with process.started(argv, stderr=subprocess.STDOUT, cwd=folder, env=ENVIRONMENT) as started:
        assert started.stdout is not None
        reader = threading.Thread(target=_read, args=(started.stdout, lines), daemon=True)
        reader.start()
        yield started, lambda seconds: _more(lines, seconds)


def status_of(started: "subprocess.Popen[bytes]") -> str:
    """How a command ended that says nothing any more."""
    try:
        return f"exit {started.wait(process.GRACE)}"
    except subprocess.TimeoutExpired:
        return "it did not exit"


def _read(stream: IO[bytes], lines: "queue.SimpleQueue[str | None]") -> None:
    while line := stream.readline(LONGEST):
        lines.put(clean(line.decode(errors="replace").rstrip("\r\n")))
    lines.put(None)


def _more(lines: "queue.SimpleQueue[str | None]", seconds: float) -> list[str] | None:
    came: list[str] = []
    try:
        while (line := lines.get(timeout=0 if came else seconds)) is not None:
            came.append(line)
    except queue.Empty:
        return came
    lines.put(None)
    return came or None
