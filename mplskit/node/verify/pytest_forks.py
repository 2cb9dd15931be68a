"""A plugin of pytest that forks a worker for each node, when the checks have been read once.

Nothing of a session is known here. There is one thread only, as a fork demands.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest

from mplskit.node.payload.render import prepare
from mplskit.node.verify.questions import FORKED, REQUEST, results_line, status_line

# What came of each check of a run, as the suite's conftest.py notes it.
FOUND = pytest.StashKey[list[dict[str, str]]]()
STDOUT, STDERR = 1, 2


@dataclass
class Forks:
    """Runs the collected checks in worker after worker, as long as `control` is open: see `suite` for what comes there.

    The checks ask their node through the descriptor that `control` has: a worker has its own socket there.
    """

    control: socket.socket
    # Each worker's end of its node's socket: that it is closed is seen here, and that the worker ended is told here.
    _workers: dict[int, socket.socket] = field(default_factory=dict)
    _over: bool = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer requests instead of running the checks in this process."""
        if session.testsfailed:
            raise session.Interrupted("the checks cannot be read")
        woken, waker = socket.socketpair()
        with woken, waker:
            woken.setblocking(False)
            waker.setblocking(False)
            signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
            signal.signal(signal.SIGCHLD, lambda number, frame: None)
            signal.signal(signal.SIGTERM, self._end)
            try:
                self._serve(session, woken)
            finally:
                for worker in self._workers:
                    os.kill(worker, signal.SIGKILL)
        return True

    def _end(self, *_: object) -> None:
        self._over = True

    def _serve(self, session: pytest.Session, woken: socket.socket) -> None:
        session.config.pluginmanager.unregister(name="terminalreporter")  # what is found is said in other ways
        prepare()
        # What is there now stays: workers that do not look at it share its memory.
        gc.collect()
        gc.freeze()
        self.control.sendall(b"ready")
        while not self._over:
            watched = select.poll()
            watched.register(self.control, select.POLLIN)
            watched.register(woken, select.POLLIN)
            for node in self._workers.values():
                watched.register(node, 0)  # its end is told all the same
            came = {number for number, _ in watched.poll()}
            for worker, node in self._workers.items():
                if node.fileno() in came:
                    os.kill(worker, signal.SIGKILL)
            if woken.fileno() in came:
                with suppress(BlockingIOError):
                    woken.recv(REQUEST)
                self._reap()
            if self.control.fileno() in came and not self._take(session):
                return

    def _reap(self) -> None:
        for worker in list(self._workers):
            pid, status = os.waitpid(worker, os.WNOHANG)
            if pid:
                with self._workers.pop(worker) as node, suppress(OSError):
                    node.settimeout(0)
                    node.sendall(status_line(os.waitstatus_to_exitcode(status)))

    def _take(self, session: pytest.Session) -> bool:
        """Fork a worker for the next request; False when there is none any more."""
        text, numbers, _, _ = socket.recv_fds(self.control, REQUEST, 2)
        if not text:
            return False
        sys.stdout.flush()
        sys.stderr.flush()
        said = FORKED
        node, log = numbers
        try:
            worker = os.fork()
        except OSError as error:
            os.close(node)
            said = str(error).encode()
        else:
            if worker == 0:
                self._work(session, json.loads(text), node, log)
            self._workers[worker] = socket.socket(fileno=node)
        os.close(log)
        self.control.sendall(said)
        return True

    def _work(self, session: pytest.Session, request: dict[str, Any], node: int, log: int) -> NoReturn:
        """Be a worker: run the checks, say what was found, and end."""
        status = 1
        try:
            self._become_worker(node, log)
            results = _run(session, **request)
            with socket.socket(fileno=self.control.detach()) as theirs:
                theirs.sendall(results_line(results))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stdout.flush()
            os._exit(status)

    def _become_worker(self, node: int, log: int) -> None:
        """Have this worker's own socket and log in their places, and nothing of the others."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for other in self._workers.values():
            other.close()
        for ours, place in ((log, STDOUT), (log, STDERR), (node, self.control.fileno())):
            os.dup2(ours, place)
        os.close(node)
        os.close(log)


def _run(session: pytest.Session, files: Sequence[str], spec: str | None) -> list[dict[str, str]]:
    """Run the checks in these files (none: in all); what came of each."""
    session.config.option.mplskit_spec = spec
    items = [item for item in session.items if not files or item.path.name in files]
    for item, following in zip(items, [*items[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return session.config.stash[FOUND]
