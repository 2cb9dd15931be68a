"""What came of a task on one node, and of many: states, the exit code of all, what is kept for the next run."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from mplskit.errors import BuildFailed, Exit, Failure, MachineLacks, NotSo, OutsideFailed, WrongInput
from mplskit.remote.refusals import Unreachable

# What a task alone knows of a node (items, checks), as JSON has it.
Document = Mapping[str, Any]

KINDS = {kind.code: kind for kind in (NotSo, WrongInput, MachineLacks, OutsideFailed, BuildFailed)}

AGAIN = "the same command with --failed takes up these alone"


class State(StrEnum):
    """How a node came out. OK: nothing had to be done; CHANGED: something was done, or would be, in a plan."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    NOT_BEGUN = "not begun"

    @property
    def done(self) -> bool:
        """Whether the task was done on the node; what it did may wait for something all the same."""
        return self in (State.OK, State.CHANGED)


@dataclass(frozen=True)
class Done:
    """A task that ran to its end on a node. `failure` says what is not so all the same, and has the exit code then.

    `document` is the result, `show` prints it for people. `complete` is False when the task itself could not do all
    there.
    """

    document: Document = field(default_factory=dict)
    show: Callable[[Document], None] = lambda document: None
    changes: int = 0
    failure: Failure | None = None
    complete: bool = True
    code: int = Exit.OK

    @property
    def exit(self) -> int:
        """The exit code of this node."""
        return self.failure.code if self.failure else self.code


@dataclass(frozen=True)
class Outcome:
    """One node in the report. `code` is what the task would have left with on this node alone; `error` is `failure` in
    one line. `document` is empty when the file `kept` has it, so that many outcomes take little room.
    """

    node: str
    state: State
    changes: int = 0
    seconds: float = 0.0
    code: int = Exit.OK
    error: str = ""
    hint: str = ""
    document: Document = field(default_factory=dict)
    show: Callable[[Document], None] | None = None
    failure: Failure | None = None
    kept: Path | None = None

    @classmethod
    def of(cls, node: str, came: Done | Failure, seconds: float) -> "Outcome":
        """The outcome of a task that ended, well or not."""
        taken = round(seconds, 1)
        if isinstance(came, Done):
            state = (State.CHANGED if came.changes else State.OK) if came.complete else State.FAILED
            error, hint = (_line(came.failure, 0), came.failure.hint) if came.failure else ("", "")
            return cls(node, state, came.changes, taken, came.exit, error, hint, came.document, came.show, came.failure)
        state = State.UNREACHABLE if isinstance(came, Unreachable) else State.FAILED
        return cls(node, state, 0, taken, came.code, _line(came, -1), came.hint, failure=came)

    @property
    def row(self) -> dict[str, object]:
        """What all tasks know of a node, as JSON has it."""
        return {
            "node": self.node,
            "state": self.state,
            "changes": self.changes,
            "seconds": self.seconds,
            "code": int(self.code),
            "error": self.error,
            "hint": self.hint,
        }

    def whole(self) -> Document:
        """The outcome as JSON has it: the document, read where it is, and the row.

        Raises OSError or ValueError when its file is gone, or is not what was written.
        """
        document = self.document if self.kept is None else json.loads(self.kept.read_text())
        return {**document, **self.row}


def not_begun(node: str, why: str = "") -> Outcome:
    """A node that the run ended before; nothing is known to be so there, which is the outside's failure."""
    return Outcome(node, State.NOT_BEGUN, code=Exit.OUTSIDE_FAILED, error=why)


def _line(failure: Failure, which: int) -> str:
    """A failure in one line: its message, and one line of what came back (of a program, the last tells most)."""
    came = [line.strip() for line in failure.detail.splitlines() if line.strip()]
    return f"{failure.message}: {came[which]}" if came else failure.message


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """The lowest of the nodes' exit codes but 0: 1 when a node is not so, 4 when only the outside failed."""
    return min((outcome.code for outcome in outcomes if outcome.code), default=Exit.OK)


def failure_of_all(outcomes: Sequence[Outcome], report: Path | None) -> Failure | None:
    """The failure of a fleet, of the kind that its exit code stands for; None when no node has an error."""
    wrong = [outcome for outcome in outcomes if outcome.error]
    if not wrong:
        return None
    if len(outcomes) == 1:
        return wrong[0].failure or KINDS[Exit(wrong[0].code)](wrong[0].error, hint=wrong[0].hint)
    undone = Counter(outcome.state.value for outcome in outcomes if not outcome.state.done)
    kind = KINDS[Exit(exit_code(outcomes))]
    if not undone:
        hint = f"{wrong[0].hint}; {AGAIN}" if wrong[0].hint else AGAIN
        return kind(f"{len(wrong)} of {len(outcomes)} nodes: {wrong[0].error}", hint=hint)
    states = ", ".join(f"{count} {state}" for state, count in sorted(undone.items()))
    return kind(
        f"{undone.total()} of {len(outcomes)} nodes did not get done: {states}",
        hint=f"{AGAIN}; the report is in {report}",
    )
