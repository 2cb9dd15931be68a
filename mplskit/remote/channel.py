"""One command on a node, as root when the host says how: fed and heard in as many phases as wanted."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mplskit import process
from mplskit.remote.become import Becoming
from mplskit.remote.host import Host
from mplskit.remote.pipes import Pipes
from mplskit.remote.refusals import OWN_FAILURE, refusal


class Channel:
    """A running command. Made by `opened`."""

    def __init__(self, host: Host, ssh: subprocess.Popen[bytes], pipes: Pipes) -> None:
        self.host = host
        self._ssh = ssh
        self._pipes = pipes

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

        With `close`, stdin is closed after the feed. Raises TimeIsUp at `deadline` (of time.monotonic).
        """
        self._pipes.exchange(feed, heard, close=close, deadline=deadline)

    def end(self) -> tuple[int, str]:
        """Wait for the end; exit status and stderr. Raises OutsideFailed when ssh failed by itself."""
        status = self._ssh.wait()
        if status == OWN_FAILURE or status < 0:
            raise refusal(self.host, self.stderr)
        return status, self.stderr


@contextmanager
def opened(host: Host, command: str) -> Iterator[Channel]:
    """Run `command` (of sh) on `host`; where the host has `become`, root runs it, and has begun to when this returns.

    Raises OutsideFailed when ssh cannot connect or log in, MachineLacks when root cannot be reached.
    """
    becoming = Becoming(host, command) if host.become is not None else None
    with process.started([*host.ssh(), becoming.command if becoming else command], stdin=-1) as ssh:
        pipes = Pipes(ssh, host.secret)
        channel = Channel(host, ssh, pipes)
        if becoming is not None and not becoming.reach(pipes):
            channel.end()
            raise becoming.refused(pipes)
        yield channel
