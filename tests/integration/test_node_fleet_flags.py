"""Flags of node tasks on a real command line: what is judged, what is asked for, what is taken up again."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.command_line import CommandLine, awaited
from tests.worlds.scripted_nodes import GOOD, SLOW, World, sessions, states


def test_failed_takes_up_what_was_added_and_what_is_asked_for_anew_in_a_dry_run_too(fleet: World) -> None:
    for name in ("ler-1", "ler-2", "ler-3"):
        fleet.node(name, GOOD)
    inventory = fleet.inventory("ler-1", "ler-2")
    code, document, _ = fleet.run("node.bootstrap")
    assert (code, states(document)) == (0, {"ler-1": "changed", "ler-2": "changed"})
    inventory.write_text("nodes: {ler-1: {}, ler-2: {platform_labels: 5000}, ler-3: {}}\n")
    code, document, _ = fleet.run("node.bootstrap", "--failed", "--dry-run", "--allow", "shrink")
    assert (code, [row["node"] for row in document["nodes"]]) == (0, ["ler-2", "ler-3"])
    code, document, _ = fleet.run("node.bootstrap", "--failed", "--allow", "shrink")
    assert (code, states(document)) == (0, {"ler-2": "ok", "ler-3": "changed"})
    code, document, _ = fleet.run("node.bootstrap", "--failed")
    assert (code, document["nodes"]) == (0, [])


def test_an_interrupted_host_alone_says_how_far_it_came(fleet: World) -> None:
    fleet.node("slow", SLOW)
    words = ("node.bootstrap", "--host", "slow", "--ssh-config", str(fleet.folder / "ssh_config"))
    with fleet.mplskit.running(*words) as running:
        assert awaited((fleet.folder / "slow" / "begun").exists)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=20)
    assert running.returncode == 143
    assert "! the run was interrupted: the session with slow was cut, after file /etc/mplskit/node.json" in said
    assert said.endswith("mplskit: ended by SIGTERM\n")
    assert sessions(fleet.folder) == []


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[Path]:
    """An ssh_config in which every node takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        config = tmp_path / "ssh_config"
        port = server.getsockname()[1]
        config.write_text(f"Host *\n  HostName 127.0.0.1\n  Port {port}\n  UserKnownHostsFile /dev/null\n")
        (tmp_path / "nodes.yaml").write_text("nodes: {ler-1: {}, ler-2: {}}\n")
        yield config


def errors(junit: Path) -> dict[str, str]:
    """The error of each suite."""
    root = ElementTree.parse(junit).getroot()
    return {suite.get("name", ""): case.get("message", "") for suite in root for case in suite.iter("error")}


def test_an_interrupted_verify_leaves_a_junit_file_with_every_node(mute: Path, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text("of an earlier run")
    words = ("--inventory", "nodes.yaml", "--ssh-config", mute, "--parallel", "1", "--junit", junit)
    with CommandLine(tmp_path).running("node.verify", *words) as running:
        assert awaited(lambda: sessions(tmp_path))
        assert not junit.exists()
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
    assert running.returncode == 143
    found = errors(junit)
    assert found["ler-1"].startswith("the run was interrupted: ")
    assert found["ler-2"] == "the run was interrupted"


def test_a_wrong_flag_leaves_no_junit_file_of_an_earlier_run(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text("of an earlier run")
    ended = CommandLine(tmp_path)("node.verify", "--host", "a", "--parallel", "2", "--junit", "junit.xml")
    assert ended.returncode == 2
    assert not (tmp_path / "junit.xml").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--parallel", "0"), "--parallel 0: not a whole number from 1 to 128"),
        (("--max-failures", "none"), "--max-failures none: not a whole number from 0 to 1000000"),
        (("--failed",), "--failed: no run of this task on "),
        (("--ask-become-password",), "--ask-become-password is for sudo, which no node of the run uses"),
    ],
)
def test_a_dry_run_judges_the_flags_of_the_run(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / "nodes.yaml").write_text("nodes: {ler-1: {}}\n")
    ended = CommandLine(tmp_path)("node.bootstrap", "--inventory", "nodes.yaml", "--dry-run", *words)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"mplskit: error: {message}")


def test_what_reaches_no_node_asks_for_no_password(tmp_path: Path) -> None:
    # A password of two lines is refused where one is needed.
    mplskit = CommandLine(tmp_path, {"MPLSKIT_BECOME_PASSWORD": "two\nlines"})
    sudo = ("--host", "ann@10.0.0.1", "--become", "sudo", "--accept-new")
    assert mplskit("node.plan", *sudo).returncode == 2
    dry = mplskit("node.bootstrap", *sudo, "--dry-run", "--ask-become-password", "--json")
    assert (dry.returncode, list(json.loads(dry.stdout))) == (0, ["files", "packages"])
    rendered = mplskit("node.render", *sudo, "--format", "ansible", "--to", "out")
    assert rendered.returncode == 0, rendered.stderr
    [inventory] = (tmp_path / "out").glob("inventory.*")
    assert "ansible_become_method:" in inventory.read_text()
    assert "StrictHostKeyChecking=accept-new" in inventory.read_text()
    refused = mplskit("node.render", *sudo, "--ask-become-password")
    assert (refused.returncode, "No idea what '--ask-become-password' is!" in refused.stderr) == (1, True)


@pytest.mark.parametrize("task", ["node.verify", "node.remove"])
def test_what_stands_on_the_node_cannot_be_set_where_it_is_looked_at_or_taken_back(task: str, tmp_path: Path) -> None:
    ended = CommandLine(tmp_path)(task, "--host", "a", "--set", "platform_labels=1000")
    assert ended.returncode == 2
    assert ended.stderr == (
        "mplskit: error: --set platform_labels=1000: only user, port and become can be set here\n"
        "hint: what the node should be stands on the node itself; node.bootstrap brings it there\n"
    )
