"""Many nodes at a time: who is begun when, what stops the rest, what is taken up the next time."""

import contextlib
import gc
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mplskit import process, progress
from mplskit.errors import Exit, MachineLacks, NotSo, OutsideFailed, WrongInput
from mplskit.fleet.completion import bootstrapped
from mplskit.fleet.last_run import LastRun
from mplskit.fleet.outcome import Done, Outcome, State, exit_code, told
from mplskit.fleet.pool import Limits, run
from mplskit.fleet.watch import Lines, telling
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.report import Item, Report
from mplskit.remote.host import Host
from mplskit.remote.refusals import PasswordRefused, Unreachable
from tests.command_line import awaited

SPEC = NodeSpec()


def nodes(*names: str) -> list[Node]:
    return [Node(name, Host(name), SPEC) for name in names]


def numbered(count: int) -> list[Node]:
    return nodes(*(f"n{number}" for number in range(1, count + 1)))


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
    lines.ended(outcome("n1", State.OK))
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


@pytest.fixture
def last(tmp_path: Path) -> Callable[[str], LastRun]:
    return lambda task: LastRun(tmp_path / "build", task, tmp_path / "nodes.yaml").load()


def outcome(name: str, state: State) -> Outcome:
    return Outcome(name, state)


def test_failed_means_the_nodes_that_the_last_run_took_up_and_did_not_get_done(last: Callable[[str], LastRun]) -> None:
    first = last("bootstrap")
    first.begin(numbered(6))
    first.put(
        [
            outcome("n1", State.OK),
            outcome("n2", State.CHANGED),
            outcome("n3", State.FAILED),
            outcome("n4", State.UNREACHABLE),
            outcome("n5", State.NOT_BEGUN),
        ],
        now=True,
    )
    again = last("bootstrap")
    assert [node.name for node in again.undone(numbered(6))] == ["n3", "n4", "n5", "n6"]
    assert [node.name for node in again.undone(nodes("n2", "n4"))] == ["n4"]
    again.begin(nodes("n3"))
    again.put([outcome("n3", State.CHANGED)], now=True)
    assert [node.name for node in last("bootstrap").undone(numbered(6))] == ["n4", "n5", "n6"]


def test_failed_takes_up_what_waits_or_needs_a_reboot_too(last: Callable[[str], LastRun]) -> None:
    waits = Report.of([Item("changed", "file", "/etc/x", "written"), Item("waits", "interface", "tap0", "not there")])
    reboot = Report.of([Item("note", "kernel", "6.12", "6.1 runs")])
    first = last("bootstrap")
    first.begin(numbered(3))
    outcomes = [
        Outcome.of(node.name, bootstrapped(node, report), 1.0)
        for node, report in zip(numbered(3), (waits, reboot, report_of(1)), strict=True)
    ]
    assert [(outcome.state, outcome.code) for outcome in outcomes] == [("changed", 1), ("ok", 1), ("changed", 0)]
    first.put(outcomes)
    assert [node.name for node in last("bootstrap").undone(numbered(3))] == ["n1", "n2"]


def test_failed_takes_up_what_no_run_knew_and_what_is_asked_for_anew(tmp_path: Path) -> None:
    def last(labels: int) -> LastRun:
        asks = {"n1": 100, "n2": labels}
        return LastRun(
            tmp_path / "build", "bootstrap", tmp_path / "nodes.yaml", lambda node: asks.get(node.name)
        ).load()

    first = last(100)
    first.begin(numbered(2))
    first.put([outcome("n1", State.OK), outcome("n2", State.CHANGED)])
    assert last(100).undone(numbered(2)) == ()
    assert [node.name for node in last(100).undone(numbered(3))] == ["n3"]
    assert [node.name for node in last(200).undone(numbered(3))] == ["n2", "n3"]
    moved = Node("n1", Host("elsewhere"), SPEC)
    assert last(100).undone([moved]) == (moved,)


def test_the_report_is_whole_with_the_last_node_without_being_asked(last: Callable[[str], LastRun]) -> None:
    kept = last("bootstrap")
    kept.begin(numbered(2))
    kept.put([outcome("n1", State.OK)])
    assert [node.name for node in last("bootstrap").undone(numbered(2))] == ["n1", "n2"]
    kept.put([outcome("n2", State.OK)])
    assert last("bootstrap").undone(numbered(2)) == ()


def test_each_task_and_each_inventory_has_a_last_run_of_its_own(last: Callable[[str], LastRun], tmp_path: Path) -> None:
    last("bootstrap").begin(numbered(1))
    for other in (last("verify"), LastRun(tmp_path / "build", "bootstrap", tmp_path / "other" / "nodes.yaml").load()):
        with pytest.raises(WrongInput, match=r"--failed: no run of this task on .*nodes\.yaml is known"):
            other.undone(numbered(1))


def test_two_runs_at_a_time_keep_what_the_other_knows(last: Callable[[str], LastRun]) -> None:
    one, two = last("bootstrap"), last("bootstrap")
    one.begin(nodes("n1"))
    two.begin(nodes("n2"))
    one.put([outcome("n1", State.FAILED)], now=True)
    two.put([outcome("n2", State.FAILED)], now=True)
    assert [node.name for node in last("bootstrap").undone(numbered(2))] == ["n1", "n2"]


@pytest.mark.parametrize("text", ["", "[]", '{"nodes": [{"node": "n1"}]}', '{"nodes": [{"node": "n1", "state": "x"}]}'])
def test_a_damaged_report_counts_as_none_and_is_told(
    text: str, last: Callable[[str], LastRun], capsys: pytest.CaptureFixture[str]
) -> None:
    path = last("bootstrap").path
    path.parent.mkdir(parents=True)
    path.write_text(text)
    kept = last("bootstrap")
    assert capsys.readouterr().err == f"! {path} is damaged: it counts as not there\n"
    with pytest.raises(WrongInput, match="--failed: no run of this task on"):
        kept.undone(numbered(1))
    kept.begin(nodes("n1"))
    assert [node.name for node in last("bootstrap").undone(numbered(1))] == ["n1"]


def test_the_report_is_a_json_document_that_others_can_read(last: Callable[[str], LastRun], tmp_path: Path) -> None:
    kept = last("bootstrap")
    kept.begin(nodes("n1"))
    kept.put([Outcome("n1", State.FAILED, 2, 1.5, 1, "no", "yes", {"items": []})], now=True)
    assert json.loads(kept.path.read_text()) == {
        "inventory": str(tmp_path / "nodes.yaml"),
        "nodes": [
            {
                "node": "n1",
                "state": "failed",
                "changes": 2,
                "seconds": 1.5,
                "code": 1,
                "error": "no",
                "hint": "yes",
                "asked": "b74aa10acbd2aa49e1a9300733028c942e6382b734fcb1aa2bcd91ae0bba28d9",
                "report": "bootstrap/1/n1.json",
            }
        ],
    }
    assert json.loads((kept.path.parent / "bootstrap/1/n1.json").read_text()) == {
        "items": [],
        "node": "n1",
        "state": "failed",
        "changes": 2,
        "seconds": 1.5,
        "code": 1,
        "error": "no",
        "hint": "yes",
    }


def report_of(items: int) -> Report:
    return Report.of([Item("changed", "route", f"label {label}", "added: …") for label in range(items)])


def test_what_is_kept_is_read_from_its_file_and_no_longer_held(last: Callable[[str], LastRun]) -> None:
    kept = last("bootstrap")
    kept.begin(nodes("n1"))
    came = Outcome.of("n1", bootstrapped(nodes("n1")[0], report_of(3)), 1.0)
    [outcome] = kept.put([came])
    assert outcome.document == {}
    assert outcome.whole() == came.whole()
    assert outcome.kept == kept.path.parent / "bootstrap" / "1" / "n1.json"
    text = outcome.kept.read_text()
    assert text.count("\n") == 16
    assert '\n    {"state": "changed", "kind": "route", "name": "label 1", "detail": "added: \\u2026"},\n' in text


def test_many_outcomes_that_are_kept_hold_nothing_of_what_their_nodes_said(last: Callable[[str], LastRun]) -> None:
    def work(node: Node) -> Done:
        said = report_of(1000)
        if node.name == "n2":
            raise OutsideFailed("cut")
        return bootstrapped(node, said)

    def living() -> int:
        gc.collect()
        return sum(isinstance(thing, Report) for thing in gc.get_objects())

    kept, before = last("bootstrap"), living()
    kept.begin(numbered(20))
    fleet = run(numbered(20), work, Limits(parallel=2), Lines(20), kept.put)
    assert living() == before
    assert {len(outcome.document) for outcome in fleet.outcomes} == {0}
    assert [len(outcome.whole().get("items", ())) for outcome in fleet.outcomes] == [1000, 0, *[1000] * 18]


def items_in(kept: LastRun) -> list[str]:
    """The files of items that there are for a task."""
    place = kept.path.with_suffix("")
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def with_items(name: str) -> Outcome:
    return Outcome(name, State.OK, document={"items": []})


def test_a_node_that_is_taken_up_again_loses_the_items_of_a_run_that_has_ended(last: Callable[[str], LastRun]) -> None:
    first = last("bootstrap")
    first.begin(numbered(2))
    first.put(list(map(with_items, ("n1", "n2"))))
    first.close()
    again = last("bootstrap")
    again.begin(nodes("n1"))
    assert items_in(again) == ["1/n2.json"]
    again.put([with_items("n1")])
    assert items_in(again) == ["1/n2.json", "2/n1.json"]
    rows = json.loads(again.path.read_text())["nodes"]
    assert [row["report"] for row in rows] == ["bootstrap/2/n1.json", "bootstrap/1/n2.json"]


def test_runs_at_a_time_on_one_node_keep_the_items_of_each_other(last: Callable[[str], LastRun]) -> None:
    one, two = last("bootstrap"), last("bootstrap")
    one.begin(nodes("n1"))
    [of_one] = one.put([Outcome("n1", State.CHANGED, document={"items": ["one"]})], now=True)
    two.begin(nodes("n1"))
    assert of_one.whole()["items"] == ["one"]
    [of_two] = two.put([Outcome("n1", State.OK, document={"items": ["two"]})], now=True)
    assert (of_one.whole()["items"], of_two.whole()["items"]) == (["one"], ["two"])


def test_a_run_that_ends_does_not_take_back_what_another_said_since(last: Callable[[str], LastRun]) -> None:
    one, two = last("bootstrap"), last("bootstrap")
    one.begin(numbered(2))
    two.begin(nodes("n1"))
    of_one = one.put([Outcome("n1", State.FAILED)], now=True)
    two.put([Outcome("n1", State.OK)], now=True)
    one.put([*of_one, Outcome("n2", State.OK)], now=True)
    assert last("bootstrap").undone(numbered(2)) == ()


def test_the_files_of_items_are_as_many_as_the_rows_however_many_runs_there_were(
    last: Callable[[str], LastRun],
) -> None:
    for number in range(1, 10):
        kept = last("bootstrap")
        kept.begin(nodes(f"n{number % 3}", "n3"))
        kept.put([with_items(f"n{number % 3}"), with_items("n3")])
        kept.close()
    assert items_in(kept) == ["7/n1.json", "8/n2.json", "9/n0.json", "9/n3.json"]
    assert sorted(path.name for path in kept.path.with_suffix("").iterdir()) == ["7", "8", "9"]


KILLED = """
import os, signal, sys
from pathlib import Path
from mplskit.fleet.last_run import LastRun
from mplskit.fleet.outcome import Outcome, State
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.remote.host import Host

kept = LastRun(Path(sys.argv[1], "build"), "bootstrap", Path(sys.argv[1], "nodes.yaml")).load()
kept.begin([Node("n1", Host("n1"), NodeSpec())])
kept.put([Outcome("n1", State.OK, document={"items": []})], now=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_holds_no_items(last: Callable[[str], LastRun], tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False).returncode == -signal.SIGKILL
    kept = last("bootstrap")
    assert items_in(kept) == ["1/n1.json"]
    kept.begin(nodes("n1"))
    assert items_in(kept) == []


def test_the_items_that_the_release_before_kept_beside_each_other_stay_until_a_run_says_more(
    last: Callable[[str], LastRun],
) -> None:
    kept = last("bootstrap")
    kept.begin(numbered(2))
    kept.put([with_items("n1"), with_items("n2")])
    kept.close()
    place = kept.path.with_suffix("")
    for file in ("n1.json", "n2.json"):
        (place / "1" / file).rename(place / file)
    kept.path.write_text(kept.path.read_text().replace("bootstrap/1/", "bootstrap/"))
    last("bootstrap").begin(nodes("n1"))
    assert items_in(kept) == ["n2.json"]


def test_the_rows_of_many_nodes_are_written_the_more_seldom_the_longer_it_takes(
    last: Callable[[str], LastRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, writes = [0.0], []

    def write(path: Path, value: object) -> None:
        if path.name == "bootstrap.json":
            writes.append(clock[0])
            clock[0] += 0.5

    monkeypatch.setattr("mplskit.fleet.last_run.write", write)
    monkeypatch.setattr("mplskit.fleet.last_run.time.monotonic", lambda: clock[0])
    kept = last("bootstrap")
    kept.begin(numbered(101))
    for node in numbered(100):
        clock[0] += 1
        kept.put([Outcome(node.name, State.OK)])
    assert writes == [0.0, 26.5, 53.0, 79.5]


def test_a_report_of_the_release_before_is_read_and_its_items_get_files(last: Callable[[str], LastRun]) -> None:
    kept = last("bootstrap")
    kept.begin(numbered(3))
    kept.put([Outcome("n1", State.OK), Outcome("n2", State.FAILED), Outcome("n3", State.OK)])
    before = json.loads(kept.path.read_text())
    for row in before["nodes"]:
        row["items"] = [{"state": "same", "kind": "file", "name": "/etc/x", "detail": ""}]
    kept.path.write_text(json.dumps(before, indent=1))
    again = last("bootstrap")
    assert [node.name for node in again.undone(numbered(3))] == ["n2"]
    again.begin(nodes("n2"))
    rows = json.loads(kept.path.read_text())["nodes"]
    assert [(row["node"], row["state"], row.get("report", ""), "items" in row) for row in rows] == [
        ("n1", "ok", "bootstrap/2/n1.json", False),
        ("n2", "not begun", "", False),
        ("n3", "ok", "bootstrap/2/n3.json", False),
    ]
    assert len(json.loads((kept.path.parent / "bootstrap/2/n3.json").read_text())["items"]) == 1


@pytest.mark.parametrize(
    ("codes", "code"), [((), 0), ((0, 0), 0), ((0, 4), 4), ((4, 1, 0), 1), ((4, 3), 3), ((1, 3), 1)]
)
def test_the_exit_code_of_many_is_the_lowest_but_0(codes: Sequence[int], code: int) -> None:
    assert exit_code([Outcome("n", State.FAILED, code=one) for one in codes]) == code


def test_many_fail_in_the_words_that_say_how_many_and_how() -> None:
    many = [
        Outcome("n1", State.OK),
        Outcome("n2", State.FAILED, code=4, error="cut"),
        Outcome("n3", State.UNREACHABLE, code=4, error="ssh to n3 failed"),
        Outcome("n4", State.NOT_BEGUN, error="2 failed, and --max-failures is 1"),
    ]
    failure = told(many, Path("build/nodes/nodes-1/bootstrap.json"))
    assert isinstance(failure, OutsideFailed)
    assert str(failure) == (
        "error: 3 of 4 nodes did not get done: 1 failed, 1 not begun, 1 unreachable\n"
        "hint: the same command with --failed takes up these alone; the report is in "
        "build/nodes/nodes-1/bootstrap.json"
    )


def test_nodes_that_wait_for_a_reboot_are_done_and_not_so_yet() -> None:
    waiting = Outcome("n1", State.CHANGED, 3, code=1, error="n1 needs a reboot: kernel 6.12", hint="reboot it")
    failure = told([waiting, Outcome("n2", State.OK)], Path("report"))
    assert str(failure) == (
        "error: 1 of 2 nodes: n1 needs a reboot: kernel 6.12\n"
        "hint: reboot it; the same command with --failed takes up these alone"
    )
    assert State.CHANGED.done


def test_a_fault_of_our_own_is_told_by_its_type_for_what_it_holds_may_be_secret() -> None:
    def spill(name: str) -> None:
        raise ValueError("SECRETPW")

    [outcome] = run(nodes("n1"), Bench(spill), Limits(), Lines(1)).outcomes
    assert (outcome.error, outcome.hint) == (
        "an unforeseen ValueError",
        "this is a fault of mplskit; -d shows where",
    )
