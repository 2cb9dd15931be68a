"""The process in which the checks of many nodes run: what goes wrong for one is no other's concern."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.node.verify.suite import Suite
from mplskit.paths import data
from mplskit.process_group import Group, grouped
from mplskit.remote.host import Host
from mplskit.remote.session import Answer
from tests.command_line import ROOT, awaited

# Two checks that do what the node says.
CHECKS = """\
import os, signal, time, pytest

@pytest.mark.condition("N1")
def test_one(facts, seen):
    seen(facts.run("name")[1])

@pytest.mark.condition("N5")
def test_two(facts, seen):
    does = facts.run("does")[1]
    if does == "hang":
        facts.run("hangs")
        while True:
            time.sleep(60)
    elif does == "exit":
        os._exit(0)
    elif does == "die":
        print("about to die", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    elif does == "leave":
        pytest.exit("enough")
    elif does == "raise":
        raise RuntimeError("no such thing")
    seen(does)
    assert does == "well"
"""


class Node:
    """A node that answers two questions; `hears` is called with each that it is asked."""

    def __init__(self, name: str, does: str = "well", hears: Callable[[str], None] = lambda question: None) -> None:
        self.host = Host(name)
        self._does, self._hears = does, hears

    def run(self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: bytes = b"") -> Answer:
        question = argv[-1].rpartition("; ")[2].rstrip("'")
        self._hears(question)
        said = {"name": self.host.name, "does": self._does}.get(question, "")
        return Answer(tuple(argv), 0, said + argv[-2])


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """A suite of two checks, with the conftest.py of the real one."""
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(data("bootstrap") / "checks" / name, tmp_path)
    (tmp_path / "test_two.py").write_text(CHECKS)
    with Suite(tmp_path) as running:
        yield running
    assert not servers(tmp_path)


def servers(folder: Path) -> Sequence[int]:
    """The processes of a suite: the one that was started, and its workers."""
    found = process.run(
        ["pgrep", "-f", "--", f" mplskit.node.verify.checks_server [0-9]+ {folder}$"], check=False
    ).stdout
    return [int(word) for word in found.split()]


def looked_at(suite: Suite, nodes: Sequence[Node]) -> Mapping[str, object]:
    """What came of each node, all looked at at the same time: outcomes and what was seen, or the error."""

    def one(node: Node) -> object:
        try:
            return [(result["id"], result["outcome"], result["seen"]) for result in suite.run(node)]
        except OutsideFailed as failure:
            return str(failure)

    with ThreadPoolExecutor(len(nodes)) as threads:
        return dict(zip((node.host.name for node in nodes), threads.map(one, nodes), strict=True))


def good(name: str) -> object:
    return [("N1", "passed", name), ("N5", "passed", "well")]


def test_a_check_that_exits_dies_leaves_or_raises_on_one_node_does_so_there_alone(suite: Suite) -> None:
    bad = {name: Node(name, name) for name in ("exit", "die", "leave", "raise")}
    fine = [Node(f"node-{number}") for number in range(8)]
    came = looked_at(suite, [*fine[:4], *bad.values(), *fine[4:]])
    assert {name: came[name] for name in came if name not in bad} == {
        f"node-{number}": good(f"node-{number}") for number in range(8)
    }
    unfinished = "error: the checks of {} did not run to their end\n"
    assert came["exit"] == unfinished.format("exit") + "  | exit 0"
    assert str(came["die"]).startswith(unfinished.format("die"))
    assert str(came["die"]).endswith("  | about to die\n  | signal 9")
    assert re.fullmatch(
        unfinished.format("leave") + r"(  \| .*\n)+  \| .*Exit: enough\n  \| exit 1", str(came["leave"])
    )
    assert came["raise"] == [("N1", "passed", "raise"), ("N5", "error", "no such thing")]


def test_a_check_that_hangs_ends_with_the_group_of_its_node_and_no_other_does(suite: Suite, tmp_path: Path) -> None:
    group, hung = Group(), threading.Event()
    node = Node("hang", "hang", lambda question: hung.set() if question == "hangs" else None)
    came: list[str] = []

    def look() -> None:
        with grouped(group), pytest.raises(OutsideFailed) as failed:
            suite.run(node)
        came.append(failed.value.message)

    thread = threading.Thread(target=look)
    thread.start()
    assert hung.wait(60)
    assert looked_at(suite, [Node("other")]) == {"other": good("other")}
    assert len(servers(tmp_path)) == 2
    group.end()
    thread.join(20)
    assert came == ["the checks of hang did not run to their end"]
    assert awaited(lambda: len(servers(tmp_path)) == 1)
    assert looked_at(suite, [Node("third")]) == {"third": good("third")}


def test_a_worker_that_is_killed_is_told_for_its_node_alone(suite: Suite, tmp_path: Path) -> None:
    hung = threading.Event()
    node = Node("one", "hang", lambda question: hung.set() if question == "hangs" else None)

    def kill() -> None:
        assert hung.wait(60)
        os.kill(max(servers(tmp_path)), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(OutsideFailed) as failed:
        suite.run(node)
    killer.join()
    assert failed.value.detail.endswith("signal 9")
    assert looked_at(suite, [Node("other")]) == {"other": good("other")}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_process_of_the_checks_is_killed_its_workers_end_and_the_next_node_gets_another(
    number: signal.Signals, suite: Suite, tmp_path: Path
) -> None:
    hung = threading.Barrier(4)

    def hear(question: str) -> None:
        if question == "hangs":
            hung.wait(60)

    nodes = [Node(f"n{i}", "hang", hear) for i in "123"]

    def kill() -> None:
        hung.wait(60)
        os.kill(min(servers(tmp_path)), number)

    killer = threading.Thread(target=kill)
    killer.start()
    came = looked_at(suite, nodes)
    killer.join()
    assert [str(said).splitlines()[0] for said in came.values()] == [
        f"error: the checks of {name} did not run to their end" for name in ("n1", "n2", "n3")
    ]
    assert looked_at(suite, [Node("other")]) == {"other": good("other")}
    assert len(servers(tmp_path)) == 1


def test_checks_that_cannot_be_read_are_told_once_for_each_node(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "test_more.py").write_text("import no_such_module\n")
    came = looked_at(suite, [Node("one"), Node("two")])
    for said in came.values():
        assert str(said).startswith("error: the checks could not be read\n")
        assert "No module named 'no_such_module'" in str(said)


MANY = """\
import resource, sys
from pathlib import Path
from tests.integration import test_node_verify_suite as tests
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
with tests.Suite(Path(sys.argv[1])) as suite:
    names = [f"node-{number}" for number in range(200)]
    came = tests.looked_at(suite, [tests.Node(name) for name in names])
assert came == {name: tests.good(name) for name in names}, came
"""


def test_two_hundred_nodes_at_once_need_few_file_descriptors(suite: Suite, tmp_path: Path) -> None:
    """The files that 200 sessions would need are not counted."""
    argv = [sys.executable, "-c", MANY, str(tmp_path)]
    process.run(argv, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, timeout=100)


def test_nothing_is_left_when_we_are_killed(tmp_path: Path, suite: Suite) -> None:
    hanging = (
        "import sys; from pathlib import Path; from tests.integration import test_node_verify_suite as tests\n"
        "with tests.Suite(Path(sys.argv[1])) as suite:\n"
        "    tests.looked_at(suite, [tests.Node(name, 'hang') for name in ('one', 'two')])\n"
    )
    with process.started(
        [sys.executable, "-c", hanging, tmp_path], stdout=subprocess.DEVNULL, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    ) as running:
        assert awaited(lambda: len(servers(tmp_path)) == 3)
        running.kill()
        running.wait(10)
        assert awaited(lambda: not servers(tmp_path))
