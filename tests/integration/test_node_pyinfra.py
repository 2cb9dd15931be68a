"""--engine pyinfra: the payload is carried by a real pyinfra to a real sshd, and reported as by our own sessions."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mplskit import process
from tests.command_line import CommandLine, awaited
from tests.worlds.logins import logins
from tests.worlds.package_file import make_deb
from tests.worlds.pyinfra_nodes import World, world
from tests.worlds.scripted_nodes import CUT, FULL, GOOD, SLOW, states
from tests.worlds.sshd import free_port

# Imported here it would change how Python reads and waits, for every test.
pytestmark = pytest.mark.skipif(find_spec("pyinfra_cli") is None, reason="pyinfra is not installed (./run installs it)")
WAITS = f"""\
{GOOD}
printf 'waits\\tinterface\\tcoer0\\tno such interface; the node has core0\\n'
printf 'waits\\troute\\tlabel 100\\twaits for its interface or next hop\\n'
"""
PLAN = (
    "printf 'diff\\tfile\\t/etc/x\\t-old\\ndiff\\tfile\\t/etc/x\\t+new\\nchanged\\tfile\\t/etc/x\\twould be written\\n'"
)
# What was brought: names of packages, and what apt is asked for.
BROUGHT = """\
for file in "$place"/packages/* "$place"/want/apt; do
    [ ! -e "$file" ] || printf 'changed\\tpackage\\t%s\\t%s\\n' "${file##*/}" "$(head -c 7 "$file")"
done
printf 'same\\tfile\\t/etc/x\\t\\n'
"""
SOURCES = """\
Types: deb
URIs: https://debian.example.org/
Suites: ./
Signed-By: /etc/apt/keyrings/example.asc
"""


@pytest.fixture
def nodes(namespaces: None, tmp_path: Path) -> Iterator[World]:
    if process.find("sshd") is None:
        pytest.skip("openssh-server is not installed (./run test installs it)")
    with world(tmp_path) as running:
        yield running


def rows(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {row["node"]: row for row in document["nodes"]}


def left(nodes: World) -> list[Path]:
    """What runs left: in the folder where pyinfra works, and on the nodes."""
    places = [nodes.folder / "build" / "pyinfra", *(nodes.folder / name / "tmp" for name in nodes.names)]
    return [path for place in places for path in place.iterdir()]


def working(folder: Path) -> list[str]:
    """The processes that work in a folder or below it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            found += [entry.parent.name] if entry.readlink().is_relative_to(folder) else []
    return found


def test_each_node_comes_out_as_with_our_own_sessions_and_the_second_run_changes_nothing(nodes: World) -> None:
    nodes.node("good", GOOD)
    nodes.node("full", FULL)
    nodes.node("cut", CUT)
    nodes.node("mute", "exit 0")
    nodes.node("dead", port=free_port())
    nodes.node("unknown", GOOD, known=False)

    code, document, said = nodes.run("node.bootstrap")
    assert (code, document["code"]) == (1, 1), said
    assert states(document) == {
        "good": "changed",
        "full": "failed",
        "cut": "failed",
        "mute": "failed",
        "dead": "unreachable",
        "unknown": "unreachable",
    }
    told = rows(document)
    assert told["good"]["changes"] == 2
    assert told["good"]["items"] == [
        {"state": "changed", "kind": "file", "name": "/etc/sysctl.d/90-mplskit.conf", "detail": "written"},
        {"state": "changed", "kind": "module", "name": "mpls_router", "detail": "loaded"},
    ]
    assert {name: row["code"] for name, row in told.items()} == {
        "good": 0,
        "full": 1,
        "cut": 4,
        "mute": 4,
        "dead": 4,
        "unknown": 4,
    }
    assert told["full"]["error"] == "full is not set up: file /etc/mplskit/node.json: No space left on device"
    assert told["cut"]["error"] == "the session with cut was cut, after file /etc/mplskit/node.json"
    assert told["mute"]["error"] == "the payload did not run to its end on mute (exit 0)"
    assert told["dead"]["error"].startswith("pyinfra does not reach dead: Could not connect (")
    assert told["dead"]["hint"].startswith("nothing answers there: ")
    assert told["unknown"]["error"].startswith("pyinfra does not reach unknown: SSH error (StrictPolicy: No host key")
    assert told["unknown"]["hint"].startswith("the node's host key is not known here: ")
    # The session that was cut could not clear away.
    assert {path.parts[-3] for path in left(nodes)} == {"cut"}

    code, document, said = nodes.run("node.bootstrap", "--limit", "good")
    assert (code, states(document)) == (0, {"good": "ok"}), said


def test_a_node_that_waits_is_not_ready_for_the_engine_nor_for_pyinfra_alone(nodes: World) -> None:
    nodes.node("early", WAITS)
    for state in ("changed", "ok"):
        code, document, said = nodes.run("node.bootstrap")
        assert (code, states(document)) == (1, {"early": state}), said
        assert rows(document)["early"]["error"].startswith("early is not ready: waits for coer0, route label 100: no ")
    code, document, said = nodes.run("node.plan")
    assert (code, rows(document)["early"]["code"]) == (1, 1), said

    words = ("--inventory", nodes.folder / "nodes.yaml", "--ssh-config", nodes.config, "--format", "pyinfra")
    rendered = nodes.mplskit("node.render", *words, "--to", nodes.folder / "alone")
    assert rendered.returncode == 0, rendered.stderr
    argv = [sys.executable, "-m", "pyinfra", "-y", "inventory.py", "deploy.py"]
    ended = process.run(argv, cwd=nodes.folder / "alone", env={"HOME": str(nodes.folder)}, check=False)
    assert ended.returncode == 1
    assert "not ready: waits for coer0, label 100" in ended.stdout + ended.stderr


def test_one_node_is_shown_as_itself(nodes: World) -> None:
    nodes.node("good", GOOD)
    words = ("--host", "good", "--ssh-config", nodes.config, "--engine", "pyinfra")
    first = nodes.mplskit("node.bootstrap", *words)
    assert first.returncode == 0, first.stderr
    assert "/etc/sysctl.d/90-mplskit.conf" in first.stdout
    assert "✓ setting up good with pyinfra (" in first.stderr
    second = nodes.mplskit("node.bootstrap", *words, "--json")
    assert (second.returncode, json.loads(second.stdout)["changed"]) == (0, False), second.stderr


def test_a_login_that_says_something_where_sftp_begins_is_told(nodes: World) -> None:
    login = nodes.node("noisy", GOOD) / "login"
    login.write_text(f"echo Welcome\n{login.read_text()}")
    ran = nodes.mplskit("node.bootstrap", "--host", "noisy", "--ssh-config", nodes.config, "--engine", "pyinfra")
    assert ran.returncode == 4
    assert "hint: a start-up file of the login on the node (such as ~/.bashrc) writes to stdout" in ran.stderr


def test_a_plan_changes_nothing_and_shows_the_differences(nodes: World) -> None:
    place = nodes.node("good", GOOD)
    nodes.node("other", PLAN)
    code, document, said = nodes.run("node.plan")
    assert (code, states(document)) == (1, {"good": "changed", "other": "changed"}), said
    assert [item["detail"] for item in rows(document)["other"]["items"]] == ["-old", "+new", "would be written"]
    assert not (place / "there").exists()
    assert left(nodes) == []


def test_packages_are_brought_to_those_that_lack_them(nodes: World, tmp_path: Path) -> None:
    has, lacks = nodes.node("has", BROUGHT), nodes.node("lacks", BROUGHT)
    packages = tmp_path / "packages"
    packages.mkdir()
    path = make_deb(packages, "iproute2", {"usr/bin/ip": "an example\n"})
    digest = process.run(["sha256sum", path]).stdout.split()[0]
    for place in (has, lacks):
        (place / "lib" / "mplskit" / "packages").mkdir(parents=True)
    (has / "lib" / "mplskit" / "packages" / "iproute2").write_text(f"{digest} 1\n")
    (nodes.folder / "bin" / "dpkg-query").write_text("#!/bin/sh\necho 'installed 1'\n")
    (nodes.folder / "bin" / "dpkg-query").chmod(0o755)

    code, document, said = nodes.run("node.bootstrap", "--packages", str(packages))
    assert code == 0, said
    assert states(document) == {"has": "ok", "lacks": "changed"}
    brought = [item["name"] for item in rows(document)["lacks"]["items"] if item["kind"] == "package"]
    assert brought == ["iproute2_1_all.deb"]
    code, document, said = nodes.run("node.plan", "--packages", str(packages))
    assert (code, states(document)) == (0, {"has": "ok", "lacks": "ok"}), said
    assert left(nodes) == []


def test_a_node_without_room_for_the_packages_gets_none(nodes: World, tmp_path: Path) -> None:
    place = nodes.node("small", BROUGHT)
    packages = tmp_path / "packages"
    packages.mkdir()
    make_deb(packages, "iproute2", {"usr/bin/ip": "x" * (100 << 10)})
    (nodes.folder / "bin" / "df").write_text("#!/bin/sh\nprintf 'Avail Mounted on\\n   50 /\\n'\n")
    (nodes.folder / "bin" / "df").chmod(0o755)

    code, document, said = nodes.run("node.bootstrap", "--packages", str(packages))
    assert code == 1, said
    [item] = document["nodes"][0]["items"]
    assert (item["state"], item["kind"], item["name"]) == ("failed", "node", "space")
    assert item["detail"] == "/ has 0 MiB free, and 1 MiB are needed (/usr, /var/tmp) for iproute2"
    code, document, said = nodes.run("node.plan", "--packages", str(packages))
    assert code == 1, said
    assert [item["state"] for item in document["nodes"][0]["items"]] == ["failed", "same"]
    assert list((place / "tmp").iterdir()) == []


def test_what_apt_is_to_install_is_named_to_the_node(nodes: World, tmp_path: Path) -> None:
    nodes.node("good", BROUGHT)
    (tmp_path / "example.sources").write_text(SOURCES)
    words = ("--apt", str(tmp_path / "example.sources"), "--package", "frr")
    code, document, said = nodes.run("node.bootstrap", *words)
    assert code == 0, said
    item = document["nodes"][0]["items"][0]
    assert (item["name"], item["detail"]) == ("apt", "frr")


def test_no_node_is_begun_after_too_many_failed_at_connecting_or_in_a_batch(nodes: World) -> None:
    nodes.node("full-1", FULL)
    nodes.node("good-1", GOOD)
    nodes.node("dead-1", port=free_port())
    good = nodes.node("good-2", GOOD)
    nodes.node("good-3", GOOD)

    code, document, said = nodes.run("node.bootstrap", "--batch", "2", "--max-failures", "1")
    assert code == 1, said
    assert states(document) == {
        "full-1": "failed",
        "good-1": "changed",
        "dead-1": "unreachable",
        "good-2": "not begun",
        "good-3": "not begun",
    }
    assert rows(document)["good-2"]["error"] == "2 failed, and --max-failures is 1"
    assert not (good / "there").exists()

    code, document, said = nodes.run("node.bootstrap", "--batch", "2", "--max-failures", "2", "--failed")
    assert states(document) == {
        "full-1": "failed",
        "dead-1": "unreachable",
        "good-2": "changed",
        "good-3": "changed",
    }, said


def test_an_interrupted_run_tells_what_is_done_and_leaves_no_process(nodes: World) -> None:
    slow = nodes.node("slow", SLOW)
    nodes.node("good", GOOD)
    with nodes.mplskit.running(*nodes.words("node.bootstrap", "--batch", "1")) as running:
        assert awaited((slow / "begun").exists)
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130
        assert running.stderr is not None
        said = running.stderr.read()
    assert "slow: failed" in said
    report = next((nodes.folder / "build" / "nodes").glob("*/bootstrap.json"))
    assert states(json.loads(report.read_text())) == {"slow": "failed", "good": "not begun"}
    assert awaited(lambda: not working(nodes.folder))
    assert list((nodes.folder / "build" / "pyinfra").iterdir()) == []


def test_a_host_key_is_taken_where_that_is_asked_for(nodes: World) -> None:
    nodes.node("unknown", GOOD, known=False)
    code, document, said = nodes.run("node.bootstrap", "--accept-new")
    assert (code, states(document)) == (0, {"unknown": "changed"}), said
    assert "ssh-ed25519" in (nodes.sshd.folder / "nothing_known").read_text()


def test_an_inventory_of_pyinfras_is_read_as_pyinfra_does(nodes: World) -> None:
    nodes.node("edge-1", GOOD)
    nodes.node("core-1", GOOD)
    (nodes.folder / "hosts.py").write_text(
        f"config = {{'ssh_config_file': {str(nodes.config)!r}, 'ssh_strict_host_key_checking': 'yes'}}\n"
        "edge = (['edge-1'], {**config, 'mplskit': {'platform_labels': 2000}})\n"
        "core = ([('core-1', {'mplskit': {'mpls_input': ['lo']}})], config)\n"
        "print('this is code')\n"
    )
    words = ("--inventory", "hosts.py", "--engine", "pyinfra", "--json")
    dry = nodes.mplskit("node.bootstrap", *words, "--dry-run", "--limit", "edge", "--set", "platform_labels=3000")
    assert dry.returncode == 0, dry.stderr
    [shown] = json.loads(dry.stdout)["nodes"]
    assert shown["node"] == "edge-1"
    assert "net/mpls/platform_labels = 3000" in shown["files"]["/etc/sysctl.d/90-mplskit.conf"]
    ran = nodes.mplskit("node.bootstrap", *words)
    assert (ran.returncode, states(json.loads(ran.stdout))) == (0, {"edge-1": "changed", "core-1": "changed"})


def test_root_is_reached_by_sudo_and_doas_where_they_ask_for_no_password(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not all(map(process.find, ("sshd", "sudo", "doas", "scp"))):
        pytest.skip("needs root, and sshd, sudo, doas and scp (./run test installs them)")
    mplskit = CommandLine(tmp_path, {"HOME": str(tmp_path)})
    (tmp_path / "sshd").mkdir()
    with logins(tmp_path / "sshd") as running:
        (tmp_path / "hosts.py").write_text(
            f"shared = {{'ssh_hostname': 'node', 'ssh_config_file': {str(running.server.folder / 'config')!r},\n"
            "    'ssh_file_transfer_protocol': 'scp', 'mplskit': {}}\n"
            "all = [\n"
            "    ('by-sudo', {**shared, 'ssh_user': 'free', '_sudo': True}),\n"
            "    ('by-doas', {**shared, 'ssh_user': 'free', '_doas': True}),\n"
            "    ('asked', {**shared, 'ssh_user': 'asked', '_sudo': True}),\n"
            "    ('nobody', {**shared, 'ssh_user': 'none'}),\n"
            "]\n"
        )
        ran = mplskit("node.plan", "--inventory", "hosts.py", "--engine", "pyinfra", "--json")
    told = rows(json.loads(ran.stdout))
    for name in ("by-sudo", "by-doas"):
        files = {item["name"] for item in told[name]["items"] if item["kind"] == "file"}
        assert "/etc/mplskit/node.json" in files, ran.stderr
    assert told["asked"]["error"] == (
        "asked@node: sudo does not make the login root: "
        "sudo: a password is required, and there is no terminal to ask on"
    )
    assert told["nobody"]["error"] == "none@node: must run as root, not as none"
    assert (told["asked"]["code"], told["nobody"]["code"]) == (3, 3)


def test_a_pyinfra_that_ends_early_is_told_in_its_words_for_each_node(nodes: World) -> None:
    nodes.node("good", GOOD)
    (nodes.folder / "hosts.py").write_text(
        f"config = {{'ssh_config_file': {str(nodes.config)!r}, 'mplskit': {{}}}}\n"
        "all = [('good', config), ('keyless', {**config, 'ssh_hostname': 'good', 'ssh_key': 'there/is/none'})]\n"
    )
    ran = nodes.mplskit("node.bootstrap", "--inventory", "hosts.py", "--engine", "pyinfra", "--json")
    told = rows(json.loads(ran.stdout))
    assert {name: (row["state"], row["code"]) for name, row in told.items()} == {
        "good": ("failed", 4),
        "keyless": ("failed", 4),
    }
    for row in told.values():
        assert "pyinfra ended (exit 1) before the payload of good was on its way: " in row["error"]
        assert "there/is/none" in row["error"]
