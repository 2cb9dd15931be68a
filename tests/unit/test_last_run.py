"""The report of the last run: what --failed takes up, what is kept of each node, whoever else writes it."""

import gc
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mplskit.errors import OutsideFailed, WrongInput
from mplskit.fleet.completion import bootstrapped
from mplskit.fleet.last_run import LastRun
from mplskit.fleet.outcome import Done, Outcome, State
from mplskit.fleet.pool import Limits, run
from mplskit.fleet.watch import Lines
from mplskit.node.node import Node
from mplskit.node.payload_report import Item, Report
from mplskit.remote.host import Host
from tests.worlds.named_nodes import SPEC, nodes, numbered


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
