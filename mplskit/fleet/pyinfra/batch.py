"""The nodes of one process of pyinfra: what came of each, by its report or by pyinfra's own words."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mplskit import process
from mplskit.errors import Failure, OutsideFailed
from mplskit.fleet.outcome import Done, Outcome
from mplskit.fleet.pyinfra.reports import begun, report_of, through, unreachable
from mplskit.node.carry import AGAIN
from mplskit.node.node import Node
from mplskit.node.payload_report import Report
from mplskit.unforeseen import failure_of

# What a report comes to on a node.
Judge = Callable[[Node, Report], Done]

LINE = re.compile(r"\s*\[([A-Za-z0-9][A-Za-z0-9._-]*)\]\s*(.*)")
CONNECTED = "Connected"
# What paramiko says when the first bytes of an SFTP session are not the server's.
GARBAGE = "Garbage packet received"
NOISE_IN_SFTP = (
    "a start-up file of the login on the node (such as ~/.bashrc) writes to stdout, where SFTP begins: let it be "
    "silent without a terminal, or use --engine ssh, which passes such words over"
)


def _few() -> deque[str]:
    return deque(maxlen=process.TAIL_LINES)


@dataclass
class Heard:
    """A node under way, and pyinfra's lines about it."""

    node: Node
    connected: bool = False
    words: deque[str] = field(default_factory=_few)


class Batch:
    """`folder` is where pyinfra works, `under_way` the nodes by their names there."""

    def __init__(self, folder: Path, under_way: dict[str, Heard]) -> None:
        self._folder = folder
        self._under_way = under_way
        self._beside = _few()
        self._begin = time.monotonic()

    def take(self, lines: Sequence[str]) -> Iterator[tuple[Node, str]]:
        """Take lines of pyinfra's; those about nodes that are under way come back."""
        for line in filter(str.strip, lines):
            found = LINE.fullmatch(line)
            heard = self._under_way.get(found[1]) if found else None
            if found is None or heard is None:
                self._beside.append(line)
                continue
            if found[2] == CONNECTED:
                heard.connected = True
            else:
                heard.words.append(found[2])
            yield heard.node, found[2]

    def ended(self, judge: Judge) -> Iterator[Outcome]:
        """The nodes that are through, and were not when this was asked before."""
        for name in [name for name in self._under_way if through(self._folder, name)]:
            node = self._under_way[name].node
            try:
                yield self._out(name, judge(node, report_of(self._folder, name, node.host)))
            except Exception as error:
                yield self._out(name, failure_of(error, traced=True))

    def cut(self, why: str) -> Iterator[Outcome]:
        """When pyinfra has ended: the nodes that it did not reach, and those whose payload was on its way."""
        for name, heard in list(self._under_way.items()):
            host = heard.node.host
            if begun(self._folder, name):
                message = why or f"pyinfra did not bring the payload of {host} to its end"
                said = self._said(heard)
                hint = NOISE_IN_SFTP if GARBAGE in said else AGAIN
                yield self._out(name, OutsideFailed(message, detail=said, hint=hint))
            elif heard.words and not heard.connected:
                yield self._out(name, unreachable(host, heard.words))

    def left(self, status: str) -> Iterator[Outcome]:
        """All other nodes, when nobody wanted pyinfra to leave them out."""
        for name, heard in list(self._under_way.items()):
            message = f"pyinfra ended ({status}) before the payload of {heard.node.host} was on its way"
            yield self._out(name, OutsideFailed(message, detail=self._said(heard)))

    def _out(self, name: str, came: Done | Failure) -> Outcome:
        node = self._under_way.pop(name).node
        return Outcome.of(node.name, came, time.monotonic() - self._begin)

    def _said(self, heard: Heard) -> str:
        return "\n".join([*self._beside, *heard.words][-process.TAIL_LINES :])
