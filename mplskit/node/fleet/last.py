"""What is known of a task's last run on each node of an inventory: kept in build/nodes/, read by `--failed`."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mplskit import files
from mplskit.errors import WrongInput
from mplskit.node.fleet.outcome import Outcome, State, not_begun
from mplskit.node.node import Node

# While nodes are under way the file is written at most this often, in seconds.
PACE = 1.0


class Last:
    """The outcomes of one task on one inventory: the latest of each node, as the file has them.

    `asks` is what the task asks for on a node: one that got done, and is asked for something else now, is not done.
    """

    def __init__(
        self, build: Path, task: str, inventory: Path, asks: Callable[[Node], object] = lambda node: None
    ) -> None:
        place = inventory.absolute()
        self.path = build / "nodes" / f"{place.stem}-{files.digest_of(str(place))[:8]}" / f"{task}.json"
        self._inventory = str(place)
        self._known: dict[str, Mapping[str, Any]] = {}
        self._new: dict[str, Mapping[str, Any]] = {}
        self._asks = asks
        self._asked: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._written = 0.0

    def load(self) -> "Last":
        """Read what is there. Raises WrongInput when it is damaged."""
        self._known = self._read()
        return self

    def _read(self) -> dict[str, Mapping[str, Any]]:
        try:
            nodes = json.loads(self.path.read_text())["nodes"]
            return {str(row["node"]): {**row, "state": State(row["state"])} for row in nodes}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError):
            raise WrongInput(f"{self.path}: not a report of nodes", hint="remove it, and run the task again") from None

    def undone(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Those of `nodes` that are not known to be done as they are asked for now: also what no run took up.

        Raises WrongInput when there was no last time.
        """
        if not self._known:
            raise WrongInput(
                f"--failed: no run of this task on {self._inventory} is known", hint="run it without --failed first"
            )
        return tuple(node for node in nodes if not self._done(node))

    def _done(self, node: Node) -> bool:
        row = self._known.get(node.name)
        return row is not None and row["state"].done and row.get("asked") == self._digest(node)

    def _digest(self, node: Node) -> str:
        return files.digest_of([node.host.name, node.host.port, self._asks(node)])

    def begin(self, nodes: Sequence[Node]) -> None:
        """Take these nodes up: until something else is known, they are not begun."""
        self._asked = {node.name: self._digest(node) for node in nodes}
        self.put([not_begun(node.name) for node in nodes], now=True)
        self._waiting = set(self._asked)

    def put(self, outcomes: Sequence[Outcome], *, now: bool = False) -> None:
        """Keep these outcomes. Without `now` the file follows a moment later, with the last node at the latest."""
        for outcome in outcomes:
            self._new[outcome.node] = {**as_row(outcome), "asked": self._asked.get(outcome.node, "")}
            self._waiting.discard(outcome.node)
        if now or not self._waiting or time.monotonic() - self._written > PACE:
            self._write()

    def _write(self) -> None:
        # Other nodes of the inventory may be under way in another process.
        with files.locked(self.path.with_suffix(".lock")):
            known = {**self._read(), **self._new}
            document = {"inventory": self._inventory, "nodes": list(known.values())}
            files.write_atomically(self.path, json.dumps(document, indent=1, default=str) + "\n")
        self._written = time.monotonic()


def as_row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON has it; what its task alone knows (items, checks) stands beside what all have."""
    row = {
        "node": outcome.node,
        "state": outcome.state,
        "changes": outcome.changes,
        "seconds": outcome.seconds,
        "code": int(outcome.code),
        "error": outcome.error,
        "hint": outcome.hint,
    }
    return {**outcome.document, **row}
