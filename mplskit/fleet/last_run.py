"""What is known of a task's last run on each node of an inventory: kept in build/nodes/, read by `--failed`.

TASK.json has a row for each node, TASK/RUN/NODE.json all that a run knows of one: its items or checks.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from mplskit import files, progress
from mplskit.errors import WrongInput
from mplskit.fleet import run_folders
from mplskit.fleet.outcome import Outcome, State, not_begun
from mplskit.json_rows import in_rows
from mplskit.node.node import Node
from mplskit.unforeseen import debugging

# While nodes are under way, so many seconds at least are between two writes of the rows, and SHARE times what one took.
PACE = 1.0
SHARE = 50

Row = Mapping[str, Any]
# What a row may have. In the release before this one, the document stood there, too.
IN_ROW = frozenset({*Outcome("", State.OK).row, "asked", "report"})


class LastRun:
    """The outcomes of one task on one inventory: the latest of each node, as the files have them.

    `wants` is what the task wants of a node: one that got done, and of which something else is wanted now, is not done.
    """

    def __init__(
        self, build: Path, task: str, inventory: Path, wants: Callable[[Node], object] = lambda node: None
    ) -> None:
        place = inventory.absolute()
        self.path = build / "nodes" / f"{place.stem}-{files.digest_of(str(place))[:8]}" / f"{task}.json"
        self._inventory = str(place)
        self._known: dict[str, tuple[bool, str]] = {}
        # The rows of this run, and those of them that are not written yet.
        self._rows: dict[str, Row] = {}
        self._new: dict[str, Row] = {}
        self._run = self.path.with_suffix("")
        self._held = ExitStack()
        self._wants = wants
        self._asked: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._written = 0.0
        self._cost = 0.0

    def load(self) -> "LastRun":
        """Read what is there; what is damaged counts as not there."""
        self._known = {
            name: (row["state"].done and not row.get("error"), row.get("asked", ""))
            for name, row in self._read().items()
        }
        return self

    def _read(self) -> dict[str, Row]:
        record = files.read_record(self.path, "nodes") or {"nodes": []}
        try:
            return {str(row["node"]): {**row, "state": State(row["state"])} for row in record["nodes"]}
        except (ValueError, KeyError, TypeError):
            progress.note(f"! {self.path} is damaged: it counts as not there")
            return {}

    def undone(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Those of `nodes` that are not known to have ended well as they are asked for now: also what no run took up.

        What waits for an interface or a reboot got done, and has not ended well.

        Raises WrongInput when there was no last time.
        """
        if not self._known:
            raise WrongInput(
                f"--failed: no run of this task on {self._inventory} is known", hint="run it without --failed first"
            )
        return tuple(node for node in nodes if not self._done(node))

    def _done(self, node: Node) -> bool:
        well, asked = self._known.get(node.name, (False, ""))
        return well and asked == self._digest(node)

    def _digest(self, node: Node) -> str:
        return files.digest_of([node.host.name, node.host.port, self._wants(node)])

    def begin(self, nodes: Sequence[Node]) -> None:
        """Take these nodes up: until something else is known, they are not begun.

        What earlier runs said of them is gone, but for those that are under way: see `close`.
        """
        place = self.path.with_suffix("")
        self._asked = {node.name: self._digest(node) for node in nodes}
        with self._alone():
            self._run = run_folders.own(place, self._held)
        self.put([not_begun(node.name) for node in nodes], now=True)
        self._waiting = set(self._asked)
        with self._alone():
            run_folders.clear(
                place, {self.path.parent / row["report"] for row in self._read().values() if "report" in row}
            )

    def close(self) -> None:
        """End the run: the next may remove the items that no row names any more. A killed one has ended, too."""
        self._held.close()

    def put(self, outcomes: Sequence[Outcome], *, now: bool = False) -> tuple[Outcome, ...]:
        """Keep these outcomes, and give them back without what is in a file now.

        Without `now` the rows follow a moment later, with the last node at the latest.
        """
        kept = tuple(self._filed(outcome) for outcome in outcomes)
        for outcome in kept:
            where = {"report": str(outcome.kept.relative_to(self.path.parent))} if outcome.kept else {}
            row = {**outcome.row, "asked": self._asked.get(outcome.node, ""), **where}
            if row != self._rows.get(outcome.node):
                self._rows[outcome.node] = self._new[outcome.node] = row
            self._waiting.discard(outcome.node)
        pace = max(PACE, SHARE * self._cost)
        if now or not self._waiting or time.monotonic() - self._written > pace:
            self._write()
        return kept

    def _file(self, node: str) -> Path:
        return self._run / f"{node}.json"

    def _filed(self, outcome: Outcome) -> Outcome:
        if outcome.failure and not debugging():
            # Its frames hold all that a node said.
            outcome.failure.__traceback__ = outcome.failure.__context__ = outcome.failure.__cause__ = None
        if not outcome.document:
            return outcome
        path = self._file(outcome.node)
        write(path, outcome.whole())
        return replace(outcome, document={}, kept=path)

    def _write(self) -> None:
        with self._alone():
            begin = time.monotonic()
            there = self._read()
            # A row that we wrote before, and that is another now, is news of another run.
            rows = {**there, **{name: row for name, row in self._rows.items() if name not in there}, **self._new}
            write(self.path, {"inventory": self._inventory, "nodes": [self._row(row) for row in rows.values()]})
            self._new.clear()
            self._written = time.monotonic()
            self._cost = self._written - begin

    def _alone(self) -> AbstractContextManager[None]:
        """Nodes of the inventory may be under way in another process."""
        return files.locked(self.path.with_suffix(".lock"))

    def _row(self, row: Row) -> Row:
        """A row, without the document that the release before this one wrote there: that gets its file."""
        if row.keys() <= IN_ROW:
            return row
        path = self._file(str(row["node"]))
        write(path, {key: value for key, value in row.items() if key != "asked"})
        return {
            **{key: value for key, value in row.items() if key in IN_ROW},
            "report": str(path.relative_to(self.path.parent)),
        }


def write(path: Path, value: Mapping[str, object]) -> None:
    """Write a JSON value that people can read; the file is the old one or the new one, whole."""
    files.write_atomically(path, chain(in_rows(value), ["\n"]))
