"""Many nodes over real SSH sessions with a real sshd: each is a login whose apply.sh is what the test says it is."""

import json
import signal
import time

import pytest

from mplskit import process
from tests.command_line import awaited
from tests.worlds.scripted_nodes import CUT, FULL, GOOD, NOTHING, SLOW, World, sessions, states
from tests.worlds.sshd import free_port

PLAN = """\
printf 'diff\\tfile\\t/etc/mplskit/node.json\\t@@ -1 +1 @@\\ndiff\\tfile\\t/etc/mplskit/node.json\\t-old\\n'
printf 'diff\\tfile\\t/etc/mplskit/node.json\\t+new\\nchanged\\tfile\\t/etc/mplskit/node.json\\twould be written\\n'
printf 'changed\\tsysctl\\tnet/mpls/platform_labels\\t0 -> 100000\\nsame\\tmodule\\tmpls_gso\\t\\n'
"""


def test_dead_slow_full_and_cut_nodes_hold_no_other_up_and_a_second_run_takes_up_those_that_can(fleet: World) -> None:
    fine = ("good-1", "good-2", "good-3")
    for name in fine:
        fleet.node(name, GOOD)
    fleet.node("dead", port=free_port())
    fleet.node("slow", SLOW)
    fleet.node("full", FULL)
    fleet.node("cut", CUT)
    fleet.node("mute", NOTHING)
    fleet.inventory("dead", "slow", "full", "cut", "mute", *fine)

    code, document, said = fleet.run("node.bootstrap", "--parallel", "4", "--timeout", "8")
    assert (code, document["code"]) == (1, 1), said
    assert states(document) == {
        "dead": "unreachable",
        **dict.fromkeys(("slow", "full", "cut", "mute"), "failed"),
        **dict.fromkeys(fine, "changed"),
    }
    rows = {row["node"]: row for row in document["nodes"]}
    assert {name: row["code"] for name, row in rows.items()} == {
        "dead": 4,
        "slow": 4,
        "full": 1,
        "cut": 4,
        "mute": 4,
        **dict.fromkeys(fine, 0),
    }
    assert rows["dead"]["error"].startswith("ssh to dead failed: ssh: connect to host 127.0.0.1 port ")
    assert rows["dead"]["error"].endswith(": Connection refused")
    after = "the session with {} was cut, after file /etc/mplskit/node.json"
    assert rows["slow"]["error"] == f"no end after 8 s: {after.format('slow')}"
    assert rows["cut"]["error"].startswith(after.format("cut"))
    assert rows["full"]["error"] == "full is not set up: file /etc/mplskit/node.json: No space left on device"
    assert rows["full"]["items"][0]["detail"] == "No space left on device"
    assert rows["mute"]["error"] == "the payload did not run to its end on mute (exit 0)"
    assert rows["good-1"]["changes"] == 2
    assert "error: 5 of 8 nodes did not get done: 4 failed, 1 unreachable\nhint: the same command with --failed" in said

    fleet.node("slow", GOOD)
    fleet.node("full", GOOD)
    code, document, _ = fleet.run("node.bootstrap", "--failed")
    assert code == 4
    assert states(document) == {
        "dead": "unreachable",
        "slow": "changed",
        "full": "changed",
        "cut": "failed",
        "mute": "failed",
    }
    fleet.node("cut", GOOD)
    fleet.node("mute", GOOD)
    code, document, _ = fleet.run("node.bootstrap", "--failed", "--limit", "!dead")
    assert (code, states(document)) == (0, {"cut": "changed", "mute": "changed"})
    code, document, _ = fleet.run("node.bootstrap", "--failed")
    assert (code, states(document)) == (4, {"dead": "unreachable"})
    code, document, _ = fleet.run("node.bootstrap", "--limit", "!dead")
    assert (code, set(states(document).values())) == (0, {"ok"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_sessions_and_the_report_says_what_is_known(number: signal.Signals, fleet: World) -> None:
    fleet.node("good", GOOD)
    fleet.node("slow-1", SLOW)
    fleet.node("slow-2", SLOW)
    fleet.node("late", GOOD)
    fleet.inventory("good", "slow-1", "slow-2", "late")
    out = fleet.folder / "out"
    words = fleet.words("node.bootstrap", "--json", "--parallel", "2")
    environment = {**fleet.mplskit.environment()}
    with (
        out.open("wb") as file,
        process.started(fleet.mplskit.argv(*words), stdout=file, env=environment, cwd=fleet.folder) as running,
    ):
        assert awaited(
            lambda: (fleet.folder / "slow-1" / "begun").exists() and (fleet.folder / "slow-2" / "begun").exists()
        )
        begin = time.monotonic()
        running.send_signal(number)
        _, told = running.communicate(timeout=20)
        assert time.monotonic() - begin < 5
    assert running.returncode == (130 if number == signal.SIGINT else 143)
    document = json.loads(out.read_text())
    assert states(document) == {"good": "changed", "slow-1": "failed", "slow-2": "failed", "late": "not begun"}
    rows = {row["node"]: row for row in document["nodes"]}
    assert rows["slow-1"]["error"].startswith("the run was interrupted: the session with slow-1 was cut, after file")
    assert rows["late"]["error"] == "the run was interrupted"
    assert b"--failed takes up what is not done" in told
    assert sessions(fleet.folder) == []
    fleet.node("slow-1", GOOD)
    fleet.node("slow-2", GOOD)
    code, document, _ = fleet.run("node.bootstrap", "--failed")
    assert (code, states(document)) == (0, {"slow-1": "changed", "slow-2": "changed", "late": "changed"})
    code, document, said = fleet.run("node.bootstrap", "--failed")
    assert (code, document["nodes"]) == (0, [])
    assert said == "the last run got all of these nodes done: nothing to take up\n"


def test_a_killed_run_leaves_no_session_and_a_report_from_which_the_next_goes_on(fleet: World) -> None:
    fleet.node("slow", SLOW)
    fleet.node("late", GOOD)
    fleet.inventory("slow", "late")
    with fleet.mplskit.running(*fleet.words("node.bootstrap", "--parallel", "1")) as running:
        assert awaited((fleet.folder / "slow" / "begun").exists)
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert awaited(lambda: sessions(fleet.folder) == [])
    fleet.node("slow", GOOD)
    code, document, _ = fleet.run("node.bootstrap", "--failed")
    assert (code, states(document)) == (0, {"slow": "changed", "late": "changed"})


def test_a_plan_of_many_shows_each_difference_and_leaves_with_1_without_an_error(fleet: World) -> None:
    fleet.node("ler-1", PLAN)
    fleet.node("ler-2", "printf 'same\\tfile\\t/etc/mplskit/node.json\\t\\n'")
    fleet.inventory("ler-1", "ler-2")
    ended = fleet.mplskit(*fleet.words("node.plan"))
    assert ended.returncode == 1
    assert ended.stdout.startswith(
        "ler-1:\n"
        "--- /etc/mplskit/node.json\n"
        "+++ /etc/mplskit/node.json\n"
        "@@ -1 +1 @@\n"
        "-old\n"
        "+new\n"
        "would be set:\n"
        "  sysctl net/mpls/platform_labels: 0 -> 100000\n"
    )
    assert "ler-2:\n" not in ended.stdout
    assert "error" not in ended.stderr
    code, document, _ = fleet.run("node.plan", "--limit", "ler-2")
    assert (code, states(document)) == (0, {"ler-2": "ok"})


def test_one_host_is_shown_as_itself(fleet: World) -> None:
    fleet.node("ler-1", PLAN)
    one = ("--host", "ler-1", "--ssh-config", str(fleet.folder / "ssh_config"))
    ended = fleet.mplskit("node.plan", *one)
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (1, "--- /etc/mplskit/node.json")
    assert ended.stderr.splitlines()[-1].startswith("✓ planning ler-1 (")
    fleet.node("ler-1", SLOW)
    ended = fleet.mplskit("node.bootstrap", *one, "--timeout", "2")
    assert ended.returncode == 4
    assert "error: no end after 2 s: the session with ler-1 was cut, after file /etc/mplskit/node.json" in ended.stderr
    fleet.node("ler-1", FULL)
    ended = fleet.mplskit("node.remove", *one)
    assert ended.returncode == 1
    assert ended.stderr.endswith(
        "error: ler-1 still has something of ours: file /etc/mplskit/node.json\n"
        "  | No space left on device\n"
        "hint: correct that on the node and run it again: what is done stays\n"
    )
