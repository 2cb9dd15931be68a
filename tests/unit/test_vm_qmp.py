import json
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import NotSo
from mplskit.vm.qmp import Monitor, forwarded_port

GREETING = b'{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}\r\n'
SHUTDOWN = b'{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true}}\r\n'
OK = b'{"return": {}}\r\n'
USERNET = (
    "Hub -1 (net):\r\n"
    "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n"
    "  TCP[ESTABLISHED]   17       127.0.0.1 40022       10.0.2.15    22     0     0\r\n"
    "  TCP[HOST_FORWARD]   3       127.0.0.1 38665       10.0.2.15    22     0     0\r\n"
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_the_answer_to_a_command_is_found_among_events(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(GREETING + SHUTDOWN + OK + SHUTDOWN + b'{"return": {"status": "running"}}\r\n')
    assert Monitor(ours).execute("query-status") == {"status": "running"}
    assert [json.loads(line)["execute"] for line in theirs.recv(4096).splitlines()] == [
        "qmp_capabilities",
        "query-status",
    ]


@given(st.lists(st.integers(1, 40), max_size=20))
def test_it_does_not_matter_how_the_bytes_arrive(cuts: list[int]) -> None:
    stream = GREETING + OK + SHUTDOWN + b'{"return": "caf\\u00e9"}\r\n'

    def speak() -> None:
        rest = stream
        for cut in cuts:
            theirs.sendall(rest[:cut])
            rest = rest[cut:]
        theirs.sendall(rest)

    ours, theirs = socket.socketpair()
    with ours, theirs:
        speaker = threading.Thread(target=speak)
        speaker.start()
        assert Monitor(ours).execute("anything") == "café"
        speaker.join()


def test_a_refused_command_is_told_with_qemus_words(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(
        GREETING + OK + b'{"error": {"class": "CommandNotFound", "desc": "The command x has not been found"}}\r\n'
    )
    with pytest.raises(NotSo) as refused:
        Monitor(ours).execute("x")
    assert (refused.value.message, refused.value.detail) == ("QEMU refuses x", "The command x has not been found")


def test_a_qemu_that_is_gone_is_said(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(GREETING)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(NotSo, match="QEMU is gone"):
        Monitor(ours)


def test_the_port_that_qemu_picked_is_read_from_its_table() -> None:
    assert forwarded_port(USERNET) == 38665


@given(st.text())
def test_a_table_without_a_forwarded_port_is_refused(text: str) -> None:
    with pytest.raises(NotSo):
        forwarded_port(text.replace("HOST_FORWARD", ""))
