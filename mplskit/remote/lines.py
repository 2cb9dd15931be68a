"""Lines out of pieces of stdout, as they come: bounded, because a node may send whatever it likes."""

from mplskit.errors import OutsideFailed
from mplskit.remote.host import Host

LINE = 1 << 16
MOST = 128 << 20


class Lines:
    """Splits what comes from `host`: a line is cut after LINE bytes, `most` bytes are taken altogether."""

    def __init__(self, host: Host, most: int = MOST) -> None:
        self._host, self._most, self._taken = host, most, 0
        self._rest = bytearray()

    def take(self, data: bytes) -> list[bytes]:
        """The lines that end in a piece. Raises OutsideFailed when more came than is taken."""
        self._taken += len(data)
        if self._taken > self._most:
            raise OutsideFailed(f"{self._host} sent more than {self._most >> 20} MiB: the session was ended")
        *ended, last = data.split(b"\n")
        lines = []
        for piece in ended:
            self._add(piece)
            lines.append(bytes(self._rest))
            self._rest.clear()
        self._add(last)
        return lines

    def end(self) -> list[bytes]:
        """The last line, if it had no newline."""
        return [bytes(self._rest)] if self._rest else []

    def _add(self, piece: bytes) -> None:
        room = LINE - len(self._rest)
        if room > 0:
            self._rest += piece[:room]
