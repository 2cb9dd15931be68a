"""The pipes of a running ssh, moved by one thread: no side ever waits for the other, so nothing can deadlock."""

import math
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator

from mplskit.wording import clean

CHUNK = 1 << 16
STDERR_KEPT = 1 << 16


class TimeIsUp(Exception):
    """The deadline passed before what was awaited came."""


class Pipes:
    """stdin, stdout and stderr of a process; what came on stderr is kept (its last 64 KiB).

    `secret` is one line that is never shown. On stderr, what comes before `mark` is not the command's.
    """

    def __init__(self, process: subprocess.Popen[bytes], secret: bytes = b"", mark: bytes = b"") -> None:
        assert process.stdin and process.stdout and process.stderr
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._heard = b""
        self._unread = b""
        self._secret, self._mark = secret, mark
        self._open = {self._stdout.fileno(), self._stderr.fileno()}
        os.set_blocking(self._stdin.fileno(), False)

    @property
    def ended(self) -> bool:
        """Whether the far side has closed stdout and stderr."""
        return not self._open

    @property
    def stderr(self) -> str:
        """What came on stderr so far, fit for a terminal."""
        heard = self._heard
        if self._secret:
            # What was cut off may have been the beginning of the secret: only whole lines are left.
            heard = heard if len(heard) < STDERR_KEPT else heard.partition(b"\n")[2]
            heard = heard.replace(self._secret, b"********")
        if self._mark:
            heard = heard.rpartition(self._mark)[2]
        return clean(heard.decode(errors="replace"))

    def awaits(self, prompt: bytes) -> bool:
        """Whether the last that came on stderr is this prompt."""
        return self._heard.endswith(prompt)

    def tell(self, line: bytes) -> None:
        """Write a short line to the command, which reads it or has ended."""
        try:
            os.write(self._stdin.fileno(), line)
        except BrokenPipeError:
            pass

    def unread(self, data: bytes) -> None:
        """Give back what came on stdout and is for the next exchange."""
        self._unread = data

    def forget_stderr(self) -> None:
        """Keep nothing of what came on stderr so far."""
        self._heard = b""

    def exchange(
        self,
        feed: Iterator[bytes],
        heard: Callable[[bytes], bool],
        *,
        close: bool,
        deadline: float | None = None,
        told: Callable[[], bool] = lambda: False,
    ) -> None:
        """Write `feed` while giving what comes on stdout to `heard`, until that returns True or both outputs end.

        After each piece of stderr `told` is asked: True ends the exchange, too. With `close`, stdin is closed after the
        feed. A far side that stops reading early is no error here. Raises TimeIsUp at `deadline` (of time.monotonic).
        """
        with selectors.DefaultSelector() as selector:
            for number in self._open:
                selector.register(number, selectors.EVENT_READ)
            selector.register(self._stdin.fileno(), selectors.EVENT_WRITE)
            pending, writing, found = memoryview(b""), True, False
            if self._unread:
                data, self._unread = self._unread, b""
                found = heard(data)
            while self._open and not found:
                for key, _ in selector.select(_left(deadline)):
                    if key.fd in self._open:
                        found = self._take(key.fd, selector, heard, told) or found
                    elif writing:
                        pending, writing = self._give(pending, feed)
                        if not writing:
                            selector.unregister(key.fd)
                            if close:
                                self._shut()

    def _take(
        self,
        number: int,
        selector: selectors.BaseSelector,
        heard: Callable[[bytes], bool],
        told: Callable[[], bool],
    ) -> bool:
        data = os.read(number, CHUNK)
        if not data:
            selector.unregister(number)
            self._open.discard(number)
        elif number == self._stdout.fileno():
            return heard(data)
        else:
            self._heard = (self._heard + data)[-STDERR_KEPT:]
            return told()
        return False

    def _give(self, pending: memoryview, feed: Iterator[bytes]) -> tuple[memoryview, bool]:
        """Write one piece; returns what is left of it, and whether there is more to write."""
        while not pending:
            piece = next(feed, None)
            if piece is None:
                return pending, False
            pending = memoryview(piece)
        try:
            return pending[os.write(self._stdin.fileno(), pending[:CHUNK]) :], True
        except BlockingIOError:
            return pending, True
        except BrokenPipeError:
            return memoryview(b""), False

    def _shut(self) -> None:
        try:
            self._stdin.close()
        except BrokenPipeError:
            pass


def _left(deadline: float | None) -> float | None:
    if deadline is None or deadline == math.inf:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeIsUp
    return left
