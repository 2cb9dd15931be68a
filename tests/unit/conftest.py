"""Tasks set signal handlers: a test that runs one in this process must not change how the test run itself ends."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def signals_stay_as_they_were() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
