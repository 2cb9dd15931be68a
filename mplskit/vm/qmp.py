"""The QEMU Machine Protocol, as much of it as we need: commands and their answers, one JSON document per line.

https://www.qemu.org/docs/master/interop/qmp-spec.html
"""

import json
import re
import socket
from typing import Any

from mplskit.errors import NotSo

PATIENCE = 10.0

_FORWARD = re.compile(r"^\s*TCP\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+22\s", re.MULTILINE)


class Monitor:
    """A connection to one QEMU. Made from a connected socket; raises NotSo when QEMU is gone or refuses."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.settimeout(PATIENCE)
        self._rest = b""
        self._message()
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> Any:
        """Send a command, return what it returns; events that come in between are passed over."""
        try:
            self._connection.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        except OSError as error:
            raise NotSo("QEMU is gone", detail=str(error)) from None
        while True:
            message = self._message()
            if "error" in message:
                raise NotSo(f"QEMU refuses {command}", detail=str(message["error"].get("desc", "")))
            if "return" in message:
                return message["return"]

    def ssh_port(self) -> int:
        """The port of 127.0.0.1 that leads to the guest's port 22."""
        return forwarded_port(self.execute("human-monitor-command", **{"command-line": "info usernet"}))

    def _message(self) -> dict[str, Any]:
        while b"\n" not in self._rest:
            try:
                data = self._connection.recv(1 << 16)
            except OSError as error:
                raise NotSo("QEMU does not answer", detail=str(error)) from None
            if not data:
                raise NotSo("QEMU is gone")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise NotSo("QEMU is not understood", detail=line[:200].decode(errors="replace"))
        return message


def forwarded_port(usernet: str) -> int:
    """The host's port in the answer to `info usernet`. Raises NotSo when nothing is forwarded to port 22."""
    found = _FORWARD.search(usernet)
    if found is None:
        raise NotSo("QEMU forwards no port to the guest's SSH", detail=usernet)
    return int(found[1])
