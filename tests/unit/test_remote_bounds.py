"""What a node may send: its lines are bounded, its words are fit for a terminal, and the password is not among them."""

import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.node.carry import MOST_ITEMS, _Heard
from mplskit.node.payload_report import Item
from mplskit.remote.host import Host
from mplskit.remote.lines import Lines
from mplskit.remote.pipes import Pipes
from mplskit.remote.session import Shell
from mplskit.wording import clean

NODE = Host("node")


@given(st.lists(st.binary(max_size=20)))
def test_lines_are_those_of_all_pieces_together(pieces: list[bytes]) -> None:
    lines = Lines(NODE)
    came = [line for piece in pieces for line in lines.take(piece)] + lines.end()
    *ended, rest = b"".join(pieces).split(b"\n")
    assert came == [*ended, *([rest] if rest else [])]


def test_a_line_that_does_not_end_is_cut_and_costs_no_more_than_its_length() -> None:
    lines, begin = Lines(NODE), time.process_time()
    for _ in range(1024):
        assert lines.take(b"x" * 65536) == []
    assert time.process_time() - begin < 1
    assert lines.take(b"y\nnext\n") == [b"x" * 65536, b"next"]


def test_a_node_that_sends_without_end_is_not_heard_to_its_end() -> None:
    lines = Lines(NODE, 1 << 20)
    lines.take(b"\n" * (1 << 20))
    with pytest.raises(OutsideFailed) as failed:
        lines.take(b"\n")
    assert failed.value.message == "node sent more than 1 MiB: the session was ended"


def test_more_items_than_a_node_can_have_end_the_session() -> None:
    heard = _Heard(NODE, lambda item: None)
    heard.lines(b"same\tfile\t/etc/x\t\n" * MOST_ITEMS)
    with pytest.raises(OutsideFailed) as failed:
        heard.lines(b"same\tfile\t/etc/x\t\n")
    assert failed.value.message == "node names more than 400,000 items: the session was ended"


def test_of_foreign_lines_the_last_fifteen_are_kept_without_the_password() -> None:
    heard = _Heard(Host("node", password="secret"), lambda item: None)
    heard.lines(b"".join(b"secret %d\n" % number for number in range(1000)))
    assert (len(heard.foreign), heard.foreign[0], heard.foreign[-1]) == (15, "******** 985", "******** 999")


def test_a_password_that_is_a_word_of_the_payload_spoils_no_item() -> None:
    heard = _Heard(Host("node", password="file"), lambda item: None)
    heard.lines(b"same\tfile\t/etc/file\t\n")
    assert heard.items == [Item("same", "file", "/etc/file", "")]


def test_escape_sequences_are_made_visible_and_lines_and_tabs_stay() -> None:
    assert clean("a\tb\r\n\x1b[2Jé\x9b\u202e\n") == "a\tb\n�[2Jé��\n"


def test_stderr_is_fit_for_a_terminal_and_does_not_have_the_password() -> None:
    said = said_on_stderr("printf 'sh: 1: SECRETPW: not found\\r\\n\\033]0;x\\007' >&2", b"SECRETPW")
    assert said == "sh: 1: ********: not found\n�]0;x�"


def test_a_password_that_is_cut_by_what_is_kept_of_stderr_does_not_show() -> None:
    # 65536 bytes are kept: the password, in front of 65531, loses its first letters.
    said = said_on_stderr("printf 'SECRETPW\\n' >&2; head -c 65529 /dev/zero | tr '\\0' x >&2; echo >&2", b"SECRETPW")
    assert said == "x" * 65529 + "\n"


def said_on_stderr(script: str, secret: bytes) -> str:
    with process.started(["sh", "-c", script], stdin=subprocess.PIPE) as child:
        pipes = Pipes(child, secret)
        pipes.exchange(iter(()), lambda data: False, close=True)
        return pipes.stderr


class Endless:
    """A channel whose node says more and more."""

    host = NODE
    ended, stderr = False, ""

    def exchange(self, feed, heard, *, close, deadline=None):  # type: ignore[no-untyped-def]
        while not heard(b"x" * (1 << 20)):
            pass


def test_an_answer_without_end_ends_the_session() -> None:
    session = Shell(Endless())  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(OutsideFailed) as failed:
            session.run(["yes"])
        assert failed.value.message == "node sent more than 64 MiB: the session was ended: yes"
