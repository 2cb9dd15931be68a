import hashlib
import os
from collections.abc import Iterator

import pytest

from mplskit.errors import OutsideFailed
from mplskit.remote.session import Shell, shell
from tests.worlds.sshd import Sshd


@pytest.fixture
def sh(sshd: Sshd) -> Iterator[Shell]:
    with shell(sshd.host()) as session:
        yield session


def test_words_arrive_as_they_were_given(sh: Shell) -> None:
    words = ["", "a b", "it's", '"$HOME"', "`id`", "*", "\n", "--", "END", "\\n", "é"]
    assert sh.run(["printf", "<%s>", *words]).output == "".join(f"<{word}>" for word in words)


def test_output_comes_with_stderr_and_the_exit_status(sh: Shell) -> None:
    answer = sh.run(["sh", "-c", "echo out; echo err >&2; exit 7"], check=False)
    assert (answer.argv[0], answer.returncode, answer.output) == ("sh", 7, "out\nerr\n")


def test_one_session_serves_many_commands(sh: Shell) -> None:
    assert [sh.run(["echo", str(number)]).output for number in range(20)] == [f"{number}\n" for number in range(20)]


def test_a_command_gets_the_bytes_given_as_its_stdin(sh: Shell) -> None:
    data = os.urandom(300_000)
    assert sh.run(["sha256sum"], stdin=data).output.split()[0] == hashlib.sha256(data).hexdigest()
    assert sh.run(["cat"]).output == ""
    assert sh.run(["cat"], stdin=b"END\nno newline").output == "END\nno newline"


def test_a_command_that_fails_is_told_with_its_output(sh: Shell) -> None:
    with pytest.raises(OutsideFailed) as failed:
        sh.run(["sh", "-c", "echo RTNETLINK answers: File exists; exit 2"])
    assert failed.value.message == "exit 2 on node: sh -c 'echo RTNETLINK answers: File exists; exit 2'"
    assert failed.value.detail == "RTNETLINK answers: File exists"


def test_a_command_that_does_not_exist_fails(sh: Shell) -> None:
    assert sh.run(["no-such-command"], check=False).returncode == 127


def test_a_command_that_takes_too_long_is_ended_and_the_session_lives_on(sh: Shell) -> None:
    with pytest.raises(OutsideFailed) as failed:
        sh.run(["sh", "-c", "echo begun; sleep 60"], timeout=0.5)
    assert failed.value.message == "no end after 0.5 s on node: sh -c 'echo begun; sleep 60'"
    assert failed.value.detail == "begun"
    assert sh.run(["echo", "alive"]).output == "alive\n"


def test_what_runs_on_in_the_background_does_not_hold_the_session(sh: Shell) -> None:
    begun = sh.run(["sh", "-c", "sleep 60 & echo $!"], timeout=10)
    sh.run(["kill", begun.output.strip()])


def test_files_are_read_as_they_are(sh: Shell, tmp_path: os.PathLike[str]) -> None:
    data = bytes(range(256)) * 4000
    path = f"{tmp_path}/a capture.pcap"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(data)
    assert sh.read(path) == data


def test_a_file_that_is_not_there_is_said(sh: Shell) -> None:
    with pytest.raises(OutsideFailed) as failed:
        sh.read("/nonexistent")
    assert failed.value.detail == "base64: /nonexistent: No such file or directory"


def test_a_session_that_is_cut_fails_now_and_later(sh: Shell) -> None:
    parent = "$(ps -o ppid= -p $(ps -o ppid= -p $PPID))"
    for argv in (["sh", "-c", f"kill -9 {parent}; sleep 60"], ["true"]):
        with pytest.raises(OutsideFailed) as failed:
            sh.run(argv)
        assert failed.value.message == "ssh to node failed"
        assert failed.value.hint.startswith("the session was cut")
