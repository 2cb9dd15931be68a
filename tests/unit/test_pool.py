"""Many nodes at a time: who is begun when, what stops the rest, how they are ended and watched."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mplskit import process, progress
from mplskit.errors import Exit, MachineLacks, NotSo, OutsideFailed
from mplskit.fleet.outcome import Done, Outcome, State, exit_code
from mplskit.fleet.pool import Limits, run
from mplskit.fleet.watch import Lines, telling
from mplskit.node.node import Node
from mplskit.remote.refusals import PasswordRefused, Unreachable
from tests.command_line import awaited
from tests.worlds.named_nodes import nodes, numbered


class Bench:
    """Work that says who is under way: `most` at the same time, and in which order nodes were begun."""

    def __init__(self, act: Callable[[str], None] = lambda name: None) -> None:
        self.begun: list[str] = []
        self.most = 0
        self._act = act
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, node: Node) -> Done:
        with self._lock:
            self.begun.append(node.name)
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            self._act(node.name)
        finally:
            with self._lock:
                self._now -= 1
        return Done(changes=1)


def states(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {outcome.node: outcome.state.value for outcome in outcomes}


def fails(*names: str) -> Callable[[str], None]:
    def act(name: str) -> None:
        if name in names:
            raise NotSo(f"{name} is not set up")

    return act


def test_no_more_nodes_than_asked_for_are_under_way_and_all_get_done() -> None:
    together = threading.Barrier(4)
    bench = Bench(lambda name: print(together.wait(10)))
    fleet = run(numbered(12), bench, Limits(parallel=4), Lines(12))
    assert bench.most == 4
    assert [outcome.node for outcome in fleet.outcomes] == [f"n{number}" for number in range(1, 13)]
    assert {outcome.state for outcome in fleet.outcomes} == {State.CHANGED}


def test_a_batch_is_begun_when_the_one_before_is_through() -> None:
    done: list[str] = []

    def act(name: str) -> None:
        if name == "n3":
            assert sorted(done) == ["n1", "n2"]
        if name == "n1":
            time.sleep(0.05)
        done.append(name)

    fleet = run(numbered(5), Bench(act), Limits(batch=2), Lines(5))
    assert {outcome.state for outcome in fleet.outcomes} == {State.CHANGED}


def test_after_too_many_failures_no_node_is_begun_and_those_under_way_end() -> None:
    others = threading.Event()

    def act(name: str) -> None:
        if name == "n1":
            others.wait(10)
        if name == "n3":
            threading.Timer(0.3, others.set).start()
        if name != "n1":
            raise NotSo("no")

    bench = Bench(act)
    fleet = run(numbered(6), bench, Limits(parallel=2, max_failures=1), Lines(6))
    assert bench.begun == ["n1", "n2", "n3"]
    assert list(states(fleet.outcomes).values()) == ["changed", "failed", "failed", *["not begun"] * 3]
    assert fleet.outcomes[5].error == "2 failed, and --max-failures is 1"
    assert fleet.interruption is None


def test_as_many_failures_as_allowed_stop_nothing() -> None:
    fleet = run(numbered(6), Bench(fails("n1", "n2")), Limits(parallel=1, max_failures=2), Lines(6))
    assert [outcome.state for outcome in fleet.outcomes[2:]] == [State.CHANGED] * 4


def test_no_failure_allowed_stops_at_the_first() -> None:
    bench = Bench(fails("n2"))
    fleet = run(numbered(4), bench, Limits(parallel=1, max_failures=0), Lines(4))
    assert bench.begun == ["n1", "n2"]
    assert list(states(fleet.outcomes).values()) == ["changed", "failed", "not begun", "not begun"]


def test_a_refused_password_is_not_tried_on_further_nodes() -> None:
    def act(name: str) -> None:
        raise PasswordRefused(f"{name}: sudo does not take the password")

    bench = Bench(act)
    fleet = run(numbered(4), bench, Limits(parallel=1), Lines(4))
    assert bench.begun == ["n1"]
    assert fleet.outcomes[3].error == "sudo did not take the password on another node: too many tries lock accounts"
    assert exit_code(fleet.outcomes) == 3


@pytest.mark.parametrize(
    ("error", "state", "code", "message"),
    [
        (Unreachable("ssh to n1 failed", hint="nothing listens there"), "unreachable", 4, "ssh to n1 failed"),
        (OutsideFailed("cut", detail="banner\nclosed by remote host\n"), "failed", 4, "cut: closed by remote host"),
        (MachineLacks("n1: must run as root"), "failed", 3, "n1: must run as root"),
        (OSError(24, "Too many open files"), "failed", 3, f"{Path.cwd()}: Too many open files"),
        (KeyError("label"), "failed", 1, "an unforeseen KeyError"),
    ],
)
def test_whatever_a_node_raises_is_its_own_outcome(error: Exception, state: str, code: int, message: str) -> None:
    def act(name: str) -> None:
        if name == "n1":
            raise error

    outcomes = run(numbered(2), Bench(act), Limits(), Lines(2)).outcomes
    assert (outcomes[0].state, outcomes[0].code, outcomes[0].error) == (state, code, message)
    assert outcomes[1].state is State.CHANGED


def test_a_node_that_takes_too_long_is_ended_and_the_others_are_not() -> None:
    def work(node: Node) -> Done:
        if node.name == "n1":
            process.run(["sleep", "60"], failure=OutsideFailed)
        return Done()

    begin = time.monotonic()
    outcomes = run(numbered(3), work, Limits(timeout=0.5), Lines(3)).outcomes
    assert time.monotonic() - begin < 10
    assert list(states(outcomes).values()) == ["failed", "ok", "ok"]
    assert outcomes[0].error == "no end after 0.5 s: signal 15: sleep 60"
    assert outcomes[0].code == Exit.OUTSIDE_FAILED


def test_what_does_not_end_when_asked_is_forced_to() -> None:
    def work(node: Node) -> Done:
        process.run(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], failure=OutsideFailed)
        return Done()

    outcomes = run(numbered(1), work, Limits(timeout=0.2, grace=0.2), Lines(1)).outcomes
    assert outcomes[0].error.startswith("no end after 0.2 s: signal 9")


def test_an_interruption_ends_what_is_under_way_and_begins_nothing_more() -> None:
    ready = threading.Event()

    def work(node: Node) -> Done:
        if node.name == "n1":
            return Done(changes=3)
        ready.set()
        process.run(["sleep", "60"], failure=OutsideFailed)
        return Done()

    def interrupt() -> None:
        ready.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    fleet = run(numbered(4), work, Limits(parallel=1), Lines(4))
    assert isinstance(fleet.interruption, KeyboardInterrupt)
    assert list(states(fleet.outcomes).values()) == ["changed", "failed", "not begun", "not begun"]
    assert fleet.outcomes[0].changes == 3
    assert fleet.outcomes[1].error.startswith("the run was interrupted")


def test_a_signal_in_the_midst_of_the_bookkeeping_loses_no_outcome() -> None:
    class Signalling(Done):
        @property
        def exit(self) -> int:
            os.kill(os.getpid(), signal.SIGINT)
            return Exit.OK

    def work(node: Node) -> Done:
        return Signalling(changes=3)

    fleet = run(numbered(2), work, Limits(parallel=1), Lines(2))
    assert isinstance(fleet.interruption, KeyboardInterrupt)
    assert [(outcome.state.value, outcome.changes, outcome.code) for outcome in fleet.outcomes] == [
        ("changed", 3, 0),
        ("not begun", 0, 4),
    ]


def test_the_first_signal_says_how_the_run_ends_and_handlers_are_as_before() -> None:
    def left(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    class Signalling(Lines):
        def begun(self, node: str) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

        def ended(self, outcome: Outcome) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    def work(node: Node) -> Done:
        process.run(["sleep", "60"], failure=OutsideFailed)
        return Done()

    before = signal.signal(signal.SIGTERM, left)
    try:
        fleet = run(numbered(2), work, Limits(parallel=1), Signalling(2))
        assert signal.getsignal(signal.SIGTERM) is left
    finally:
        signal.signal(signal.SIGTERM, before)
    assert isinstance(fleet.interruption, SystemExit)
    assert fleet.interruption.code == 143
    assert list(states(fleet.outcomes).values()) == ["failed", "not begun"]


def test_after_a_silence_a_line_says_what_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []

    def told_twice() -> bool:
        said.append(capsys.readouterr().err)
        return "".join(said).count("\n") >= 2

    lines = Lines(8)
    lines.ended(Outcome("n1", State.OK))
    for node in numbered(8)[1:]:
        lines.begun(node.name)
    capsys.readouterr()
    with telling(lines, 0.1):
        assert awaited(told_twice)
    assert re.fullmatch(
        r"(… 1 of 8 through; under way: n2 \(0\.\d s\), n3 \(0\.\d s\), n4 \(0\.\d s\), n5 \(0\.\d s\), n6 \(0\.\d s\)"
        r" and 2 more\n)+",
        "".join(said),
    )


def test_notes_of_the_nodes_go_to_the_watch_and_not_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[tuple[str, str]] = []

    class Listening(Lines):
        def said(self, node: str, text: str) -> None:
            heard.append((node, text))

    def work(node: Node) -> Done:
        with progress.step(f"setting up {node.name}"):
            progress.note("  ✓ file /etc/x: written")
        return Done()

    run(nodes("ler-1"), work, Limits(), Listening(1))
    assert [text for name, text in heard if name == "ler-1"][:2] == ["… setting up ler-1", "  ✓ file /etc/x: written"]
    assert re.fullmatch(r"✓ ler-1: ok \([0-9.]+ s\) \[1/1\]\n", capsys.readouterr().err)


def test_a_process_that_a_thread_started_lives_as_long_as_the_thread_and_its_block() -> None:
    """PR_SET_PDEATHSIG counts the thread that forked as the parent (prctl(2)): a pool's threads stay."""
    seen: list[int | None] = []

    def work(node: Node) -> Done:
        with process.started(["sleep", "60"]) as sleeping:
            with contextlib.suppress(subprocess.TimeoutExpired):
                sleeping.wait(0.5)
            seen.append(sleeping.poll())
        return Done()

    run(numbered(4), work, Limits(parallel=2), Lines(4))
    assert seen == [None] * 4


def test_a_fault_of_our_own_is_told_by_its_type_for_what_it_holds_may_be_secret() -> None:
    def spill(name: str) -> None:
        raise ValueError("SECRETPW")

    [outcome] = run(nodes("n1"), Bench(spill), Limits(), Lines(1)).outcomes
    assert (outcome.error, outcome.hint) == (
        "an unforeseen ValueError",
        "this is a fault of mplskit; -d shows where",
    )
