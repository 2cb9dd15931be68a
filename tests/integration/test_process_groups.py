"""Programs that do not end when they are asked to: they are forced, whoever started them."""

import shlex
import signal
import time
from pathlib import Path

import pytest

from mplskit import process
from tests.command_line import awaited

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 1000.25; done"


@pytest.mark.parametrize("command", [STUBBORN, f"sh -c {shlex.quote(STUBBORN)} & wait"], ids=["child", "grandchild"])
def test_what_does_not_end_when_asked_is_forced_after_five_seconds(command: str) -> None:
    with process.started(["sh", "-c", command]) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        group, begin = child.pid, time.monotonic()
    assert 4 < time.monotonic() - begin < 10
    assert awaited(lambda: members(group) == [])


def test_what_ends_when_asked_costs_no_time() -> None:
    begin = time.monotonic()
    with process.started(["sh", "-c", "sleep 1000.5 & sleep 1000.5 & echo ready; wait"]) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        group = child.pid
    assert time.monotonic() - begin < 2
    assert members(group) == [] and child.returncode == -signal.SIGTERM


def members(group: int) -> list[str]:
    """The living processes of a group."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, number = file.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(number) == group and state != "Z":
            found.append(file.parent.name)
    return found
