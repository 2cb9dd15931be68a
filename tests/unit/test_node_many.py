"""What a run of many nodes comes to when something else than a node fails, and what is judged before it begins."""

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mplskit import process
from mplskit.errors import Failure, Leave, MachineLacks, NotSo, OutsideFailed, WrongInput
from mplskit.fleet.assignment import assignment
from mplskit.fleet.completion import planned
from mplskit.fleet.flags import FleetFlags, NodeFlags
from mplskit.fleet.last_run import LastRun
from mplskit.fleet.on_nodes import NodeTask, on_nodes
from mplskit.fleet.outcome import Done, Outcome, State
from mplskit.fleet.pool import Fleet, Keep, Limits, Watch, run
from mplskit.node.node import Node
from mplskit.node.payload_report import Item, Report
from mplskit.remote.flags import SessionFlags
from tests.worlds.given_flags import given


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLSKIT_BUILD", "build")
    Path("nodes.yaml").write_text("nodes: {n1: {}, n2: {}, n3: {}}\n")
    return tmp_path


def on(task: NodeTask, *, json: bool = False, **flags: object) -> None:
    on_nodes(task, given(NodeFlags, flags), given(SessionFlags, flags), given(FleetFlags, flags), json=json)


def many(
    work: Callable[[Node], Done], report: Callable[[Sequence[Outcome]], None] = lambda outcomes: None, **flags: Any
) -> None:
    on(NodeTask("bootstrap", work, report=report), json=True, **{"inventory": "nodes.yaml", **flags})


def shown(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    document = json.loads(capsys.readouterr().out)
    return document["code"], {row["node"]: row["state"] for row in document["nodes"]}


def report() -> Path:
    [path] = Path("build/nodes").glob("nodes-*/bootstrap.json")
    return path


def damaged() -> None:
    report().write_text("what is this?")


def out_of_the_way() -> None:
    folder = report().parent
    folder.rename("elsewhere")
    folder.write_text("")


@pytest.mark.parametrize(
    ("spoil", "kind", "message"),
    [
        (out_of_the_way, MachineLacks, ": File exists"),
    ],
)
def test_a_report_that_cannot_be_kept_ends_no_node_and_is_told_after_the_outcomes(
    spoil: Callable[[], None], kind: type[Failure], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(node: Node) -> Done:
        if node.name == "n1":
            spoil()
        return Done(changes=1)

    reported: list[Outcome] = []
    with pytest.raises(kind) as caught:
        many(work, report=reported.extend, parallel="1")
    assert caught.value.message.startswith("the report could not be kept: ")
    assert [outcome.node for outcome in reported] == ["n1", "n2", "n3"]
    assert caught.value.message.endswith(message)
    assert caught.value.hint.endswith("; --failed does not know this run")
    assert shown(capsys) == (kind.code, {"n1": "changed", "n2": "changed", "n3": "changed"})


def test_a_report_that_could_be_written_in_the_end_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    def work(node: Node) -> Done:
        if node.name == "n1":
            Path("kept").write_text(report().read_text())
            damaged()
        elif node.name == "n3":
            Path("kept").replace(report())
        return Done(changes=1)

    many(work, parallel="1")
    assert shown(capsys) == (0, {"n1": "changed", "n2": "changed", "n3": "changed"})
    assert [row["state"] for row in json.loads(report().read_text())["nodes"]] == ["changed"] * 3


class Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_screen_that_is_gone_ends_no_node(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(node: Node) -> Done:
        monkeypatch.setattr(sys, "stderr", Closed())
        return Done(changes=1)

    with pytest.raises(BrokenPipeError):
        many(work)
    assert shown(capsys) == (141, {"n1": "changed", "n2": "changed", "n3": "changed"})


def test_the_code_of_an_interrupted_run_is_that_of_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    def work(node: Node) -> Done:
        if node.name == "n2":
            os.kill(os.getpid(), signal.SIGINT)
            process.run(["sleep", "60"], failure=OutsideFailed)
        return Done()

    with pytest.raises(KeyboardInterrupt):
        many(work, parallel="1")
    document = json.loads(capsys.readouterr().out)
    assert document["code"] == 130
    assert [(row["state"], row["code"]) for row in document["nodes"]] == [("ok", 0), ("failed", 4), ("not begun", 4)]


def test_a_report_of_the_tasks_own_gets_every_outcome_and_its_fault_is_told_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(outcomes: Sequence[Outcome]) -> None:
        raise OSError(28, "No space left on device", ",".join(outcome.state.value for outcome in outcomes))

    def work(node: Node) -> Done:
        raise NotSo("no")

    with pytest.raises(OSError, match="failed,not begun,not begun"):
        many(work, report=full, parallel="1", max_failures="0")
    assert shown(capsys) == (3, {"n1": "failed", "n2": "not begun", "n3": "not begun"})


def stubborn(node: Node) -> Done:
    process.run(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], failure=OutsideFailed)
    return Done()


def impatient(nodes: Sequence[Node], limits: Limits, watch: Watch, keep: Keep) -> Fleet:
    return run(nodes, stubborn, replace(limits, timeout=0.2, grace=0.2), watch, keep)


@pytest.mark.parametrize("where", [{"host": "n1"}, {"inventory": "nodes.yaml", "limit": "n1"}])
def test_what_does_not_end_when_asked_is_forced_to_on_one_host_as_on_many(where: dict[str, Any]) -> None:
    with pytest.raises(OutsideFailed, match=r"^error: no end after 0\.2 s: signal 9: ") as caught:
        on(NodeTask("bootstrap", stubborn, engine=impatient), **where)
    assert caught.value.code == 4


def test_an_engine_stands_in_for_our_own_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    def never(node: Node) -> Done:
        raise AssertionError

    def engine(nodes: Sequence[Node], limits: Limits, watch: Watch, keep: Keep) -> Fleet:
        outcomes = tuple(Outcome.of(node.name, Done({"by": limits.parallel}, changes=1), 1.0) for node in nodes)
        for outcome in outcomes:
            watch.begun(outcome.node)
            watch.ended(outcome)
        return Fleet(tuple(keep(outcomes)))

    on(NodeTask("bootstrap", never, engine=engine), json=True, inventory="nodes.yaml", parallel="7")
    assert shown(capsys) == (0, {"n1": "changed", "n2": "changed", "n3": "changed"})
    on(NodeTask("bootstrap", never, engine=engine), json=True, host="n1")
    assert json.loads(capsys.readouterr().out) == {"host": "n1", "by": 16}


def long(node: Node) -> Done:
    return planned(node, Report.of([Item("changed", "route", f"label {n}", "added: …") for n in range(16, 1016)]))


def test_a_long_plan_says_in_which_file_every_item_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Leave):
        on(NodeTask("plan", long, each=True), inventory="nodes.yaml")
    said = capsys.readouterr().out
    paths = [line.removeprefix("every item is in ") for line in said.splitlines() if line.startswith("every item")]
    assert [Path(path).name for path in paths] == ["n1.json", "n2.json", "n3.json"]
    assert [len(json.loads(Path(path).read_text())["items"]) for path in paths] == [1000] * 3
    assert said.count("  route 1,000 labels: added\n") == 3
    with pytest.raises(Leave):
        on(NodeTask("plan", long), host="root@n1:2201")
    last = capsys.readouterr()
    assert last.out == "would be routed:\n  route 1,000 labels: added\n"
    path = Path("build/nodes/hosts/n1-2201/plan.json")
    assert last.err == f"every item is in {path.absolute()}\n"
    assert len(json.loads(path.read_text())["items"]) == 1000


def test_json_has_every_item_of_every_node_whatever_is_summed_up_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Leave):
        on(NodeTask("plan", long), json=True, inventory="nodes.yaml")
    text = capsys.readouterr().out
    document = json.loads(text)
    assert [len(row["items"]) for row in document["nodes"]] == [1000] * 3
    assert text == json.dumps(document, indent=2) + "\n"


def test_json_has_every_item_whatever_another_run_on_the_same_nodes_does_meanwhile(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(node: Node) -> Done:
        if node.name == "n3":
            other = LastRun(Path("build").absolute(), "bootstrap", Path("nodes.yaml")).load()
            other.begin([node, replace(node, name="n1")])
            other.put([Outcome("n1", State.OK, document={"by": "the other"})])
        return Done({"by": node.name})

    many(work, parallel="1")
    assert [row["by"] for row in json.loads(capsys.readouterr().out)["nodes"]] == ["n1", "n2", "n3"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"parallel": "0"}, "--parallel 0: not a whole number from 1 to 128"),
        ({"timeout": "soon"}, "--timeout soon: not a whole number from 1 to 86400"),
        ({"failed": True}, "--failed: no run of this task on "),
        ({"become": ""}, "--ask-become-password is for sudo, which no node of the run uses"),
    ],
)
def test_every_flag_is_judged_before_a_password_is_asked_for(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongInput) as caught:
        many(lambda node: Done(), **{"become": "sudo", "ask_become_password": True, **flags})
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("flag", ["parallel", "batch", "max_failures", "failed"])
def test_flags_of_an_inventory_are_refused_with_one_host(flag: str) -> None:
    with pytest.raises(WrongInput, match=f"--{flag.replace('_', '-')} is for an inventory, and --host names one node"):
        assignment("bootstrap", NodeFlags("n1"), SessionFlags(), given(FleetFlags, {flag: "1"}))


def test_a_password_is_not_asked_for_when_nothing_is_left_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    many(lambda node: Done())
    capsys.readouterr()
    many(lambda node: Done(), failed=True, become="sudo", ask_become_password=True)
    assert shown(capsys) == (0, {})
