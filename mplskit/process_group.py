"""Processes that are ended together, from another thread: those of one node among many, say."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Group:
    """What was started within `grouped(group)`; once ended, whatever is started there ends at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._signal: signal.Signals | None = None
        self._calls: list[Callable[[], None]] = []
        self._ended = threading.Event()

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to every process, and to those that are still to come. Safe in any thread."""
        self._ended.set()
        with self._lock:
            self._signal = number
            for process in self._running:
                _send(process, number)
            for call in self._calls:
                call()

    def pause(self, seconds: float) -> bool:
        """Wait so long, or until the group is ended; whether it was."""
        return self._ended.wait(seconds)

    @contextmanager
    def holding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Count a process, the leader of a process group of its own, among these as long as the block runs."""
        with self._lock:
            self._running.add(process)
            if self._signal is not None:
                _send(process, self._signal)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """As long as the block runs, `call` is what ends it: called at each signal, in the thread that sends it."""
        with self._lock:
            self._calls.append(call)
            if self._signal is not None:
                call()
        try:
            yield
        finally:
            with self._lock:
                self._calls.remove(call)


_CURRENT: ContextVar[Group | None] = ContextVar("group", default=None)


@contextmanager
def grouped(group: Group) -> Iterator[None]:
    """What `process` starts in the block, in this thread, belongs to `group`."""
    token = _CURRENT.set(group)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> Group:
    """The group of this thread; one that nobody else knows when there is none."""
    return _CURRENT.get() or Group()


def _send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # Its leader may have ended, and others of the group go on: a ProxyCommand that outlives its ssh.
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass
