"""Signals that end a run: noted as they come, and looked at where nothing is half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Noted:
    """`interruption` is what the first signal would have raised; those that follow change nothing."""

    interruption: BaseException | None = None


@contextmanager
def noted() -> Iterator[Noted]:
    """Note the signals that have handlers of Python's, as long as the block runs; in the main thread alone."""
    found = Noted()
    before = {number: handler for number in ENDING if callable(handler := signal.getsignal(number))}

    def note(number: int, frame: FrameType | None) -> None:
        if found.interruption is None:
            try:
                before[signal.Signals(number)](number, frame)
            except BaseException as error:
                found.interruption = error

    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    try:
        for number in before:
            signal.signal(number, note)
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
