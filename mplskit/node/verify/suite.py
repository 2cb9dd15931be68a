"""The suite bootstrap/checks in a process of its own: it reads the checks once, and forks a worker for each node."""

import json
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from mplskit import process, process_group
from mplskit.errors import Failure, OutsideFailed
from mplskit.node.verify.questions import FORKED, REQUEST, End, answer
from mplskit.paths import data
from mplskit.remote.session import RunsCommands

PATIENCE = 600.0
SERVER = "mplskit.node.verify.checks_server"

ALONE = {
    "PYTEST_ADDOPTS": "",
    "PYTEST_PLUGINS": "",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Suite:
    """Looks at nodes, also in many threads at a time. Its process is started with the first, and ends with the block.

    A worker that ends early ends the look at its own node only; when the process itself is lost, those under way are,
    and the next node gets a new one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` has the checks and their pytest.ini: bootstrap/checks when it is not given."""
        self._folder = folder or data("bootstrap") / "checks"
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._fault: Failure | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._server is not None:
                self._server.end()

    def run(
        self, session: RunsCommands, files: Sequence[str] = (), spec: Path | None = None
    ) -> Sequence[Mapping[str, str]]:
        """What came of each check in `files` (none: in all) of the node that is asked through `session`.

        The node should be as the JSON file `spec` says, else as it says itself. Raises OutsideFailed when the session
        is cut, or when the checks do not run to their end.
        """
        request = json.dumps({"files": files, "spec": spec and str(spec)}).encode()
        with tempfile.TemporaryDirectory() as scratch:
            log = Path(scratch, "said")
            with self._forked(request, log) as ours, process_group.current().calling(lambda: _hang_up(ours)):
                try:
                    end = answer(session, ours)
                except TimeoutError:
                    raise OutsideFailed(f"the checks of {session.host} did not end within {PATIENCE:g} s") from None
            if not end.results:
                said = "\n".join(text for text in (_tail(log), _how(end)) if text)
                raise OutsideFailed(f"the checks of {session.host} did not run to their end", detail=said)
            return end.results

    def _forked(self, request: bytes, log: Path) -> socket.socket:
        """Where a new worker asks; what else it says goes to `log`. Raises OutsideFailed."""
        # One at a time: a node under way takes no more than one file here.
        with self._lock:
            ours, theirs = socket.socketpair()
            ours.settimeout(PATIENCE)
            with theirs, log.open("wb") as file:
                try:
                    self._fork(request, [theirs.fileno(), file.fileno()])
                except BaseException:
                    ours.close()
                    raise
            return ours

    def _fork(self, request: bytes, files: Sequence[int]) -> None:
        """Have a worker made; by a new process when the old one is lost."""
        if self._fault is not None:
            raise self._fault
        if self._server is not None and self._server.fork(request, files):
            return
        try:
            self._server = _Server(self._folder)
        except Failure as fault:
            self._fault = fault
            raise
        if not self._server.fork(request, files):
            raise OutsideFailed("the process that runs the checks was lost", detail=self._server.said)


class _Server:
    """The running process. A thread of its own holds it: the kernel ends a process with the thread that started it."""

    def __init__(self, folder: Path) -> None:
        """Start it, and wait until it has read the checks. Raises OutsideFailed when it cannot."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.settimeout(PATIENCE)
        self.said = ""  # at its end
        self._group = process_group.Group()
        self._fault: Exception | None = None
        self._holder = threading.Thread(target=self._hold, args=[folder, theirs], name="checks", daemon=True)
        self._holder.start()
        if not self._hear():
            self.end()
            raise self._fault or OutsideFailed("the checks could not be read", detail=self.said)

    def fork(self, request: bytes, files: Sequence[int]) -> bool:
        """Have a worker made, which gets the files; False when the process is lost. Raises OutsideFailed."""
        try:
            socket.send_fds(self._ours, [request], files)
        except OSError:
            pass
        answer = self._hear()
        if not answer:
            self.end()
            return False
        if answer != FORKED:
            raise OutsideFailed(f"no process can be made for the checks: {answer.decode()}", hint="lower --parallel")
        return True

    def end(self) -> None:
        """End it, with all its workers."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self._group.end(number)
            self._holder.join(process.GRACE)
        self._ours.close()

    def _hear(self) -> bytes:
        """What it says next; nothing when it is lost."""
        try:
            return self._ours.recv(REQUEST)
        except OSError:
            return b""

    def _hold(self, folder: Path, theirs: socket.socket) -> None:
        argv = process.module(SERVER, str(theirs.fileno()), folder)
        try:
            with tempfile.TemporaryDirectory() as scratch, theirs, process_group.grouped(self._group):
                log = Path(scratch, "said")
                with log.open("wb") as file, process.started(
                    argv, stdout=file, stderr=subprocess.STDOUT, cwd=folder, env=ALONE,
                    pass_fds=[theirs.fileno()],
                ) as running:  # fmt: skip
                    theirs.close()
                    running.wait()
                self.said = _tail(log)
        except Exception as fault:
            self._fault = fault


def _hang_up(ours: socket.socket) -> None:
    with suppress(OSError):
        ours.shutdown(socket.SHUT_RDWR)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").rstrip().splitlines()[-process.TAIL_LINES :])


def _how(end: End) -> str:
    """How the worker ended, where nothing else may tell."""
    if end.status is None:
        return ""
    return f"exit {end.status}" if end.status >= 0 else f"signal {-end.status}"
