"""What a command line asks for: nodes, limits, and what the last run left of them. Every flag is judged here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mplskit.errors import WrongInput
from mplskit.fleet.inventory.flags import DAY, PATIENCE
from mplskit.fleet.inventory.selection import chosen, may_ask
from mplskit.fleet.last_run import Last
from mplskit.fleet.pool import MOST, Limits
from mplskit.fleet.pyinfra.bounds import check_pyinfra
from mplskit.node.node import Node
from mplskit.number import whole_number
from mplskit.paths import Workspace

# What a task asks for on a node, as a JSON value.
Asks = Callable[[Node], object]


@dataclass(frozen=True)
class Asked:
    """The nodes to take up (none: all are done), in which limits; `last` is there for those of an inventory."""

    nodes: tuple[Node, ...]
    limits: Limits
    last: Last | None


def asked(
    task: str,
    asks: Asks | None = None,
    *,
    parallel: str,
    batch: str,
    max_failures: str,
    failed: bool,
    timeout: str,
    ask_become_password: bool,
    pyinfra: bool = False,
    **selection: Any,
) -> Asked:
    """Read and judge the flags of flags.FLEET, PASSWORD and SELECTION; nothing is asked for, and no node is reached.

    A task without `asks` asks for nothing that the command line describes. `pyinfra`: it carries the task. Raises
    WrongInput.
    """
    nodes = chosen(**selection, described=asks is not None, pyinfra=pyinfra)
    limits = Limits(
        parallel=whole_number(parallel, "--parallel", 1, MOST) if parallel else Limits.parallel,
        batch=whole_number(batch, "--batch", 1, 1_000_000) if batch else None,
        max_failures=whole_number(max_failures, "--max-failures", 0, 1_000_000) if max_failures else None,
        timeout=whole_number(timeout, "--timeout", 1, DAY) if timeout else PATIENCE,
    )
    if pyinfra:
        check_pyinfra(nodes, timeout=timeout, ask_become_password=ask_become_password)
    may_ask(nodes, ask_become_password)
    if selection["inventory"]:
        build, path = Workspace.here().build, Path(selection["inventory"])
        last = Last(build, task, path, asks or (lambda node: None)).load()
        return Asked(last.undone(nodes) if failed else nodes, limits, last)
    given = {"--parallel": parallel, "--batch": batch, "--max-failures": max_failures, "--failed": failed}
    for flag, value in given.items():
        if value:
            raise WrongInput(f"{flag} is for an inventory, and --host names one node")
    return Asked(nodes, limits, None)
