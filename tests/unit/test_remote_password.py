"""Where the password of sudo comes from, and that no process of ours is given it."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import MachineLacks, WrongInput
from mplskit.remote.host import Host
from mplskit.remote.password import VARIABLE, become_password
from tests.golden import assert_golden

ROOT = Path(__file__).parents[2]


def test_without_a_word_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert become_password(False) is None


def test_the_environment_has_it_for_us_and_for_no_process_that_we_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "secret")
    assert become_password(False) == "secret"
    assert "secret" not in process.run(["env"]).stdout


ASK = """
import os, sys
os.open(os.ttyname(0), os.O_RDWR)  # a session leader's first terminal is its own
from mplskit.remote.password import become_password
print(become_password(True))
"""


def test_a_terminal_is_asked_without_an_echo() -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
        env={**os.environ, VARIABLE: "another"}, cwd=ROOT,
    )  # fmt: skip
    with child, os.fdopen(ours, "r+b", buffering=0) as terminal:
        os.close(theirs)
        shown = b""
        while not shown.endswith(b"password for sudo on the nodes: "):
            shown += terminal.read(1)
        terminal.write(b"from the terminal\n")
        assert child.stdout and child.stdout.read() == b"from the terminal\n"
        assert terminal.read(100) == b"\r\n"


def test_without_a_terminal_it_cannot_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(MachineLacks) as refused:
        become_password(True)
    assert_golden("become-no-terminal", f"{refused.value}\n", {})


def test_a_password_of_two_lines_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "secret\nmore")
    with pytest.raises(WrongInput) as refused:
        become_password(False)
    assert str(refused.value) == "error: the password for sudo must be one line"


def test_a_password_that_is_no_utf8_is_kept_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environb, VARIABLE.encode(), b"s\xe9cret")
    assert Host("node", password=become_password(False)).secret == b"s\xe9cret"


def test_a_password_typed_in_another_encoding_is_refused_without_being_shown() -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"}, cwd=ROOT,
    )  # fmt: skip
    with child, os.fdopen(ours, "r+b", buffering=0) as terminal:
        os.close(theirs)
        shown = b""
        while not shown.endswith(b"password for sudo on the nodes: "):
            shown += terminal.read(1)
        terminal.write(b"s\xe9cret\n")
        assert child.stderr
        said = child.stderr.read()
    assert said.endswith(
        b"mplskit.errors.WrongInput: error: the password for sudo must be typed in the terminal's own encoding\n"
    )
    assert b"cret" not in said
