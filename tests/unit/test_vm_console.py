from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mplskit.vm.console import plain, tail


def test_colours_and_cursor_movements_are_left_out() -> None:
    colours = b"[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mssh\x1b[0m\r\r\n"
    cursor = b"\x1bc\x1b[?7l\x1b[2J\x1b]3008;start=1\x1b\\login: "
    assert plain(colours + cursor) == "[  OK  ] Started ssh\nlogin: "


@given(st.binary())
def test_whatever_a_guest_prints_is_safe_to_show(data: bytes) -> None:
    assert all(letter in "\n\t" or letter.isprintable() for letter in plain(data))


def test_the_tail_is_the_last_lines_that_say_something(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"one\r\ntwo\r\n\r\nKernel panic - not syncing\r\n\r\n")
    assert tail(log, 2) == "two\nKernel panic - not syncing"


def test_a_silent_console_is_said(tmp_path: Path) -> None:
    (tmp_path / "console.log").touch()
    assert tail(tmp_path / "console.log") == tail(tmp_path / "none") == "(nothing on the console)"
