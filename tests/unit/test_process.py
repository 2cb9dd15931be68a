import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import BuildFailed, Exit, MachineLacks, OutsideFailed


def awaited(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def ended(pid: int) -> bool:
    """Whether a process is gone, or dead and only waits to be reaped by init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_words_reach_the_program_as_they_are() -> None:
    words = ["", "a b", "it's", "$HOME", "`id`", "*", "a\nb", "--", "é"]
    assert process.run(["printf", "<%s>", *words]).stdout == "".join(f"<{word}>" for word in words)


def test_an_ended_command_tells_all_about_it() -> None:
    done = process.run(["sh", "-c", "cat; echo err >&2; exit 7"], stdin=b"in", check=False)
    assert (done.argv, done.returncode) == (("sh", "-c", "cat; echo err >&2; exit 7"), 7)
    assert (done.stdout, done.stderr) == ("in", "err\n")
    assert 0 < done.seconds < 5


def test_a_failure_quotes_the_command_so_that_it_can_be_pasted() -> None:
    with pytest.raises(BuildFailed) as failed:
        process.run(["sh", "-c", "echo 'it went wrong' >&2; exit 3", Path("a b")])
    assert failed.value.message == """exit 3: sh -c 'echo '"'"'it went wrong'"'"' >&2; exit 3' 'a b'"""
    assert (failed.value.detail, failed.value.hint) == ("it went wrong", "")


def test_a_failure_without_stderr_shows_stdout() -> None:
    with pytest.raises(BuildFailed) as failed:
        process.run(["sh", "-c", "echo only here; exit 1"])
    assert failed.value.detail == "only here"


def test_a_failure_is_of_the_kind_and_with_the_hint_that_the_caller_gives() -> None:
    with pytest.raises(OutsideFailed) as failed:
        process.run(["false"], failure=OutsideFailed, hint="apt-get update")
    assert (failed.value.code, failed.value.hint) == (Exit.OUTSIDE_FAILED, "apt-get update")


def test_a_command_that_dies_of_a_signal_says_which() -> None:
    with pytest.raises(BuildFailed, match=r"signal 9: sh -c 'kill -9 \$\$'"):
        process.run(["sh", "-c", "kill -9 $$"])


def test_a_log_holds_the_commands_and_all_their_output(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    first = process.run(["sh", "-c", "echo out; echo err >&2"], log=log)
    process.run(["echo", "a b"], log=log)
    assert log.read_text() == "$ sh -c 'echo out; echo err >&2'\nout\nerr\n$ echo 'a b'\na b\n"
    assert (first.stdout, first.stderr) == ("", "")


def test_a_failure_shows_the_end_of_the_log_and_names_it(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with pytest.raises(BuildFailed) as failed:
        process.run(["sh", "-c", "seq 10000; exit 2"], log=log)
    assert failed.value.detail.split("\n") == [str(number) for number in range(9986, 10001)]
    assert failed.value.hint == f"the whole output is in {log}"
    assert log.read_text().endswith("\n9999\n10000\n")


def test_output_that_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed) as failed:
        process.run(["sh", "-c", r"printf '\377x'; exit 1"], log=tmp_path / "log")
    assert failed.value.detail == "�x"


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(OutsideFailed) as failed:
        process.run(["sh", "-c", "echo begun; sleep 60"], timeout=0.3, log=tmp_path / "log", failure=OutsideFailed)
    assert time.monotonic() - begin < 3
    assert failed.value.message == "no end after 0.3 s: sh -c 'echo begun; sleep 60'"
    assert failed.value.detail == "begun"


def test_what_a_command_said_before_it_took_too_long_is_shown_without_a_log_too() -> None:
    with pytest.raises(BuildFailed) as failed:
        process.run(["sh", "-c", "echo begun >&2; sleep 60"], timeout=0.3)
    assert failed.value.detail == "begun"


def test_a_missing_program_is_something_that_this_machine_lacks() -> None:
    for start in (lambda: process.run(["no-such-program"]), lambda: process.require("no-such-program", package="x")):
        with pytest.raises(MachineLacks, match="this machine lacks no-such-program") as failed:
            start()
        assert failed.value.code == Exit.MACHINE_LACKS


def test_a_missing_tool_is_told_with_the_package_that_brings_it() -> None:
    process.require("sh", "ls", package="dash coreutils")
    with pytest.raises(MachineLacks) as failed:
        process.require("sh", "no-such-flex", "no-such-bison", package="flex bison")
    assert failed.value.message == "this machine lacks no-such-flex, no-such-bison"
    assert failed.value.hint == "apt-get install flex bison (./run does it for the task that you ask for)"


def test_tools_of_root_are_found_though_they_are_not_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert process.find("ldconfig") in ("/usr/sbin/ldconfig", "/sbin/ldconfig")
    assert process.find("no-such-program") is None


def test_programs_speak_english_and_see_what_the_caller_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("KEPT", "1")
    seen = process.run(["sh", "-c", 'echo "$LC_ALL $KEPT $ADDED"'], env={"ADDED": "2"}).stdout
    assert seen == "C.UTF-8 1 2\n"


@pytest.mark.parametrize("after", ["", "seq 100; ", "seq 10000; "], ids=["last", "above the tail", "far above"])
def test_a_command_that_finds_the_disk_full_is_not_called_a_failed_build(tmp_path: Path, after: str) -> None:
    with pytest.raises(MachineLacks) as failed:
        process.run(["sh", "-c", f"dd if=/dev/zero of=/dev/full count=1; {after}exit 1"], log=tmp_path / "log")
    assert failed.value.message.startswith("the disk is full (")
    assert "MPLSKIT_BUILD, MPLSKIT_DIST or MPLSKIT_CACHE" in failed.value.hint


def test_an_earlier_command_in_the_same_log_does_not_count(tmp_path: Path) -> None:
    process.run(["dd", "if=/dev/zero", "of=/dev/full", "count=1"], log=tmp_path / "log", check=False)
    with pytest.raises(BuildFailed):
        process.run(["false"], log=tmp_path / "log")


def test_children_and_grandchildren_end_when_the_block_is_left_by_an_exception() -> None:
    command = "sleep 1000 & echo $!; sleep 1000 & echo $!; wait"
    pids: list[int] = []
    with pytest.raises(KeyError), process.started(["sh", "-c", command]) as child:
        assert child.stdout is not None
        pids += [child.pid, int(child.stdout.readline()), int(child.stdout.readline())]
        raise KeyError
    assert len(pids) == 3 and all(ended(pid) for pid in pids)


def test_what_a_command_leaves_in_the_background_ends_with_it(tmp_path: Path) -> None:
    process.run(["sh", "-c", f"sleep 1000 >{tmp_path}/out 2>&1 & echo $! >{tmp_path}/pid"])
    assert ended(int((tmp_path / "pid").read_text()))


def test_a_child_ends_though_we_are_killed_without_a_chance_to_end_it() -> None:
    program = (
        "import time\nfrom mplskit import process\n"
        "with process.started(['sleep', '1000']) as child:\n    print(child.pid, flush=True)\n    time.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert awaited(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n")
        os.kill(parent.pid, signal.SIGKILL)
    assert awaited(lambda: ended(pid))


def test_a_child_that_ignores_sigterm_ends_with_us_by_the_signal_that_was_asked_for() -> None:
    program = (
        "import signal, time\nfrom mplskit import process\n"
        "stubborn = ['sh', '-c', 'trap \"\" TERM; echo ready; exec sleep 1000']\n"
        "with process.started(stubborn, death_signal=signal.SIGKILL) as child:\n"
        "    child.stdout.readline()\n    print(child.pid, flush=True)\n    time.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    assert awaited(lambda: ended(pid))


def test_output_for_the_user_goes_where_ours_goes(capfd: pytest.CaptureFixture[str]) -> None:
    assert process.show(["sh", "-c", "echo out; echo err >&2; exit 4"]) == 4
    assert capfd.readouterr() == ("out\n", "err\n")


def test_a_program_that_is_there_and_cannot_be_run_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "a-tool").write_text("#!/bin/sh\n")
    (tmp_path / "a-folder").mkdir()
    hint = f"ls -ld {tmp_path}/{{}}; chmod +x makes a program of a file"
    for start in (
        lambda name: process.run([name]),
        lambda name: process.run([tmp_path / name]),
        lambda name: process.require("sh", name, package="x"),
    ):
        for name, why in (("a-tool", "no permission"), ("a-folder", "it is no file")):
            with pytest.raises(MachineLacks) as failed:
                start(name)
            assert failed.value.message == f"{tmp_path}/{name} is there and cannot be run: {why}"
            assert failed.value.hint == hint.format(name)


def test_a_program_that_the_kernel_refuses_is_not_a_build_that_failed(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/no/such/interpreter\n")
    (tmp_path / "tool").chmod(0o755)
    with pytest.raises(MachineLacks) as failed:
        process.run([tmp_path / "tool", "--version"])
    assert failed.value.message == f"{tmp_path}/tool cannot be run here: No such file or directory"
    assert failed.value.detail == f"$ {tmp_path}/tool --version"
