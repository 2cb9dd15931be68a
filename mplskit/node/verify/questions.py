"""How the checks ask a node through a session that is open already: one question, one answer, over a socket.

The session, and the password in it, stays with the process that opened it; the checks' own process has the socket.
"""

import json
import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from mplskit.remote.session import RunsCommands

PATIENCE = 120.0
# The most bytes in which a worker is asked for.
REQUEST = 1 << 16
FORKED = b"forked"

# $1 is a mark, $2 the command: its stdout comes as it is, then the mark and its stderr.
APART = '{ said=$(sh -c "$2" 2>&1 >&3 3>&-); } 3>&1; status=$?; printf "%s%s" "$1" "$said"; exit $status'


@dataclass(frozen=True)
class Said:
    """How a command ended on the node."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class End:
    """How a worker ended: with the result of each check; with none, `status` is its exit status, or less a signal."""

    results: Sequence[Mapping[str, str]] = field(default_factory=list)
    status: int | None = None


def answer(shell: RunsCommands, ours: socket.socket) -> End:
    """Answer every question that comes, until the worker says what it found, or has ended.

    Raises OutsideFailed when the session is cut or a command takes too long, TimeoutError as the socket does.
    """
    with ours.makefile("rb") as lines, suppress(BrokenPipeError, ConnectionResetError):
        for line in lines:
            try:
                came = json.loads(line)
            except ValueError:  # it was killed while it spoke
                continue
            if isinstance(came, dict):
                return End(**came)
            ours.sendall(_line(asdict(_run(shell, came))))
    return End()


def ask(theirs: socket.socket, command: str) -> Said:
    """Have a command run on the node, from the worker. Raises ConnectionError when nobody answers."""
    theirs.sendall(_line(command))
    heard = bytearray()
    while not heard.endswith(b"\n"):
        piece = theirs.recv(1 << 16)
        if not piece:
            raise ConnectionError("the session with the node has ended")
        heard += piece
    return Said(**json.loads(heard))


def results_line(results: Sequence[Mapping[str, str]]) -> bytes:
    """What a worker says last."""
    return _line({"results": results})


def status_line(status: int) -> bytes:
    """What is said for a worker that has ended; it may have been in the middle of a line."""
    return b"\n" + _line({"status": status})


def _line(said: object) -> bytes:
    return json.dumps(said).encode() + b"\n"


def _run(shell: RunsCommands, command: str) -> Said:
    mark = f"\n{secrets.token_hex(16)}\n"
    ended = shell.run(["sh", "-c", APART, "sh", mark, command], check=False, timeout=PATIENCE)
    stdout, _, stderr = ended.output.partition(mark)
    return Said(ended.returncode, stdout, stderr)
