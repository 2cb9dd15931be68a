"""Cuts the connections of a request that drips: each read has its timeout, and a byte now and then keeps to that."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests


class Leash:
    """The connections of one request: they are cut when nothing has been `given` for so many seconds. `cut` says so."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.cut = False
        self._deadline = time.monotonic() + seconds
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._twins: list[socket.socket] = []

    def given(self) -> None:
        """Something came: the time begins anew."""
        self._deadline = time.monotonic() + self.seconds

    def hold(self, sock: socket.socket) -> None:
        """Let a connection be among those that are cut."""
        with self._lock:
            # TLS takes the socket itself over; what happens to its twin happens to the connection.
            self._twins.append(sock.dup())
            if self.cut:
                self._cut()

    def watch(self) -> None:
        """Wait until the time is over, or the end."""
        while not self._ended.wait(max(0.0, self._deadline - time.monotonic())):
            if time.monotonic() >= self._deadline:
                with self._lock:
                    self.cut = True
                    self._cut()
                return

    def end(self) -> None:
        """Cut nothing any more."""
        self._ended.set()
        with self._lock:
            for twin in self._twins:
                twin.close()
            self._twins.clear()

    def _cut(self) -> None:
        for twin in self._twins:
            with suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)


@contextmanager
def leashed(session: "requests.Session", seconds: float) -> Iterator[Leash]:
    """Every connection that a session makes in the block, on a leash."""
    leash = Leash(seconds)
    for scheme in ("https://", "http://"):
        session.mount(scheme, _adapter(leash))
    watcher = threading.Thread(target=leash.watch, daemon=True)
    watcher.start()
    try:
        yield leash
    finally:
        leash.end()
        watcher.join()


def _adapter(leash: Leash) -> "requests.adapters.HTTPAdapter":
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def get_connection_with_tls_context(self, *words: Any, **named: Any) -> Any:
            pool: Any = super().get_connection_with_tls_context(*words, **named)
            if not hasattr(pool.ConnectionCls, "leash"):
                pool.ConnectionCls = _held(pool.ConnectionCls, leash)
            return pool

    return Adapter()


def _held(kind: type, of: Leash) -> type:
    """A kind of connection, of urllib3, whose sockets are on the leash."""

    class Connection(kind):  # type: ignore[misc] # one of HTTP, of HTTPS, or through a proxy
        leash = of

        def _new_conn(self) -> socket.socket:
            made: socket.socket = super()._new_conn()
            of.hold(made)
            return made

    return Connection
