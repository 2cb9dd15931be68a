"""One SSH session: bytes in, lines out; or a shell that runs one command after another."""

import base64
import secrets
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.remote.channel import Channel, opened
from mplskit.remote.host import Host
from mplskit.remote.lines import Lines
from mplskit.remote.pipes import TimeIsUp
from mplskit.remote.refusals import OWN_FAILURE, refusal
from mplskit.whole_number import whole
from mplskit.wording import clean

PATIENCE = 600.0
GRACE = 15.0
# Of what a command says, in bytes.
MOST = 64 << 20
LINE = 76 * 512
# Of a line that is shown because it makes no sense, in characters.
LONGEST = 200
SETUP = b'LC_ALL=C.UTF-8; PATH="$PATH:/usr/sbin:/sbin"; export LC_ALL PATH\n'


def stream(
    host: Host, command: str, feed: Iterable[bytes], on_line: Callable[[str], None], seconds: float = PATIENCE
) -> tuple[int, str]:
    """Run `command` on `host` in one session: `feed` is its stdin, `on_line` gets each line of its stdout,
    fit for a terminal.

    Root runs it when the host says how to become root. Returns exit status and stderr. The command may end before it
    has read all of the feed.
    Raises OutsideFailed when ssh fails by itself (it cannot connect, log in, or the session is cut), when more comes
    than `lines.MOST` and when there is no end after `seconds`, MachineLacks when root cannot be reached.
    """
    lines = Lines(host)

    def heard(data: bytes) -> bool:
        for line in lines.take(data):
            on_line(clean(line.decode(errors="replace")))
        return False

    with opened(host, command, seconds) as channel:
        channel.exchange(iter(feed), heard, close=True)
        for line in lines.end():
            on_line(clean(line.decode(errors="replace")))
        return channel.end()


def once(
    host: Host, command: str, *options: str, timeout: float = PATIENCE, check: bool = True, stdin: bytes | None = None
) -> process.Finished:
    """Run one command on `host`, as the login and in its shell, in a session of its own; `options` are ssh's.

    Raises Unreachable when ssh fails by itself; OutsideFailed when there is no end after `timeout` seconds, and, with
    `check`, when it exits other than 0.
    """
    words = [*host.ssh(*options), command]
    done = process.run(words, stdin=stdin, timeout=timeout, check=False, failure=OutsideFailed)
    if done.returncode == OWN_FAILURE:
        raise refusal(host, done.stderr)
    if check and done.returncode != 0:
        raise OutsideFailed(f"exit {done.returncode} on {host}: {command}", detail=done.stderr.strip())
    return done


@dataclass(frozen=True)
class Answer:
    """How a command on the node ended; `output` is its stdout and stderr, fit for a terminal."""

    argv: tuple[str, ...]
    returncode: int
    output: str


class RunsCommands(Protocol):
    """What commands are run through: a session with a node, or something that stands for one."""

    host: Host

    def run(self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: bytes = b"") -> Answer:
        """Run a command there."""


class Shell:
    """Runs commands on a node, one after another, in one session. Made by `shell`."""

    def __init__(self, channel: Channel) -> None:
        self.host = channel.host
        self._channel = channel
        self._dead: OutsideFailed | None = None

    def run(self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: bytes = b"") -> Answer:
        """Run a command with the given stdin; after `timeout` seconds it is ended.

        Raises OutsideFailed when it took too long, when it says more than MOST, when the session is cut, and, with
        `check`, when it exits other than 0. After a command that took too long the session can still be used, unless
        the node is stuck.
        """
        begin = time.monotonic()
        status, output = self._frame(_script(argv, timeout, stdin), timeout + GRACE, argv)
        answer = Answer(tuple(argv), status, clean(output.decode(errors="replace")))
        tail = self.host.without_secret("\n".join(answer.output.rstrip().splitlines()[-process.TAIL_LINES :]))
        if status in (124, 137) and time.monotonic() - begin >= timeout:
            raise OutsideFailed(f"no end after {timeout:g} s on {self.host}: {process.quote(argv)}", detail=tail)
        if check and status != 0:
            raise OutsideFailed(f"exit {status} on {self.host}: {process.quote(argv)}", detail=tail)
        return answer

    def read(self, path: str) -> bytes:
        """A file of the node, whole. Raises OutsideFailed when it cannot be read."""
        said = self.run(["base64", "--", path], timeout=300).output
        try:
            return base64.b64decode("".join(said.split()), validate=True)
        except ValueError:
            raise self._nonsense(f"{path} does not come as base64", said) from None

    def _nonsense(self, message: str, said: str) -> OutsideFailed:
        """The failure for words that no node of ours says."""
        tail = [line[-LONGEST:] for line in said.strip().splitlines()[-process.TAIL_LINES :]]
        return OutsideFailed(
            f"{self.host} is not understood: {message}", detail=self.host.without_secret("\n".join(tail))
        )

    def _frame(self, script: Iterable[bytes], timeout: float, argv: Sequence[str]) -> tuple[int, bytearray]:
        """Send a script between two random marks; returns exit status and what came between them."""
        if self._dead is not None:
            raise self._dead
        mark = secrets.token_hex(16).encode()
        opening, closing = b"<" + mark + b"\n", b"\n>" + mark + b" "
        heard = bytearray()

        def answered(data: bytes) -> bool:
            heard.extend(data)
            if len(heard) > MOST:
                self._dead = OutsideFailed(
                    f"{self.host} sent more than {MOST >> 20} MiB: the session was ended: {process.quote(argv)}"
                )
                raise self._dead
            start = heard.find(closing, max(0, len(heard) - len(data) - len(closing) - 8))
            return start >= 0 and heard.find(b"\n", start + len(closing)) >= 0

        def script_between_marks() -> Iterator[bytes]:
            yield b"printf '<%s\\n' " + mark + b"\n"
            yield from script
            yield b"printf '\\n>%s %s\\n' " + mark + b' "$?"\n'

        try:
            self._channel.exchange(script_between_marks(), answered, close=False, deadline=time.monotonic() + timeout)
        except TimeIsUp:
            self._dead = OutsideFailed(
                f"{self.host} did not answer for {timeout:g} s: {process.quote(argv)}", detail=self._channel.stderr
            )
            raise self._dead from None
        if self._channel.ended:
            self._dead = refusal(self.host, self._channel.stderr or clean(heard.decode(errors="replace")))
            raise self._dead
        end = heard.rfind(closing)
        said = heard[end + len(closing) :].partition(b"\n")[0].decode(errors="replace")
        start, status = heard.find(opening), whole(said, 0, 255)
        if status is None or not 0 <= start < end:
            self._dead = self._nonsense(
                f"exit {said[:20]!r}: {process.quote(argv)}", clean(heard.decode(errors="replace"))
            )
            raise self._dead
        del heard[end:]
        del heard[: start + len(opening)]
        return status, heard


@contextmanager
def shell(host: Host) -> Iterator[Shell]:
    """A session with `sh` on the node, root's when the host says how to become root; open as long as the block.

    Raises OutsideFailed when ssh cannot connect or log in, MachineLacks when root cannot be reached.
    """
    with opened(host, "exec sh") as channel:
        session = Shell(channel)
        session._frame([SETUP], 60, ["sh"])
        yield session


def _script(argv: Sequence[str], timeout: float, stdin: bytes) -> Iterator[bytes]:
    """What `sh` is given: the command quoted, under `timeout`, its stdin as a here-document in base64."""
    command = f"timeout -k 5 {timeout:g} {shlex.join(argv)} 2>&1"
    if not stdin:
        yield f"{command} </dev/null\n".encode()
        return
    yield f"base64 -d <<'END' | {command}\n".encode()
    for start in range(0, len(stdin), LINE):
        yield base64.encodebytes(stdin[start : start + LINE])
    yield b"END\n"
