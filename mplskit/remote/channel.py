"""One command on a node, as root when the host says how: fed and heard in as many phases as wanted."""

import math
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.remote.become import Becoming
from mplskit.remote.host import Host
from mplskit.remote.login import Login, for_any_shell
from mplskit.remote.pipes import Pipes, TimeIsUp
from mplskit.remote.refusals import OWN_FAILURE, refusal


class Channel:
    """A running command. Made by `opened`."""

    def __init__(
        self, host: Host, ssh: subprocess.Popen[bytes], pipes: Pipes, login: Login, seconds: float = math.inf
    ) -> None:
        self.host = host
        self._ssh = ssh
        self._pipes = pipes
        self._login = login
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def ended(self) -> bool:
        """Whether the far side has closed stdout and stderr."""
        return self._pipes.ended

    @property
    def stderr(self) -> str:
        """What came on stderr so far (its last 64 KiB), without escape sequences, and without the password."""
        return self._pipes.stderr

    def exchange(
        self, feed: Iterator[bytes], heard: Callable[[bytes], bool], *, close: bool, deadline: float | None = None
    ) -> None:
        """One phase: write `feed` while `heard` gets what comes, until it returns True or the command ends.

        With `close`, stdin is closed after the feed. Raises TimeIsUp at `deadline` (of time.monotonic), OutsideFailed
        when the time of the session is up.
        """

        def ours(data: bytes) -> bool:
            own = self._login.ours(data)
            return bool(own) and heard(own)

        try:
            self._pipes.exchange(feed, ours, close=close, deadline=min(deadline or math.inf, self._end))
        except TimeIsUp:
            if deadline is not None and deadline <= self._end:
                raise
            raise self._late() from None
        if self.ended and (before := self._login.rest()):
            heard(before)

    def end(self) -> tuple[int, str]:
        """Wait for the end; exit status and stderr.

        Raises OutsideFailed when ssh failed by itself, or the time of the session is up.
        """
        left = max(0.0, self._end - time.monotonic())
        try:
            status = self._ssh.wait(None if left == math.inf else left)
        except subprocess.TimeoutExpired:
            raise self._late() from None
        if status == OWN_FAILURE or status < 0:
            raise refusal(self.host, self.stderr)
        return status, self.stderr

    def _late(self) -> OutsideFailed:
        return OutsideFailed(
            f"{self.host}: no end after {self._seconds:g} s: the session was ended",
            detail="\n".join(self.stderr.strip().splitlines()[-process.TAIL_LINES :]),
            hint="does something wait there? Log in by hand and look",
        )


@contextmanager
def opened(host: Host, command: str, seconds: float = math.inf) -> Iterator[Channel]:
    """Run `command` (of sh) on `host`; where the host has `become`, root runs it, and has begun to when this returns.

    Whatever shell the login has, and whatever that says first, comes from nobody here. After `seconds` it is ended.
    Raises OutsideFailed when ssh cannot connect or log in, MachineLacks when root cannot be reached.
    """
    login = Login()
    becoming = Becoming(host, command) if host.become is not None else None
    script = login.begin + (becoming.command if becoming else command)
    with process.started([*host.ssh(), for_any_shell(script)], stdin=-1) as ssh:
        pipes = Pipes(ssh, host.secret, login.mark)
        channel = Channel(host, ssh, pipes, login, seconds)
        if becoming is not None:
            if not becoming.reach(pipes):
                channel.end()
                raise becoming.refused(pipes)
            login.skip()
        yield channel
