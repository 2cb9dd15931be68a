"""A run is kept from its own reporting: neither the screen nor the report's file ends nodes that are well."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from mplskit.fleet.outcome import Outcome
from mplskit.fleet.pool import Keep, Watch


class UnfailingWatch:
    """A watch that raises nothing; `fault` is the first that the one inside raised."""

    def __init__(self, watch: Watch) -> None:
        self.fault: Exception | None = None
        self._watch = watch

    def begun(self, node: str) -> None:
        """A node was begun."""
        with self._caught():
            self._watch.begun(node)

    def said(self, node: str, text: str) -> None:
        """What is being done on a node."""
        with self._caught():
            self._watch.said(node, text)

    def listening(self, node: str) -> AbstractContextManager[None]:
        """Where the notes of a node go."""
        return self._watch.listening(node)

    def ended(self, outcome: Outcome) -> None:
        """A node is through."""
        with self._caught():
            self._watch.ended(outcome)

    @contextmanager
    def _caught(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.fault = self.fault or error


def unfailing(keep: Keep) -> Keep:
    """The same, and it raises nothing: whether the report is kept is known when it is written at the end."""

    def kept(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        try:
            return keep(outcomes)
        except Exception:
            return outcomes

    return kept
