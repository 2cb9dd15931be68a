"""What a command line assigns to a run: nodes, limits, and what the last run left. Every flag is judged here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mplskit.errors import WrongInput
from mplskit.flag_groups import spelled
from mplskit.fleet.flags import DAY, PATIENCE, FleetFlags, NodeFlags
from mplskit.fleet.inventory.selection import selected
from mplskit.fleet.last_run import LastRun
from mplskit.fleet.pool import MOST, Limits
from mplskit.fleet.pyinfra.bounds import check_pyinfra
from mplskit.node.node import Node
from mplskit.paths import Workspace
from mplskit.remote.flags import SessionFlags
from mplskit.remote.password import may_ask
from mplskit.whole_number import whole_number

# What a task wants of a node, as a JSON value: another value is another want.
Wants = Callable[[Node], object]


@dataclass(frozen=True)
class Assignment:
    """The nodes to take up (none: all are done), in which limits; `last_run` is there for those of an inventory."""

    nodes: tuple[Node, ...]
    limits: Limits
    last_run: LastRun | None


def assignment(
    task: str,
    selection: NodeFlags,
    session: SessionFlags,
    fleet: FleetFlags,
    wants: Wants = lambda node: None,
    *,
    pyinfra: bool = False,
) -> Assignment:
    """Judge what the command line says; no password is asked for, and no node is reached.

    `pyinfra`: it carries the task. Raises WrongInput.
    """
    nodes = selected(selection, session, pyinfra=pyinfra)
    limits = _limits(fleet)
    if pyinfra:
        check_pyinfra(nodes, timeout=fleet.timeout, ask_become_password=session.ask_become_password)
    may_ask((node.host for node in nodes), session.ask_become_password)
    if selection.inventory:
        last_run = LastRun(Workspace.here().build, task, Path(selection.inventory), wants).load()
        return Assignment(last_run.undone(nodes) if fleet.failed else nodes, limits, last_run)
    for name in ("parallel", "batch", "max_failures", "failed"):
        if getattr(fleet, name):
            raise WrongInput(f"--{spelled(name)} is for an inventory, and --host names one node")
    return Assignment(nodes, limits, None)


def _limits(fleet: FleetFlags) -> Limits:
    def bounded(text: str, flag: str, lowest: int, highest: int) -> int | None:
        return whole_number(text, flag, lowest, highest) if text else None

    return Limits(
        parallel=bounded(fleet.parallel, "--parallel", 1, MOST) or Limits.parallel,
        batch=bounded(fleet.batch, "--batch", 1, 1_000_000),
        max_failures=bounded(fleet.max_failures, "--max-failures", 0, 1_000_000),
        timeout=bounded(fleet.timeout, "--timeout", 1, DAY) or PATIENCE,
    )
