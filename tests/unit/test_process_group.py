"""Processes that another thread ends together."""

import signal
import subprocess
import threading
import time

import pytest

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.process_group import Group, grouped
from mplskit.remote.pipes import Pipes


def test_another_thread_ends_all_that_was_started_in_a_group_and_nothing_else() -> None:
    group = Group()
    with process.started(["sleep", "60"]) as outside:
        with grouped(group), process.started(["sleep", "60"]) as one, process.started(["sleep", "60"]) as two:
            threading.Thread(target=group.end).start()
            assert (one.wait(5), two.wait(5)) == (-signal.SIGTERM, -signal.SIGTERM)
        assert outside.poll() is None


def test_what_a_shell_started_is_ended_with_it() -> None:
    group = Group()
    begin = time.monotonic()
    threading.Timer(0.3, group.end).start()
    with grouped(group), pytest.raises(OutsideFailed, match="signal 15"):
        process.run(["sh", "-c", "sleep 60 & wait; sleep 60"], failure=OutsideFailed)
    assert time.monotonic() - begin < 5


def test_a_group_that_has_ended_takes_in_nothing_more() -> None:
    group = Group()
    group.end()
    with grouped(group), pytest.raises(OutsideFailed, match="signal 15: sleep 60"):
        process.run(["sleep", "60"], failure=OutsideFailed)


def test_a_signal_after_the_end_is_no_error() -> None:
    group = Group()
    with grouped(group), process.started(["true"]) as done:
        done.wait(5)
        group.end()
    assert done.returncode == 0


def test_a_thread_has_the_group_of_its_own_context() -> None:
    ours, theirs = Group(), Group()
    codes: list[int] = []

    def work() -> None:
        with grouped(theirs), process.started(["sleep", "60"]) as sleeping:
            theirs.end()
            codes.append(sleeping.wait(5))

    with grouped(ours), process.started(["sleep", "60"]) as sleeping:
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        assert sleeping.poll() is None
    assert codes == [-signal.SIGTERM]


def test_what_outlives_its_leader_and_holds_the_pipes_is_ended_with_the_group() -> None:
    group = Group()
    # What ssh's ProxyCommand can do: ssh is gone, and stderr stays open.
    with grouped(group), process.started(["sh", "-c", "sleep 60 &"], stdin=subprocess.PIPE) as leader:
        leader.wait(5)
        group.end()
        Pipes(leader).exchange(iter(()), lambda data: False, close=True, deadline=time.monotonic() + 5)


def test_what_is_no_process_is_called_when_the_group_ends_and_when_it_has_ended() -> None:
    group = Group()
    called: list[str] = []
    with group.calling(lambda: called.append("before")):
        pass
    with group.calling(lambda: called.append("meanwhile")):
        group.end()
    with group.calling(lambda: called.append("after")):
        pass
    assert called == ["meanwhile", "after"]
