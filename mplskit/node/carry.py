"""Carries the payload to a node and runs it there: one SSH session, in which lines come back for what was done."""

import shlex
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

from mplskit import process
from mplskit.debian.package_file import Deb
from mplskit.errors import OutsideFailed
from mplskit.node.node import Node
from mplskit.node.payload.apt import Apt
from mplskit.node.payload.packages_there import HAVE, Offer
from mplskit.node.payload.session_opening import script
from mplskit.node.payload_report import Item, Report, parse_line
from mplskit.remote.channel import Channel, opened
from mplskit.remote.host import Host
from mplskit.remote.lines import Lines
from mplskit.remote.refusals import Unreachable, not_root
from mplskit.wording import clean

Mode = Literal["node", "plan", "remove"]
Hear = Callable[[Item], None]

# A day: the most that any --timeout takes.
PATIENCE = 86_400.0
# Of what a node says: bytes, and items. There is room for 100,000 label routes that take the place of as many others.
MOST = 64 << 20
MOST_ITEMS = 400_000

AGAIN = "it may be run again: what is done stays, what is missing follows"


def carry(
    node: Node, mode: Mode, *, packages: Sequence[Deb] = (), apt: Apt | None = None, hear: Hear | None = None
) -> Report:
    """Run the payload of `node` there in a mode; `hear` gets each item as it comes.

    Packages that the node has already, by digest, are left out of the stream; a plan brings none at all.
    Raises OutsideFailed when the host cannot be reached (Unreachable) or did not run the payload to its end,
    MachineLacks when root cannot be reached there.
    """
    host = node.host
    heard = _Heard(host, hear or (lambda item: None))
    command = f"exec sh -c {shlex.quote(script(mode, node.spec.allow, asks=bool(packages)))}"
    with opened(host, command, PATIENCE) as channel:
        from mplskit.node.payload.payload import archive  # takes its time, in which ssh shakes hands

        if packages:
            channel.exchange(iter(()), heard.offer, close=False)
        missing = heard.offered.missing(packages)
        lacking = heard.offered.lacking(missing)
        if lacking and mode != "plan":
            return _refused(lacking, heard)
        sent = () if mode == "plan" else missing
        channel.exchange(archive(node.spec, packages, sent, apt), heard.lines, close=True)
        heard.end()
        status, words = _ended(channel, heard)
    report = whole(host, heard.items, status, [*heard.foreign, *words.strip().splitlines()])
    return _refused(lacking, heard) if lacking else report


def whole(host: Host, items: Sequence[Item], status: int, said: Sequence[str]) -> Report:
    """The report of a payload that left with `status`; `said` is what came beside its items.

    Raises OutsideFailed when it did not run to its end, MachineLacks when the login is not root's.
    """
    report = Report.of(items)
    refused = [item for item in report.failed if (item.kind, item.name) == ("node", "root")]
    if refused:
        raise not_root(host, refused[0].detail)
    if not report.items or (status != 0) != bool(report.failed):
        raise OutsideFailed(
            f"the payload did not run to its end on {host} (exit {status})",
            detail="\n".join(said[-process.TAIL_LINES :]),
            hint=AGAIN,
        )
    return report


def _refused(lacking: Sequence[Item], heard: "_Heard") -> Report:
    """What came, and what the node has no room for."""
    for item in lacking:
        heard.take(item)
    return Report.of(heard.items)


def _ended(channel: Channel, heard: "_Heard") -> tuple[int, str]:
    try:
        return channel.end()
    except Unreachable as error:
        if not heard.items:
            raise
        last = heard.items[-1]
        raise OutsideFailed(
            f"the session with {channel.host} was cut, after {last.kind} {last.name}", detail=error.detail, hint=AGAIN
        ) from None


class _Heard:
    """What came from the node so far: items, offered packages, and lines that are none of the payload's."""

    def __init__(self, host: Host, hear: Hear) -> None:
        self.items: list[Item] = []
        self.foreign: deque[str] = deque(maxlen=process.TAIL_LINES)
        self.offered = Offer()
        self._host, self._hear = host, hear
        self._lines = Lines(host, MOST)

    def offer(self, data: bytes) -> bool:
        """Take a piece of stdout; True when the offer is whole."""
        marks = [self._take(line) for line in self._lines.take(data)]
        return any(marks)

    def lines(self, data: bytes) -> bool:
        """Take a piece of stdout."""
        for line in self._lines.take(data):
            self._take(line)
        return False

    def end(self) -> None:
        """Take the last line, if it had no newline."""
        for line in self._lines.end():
            self._take(line)

    def take(self, item: Item) -> None:
        """Take an item. Raises OutsideFailed when there are more than a node can have."""
        if len(self.items) >= MOST_ITEMS:
            raise OutsideFailed(f"{self._host} names more than {MOST_ITEMS:,} items: the session was ended", hint=AGAIN)
        self.items.append(item)
        self._hear(item)

    def _take(self, line: bytes) -> bool:
        text = clean(line.decode(errors="replace"))
        try:
            item = parse_line(text)
        except ValueError:
            self.foreign.append(self._host.without_secret(text))
            return False
        if item.state == HAVE:
            return self.offered.take(item)
        self.take(item)
        return False
