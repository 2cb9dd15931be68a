"""A node task on the nodes that its command line chooses: one is shown as itself, an inventory's as a fleet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mplskit import cli, progress
from mplskit.errors import Exit, WrongInput
from mplskit.node.inventory.flags import DAY

if TYPE_CHECKING:
    from mplskit.node.fleet.fleet import Engine, Fleet, Limits, Work
    from mplskit.node.node import Node


def on_nodes(
    task: str,
    work: "Work",
    *,
    json: bool,
    each: bool = False,
    engine: "Engine | None" = None,
    parallel: str,
    batch: str,
    max_failures: str,
    failed: bool,
    timeout: str,
    **selection: Any,
) -> None:
    """Do `work` on the chosen nodes, show what came of it, and leave with the exit code of all.

    With `each`, what is not so on a node of many is shown in full, above the table. `engine` does it in the place of
    `fleet.run` with `work`. The keywords are those of flags.FLEET and flags.SELECTION. Raises what the work raises on a
    single host.
    """
    from mplskit.node.fleet.fleet import run
    from mplskit.node.inventory.selection import chosen

    nodes = chosen(**selection)
    limits = _limits(parallel, batch, max_failures, timeout)
    carried = engine or (lambda nodes, limits, watch, keep: run(nodes, work, limits, watch, keep))
    if selection["inventory"]:
        _on_fleet(task, carried, nodes, limits, Path(selection["inventory"]), json=json, each=each, failed=failed)
        return
    given = {"--parallel": parallel, "--batch": batch, "--max-failures": max_failures, "--failed": failed}
    for flag, value in given.items():
        if value:
            raise WrongInput(f"{flag} is for an inventory, and --host names one node")
    _on_one(carried, nodes, limits, selection["host"], json=json)


def _on_one(engine: "Engine", nodes: "Sequence[Node]", limits: "Limits", host: str, *, json: bool) -> None:
    from mplskit.node.fleet.watch import One

    fleet = engine(nodes, limits, One(), lambda outcomes: None)
    [outcome] = fleet.outcomes
    if outcome.show:
        cli.show({"host": host, **outcome.document}, json, outcome.show)
    _leave(fleet, None)


def _on_fleet(
    task: str,
    engine: "Engine",
    nodes: "Sequence[Node]",
    limits: "Limits",
    inventory: Path,
    *,
    json: bool,
    each: bool,
    failed: bool,
) -> None:
    from mplskit.node.fleet import show
    from mplskit.node.fleet.last import Last, as_row
    from mplskit.node.fleet.outcome import exit_code
    from mplskit.node.fleet.watch import watching
    from mplskit.paths import Workspace

    document = {"task": f"node.{task}", "inventory": str(inventory)}
    last = Last(Workspace.here().build, task, inventory).load()
    if failed:
        nodes = last.undone(nodes)
        if not nodes:
            progress.note("the last run got all of these nodes done: nothing to take up")
            cli.show({**document, "code": int(Exit.OK), "nodes": []}, json, lambda: None)
            return
    last.begin(nodes)
    plural = "" if len(nodes) == 1 else "s"
    with watching(len(nodes), f"node.{task} on {len(nodes)} node{plural}") as watch:
        fleet = engine(nodes, limits, watch, last.put)
    last.put(fleet.outcomes, now=True)

    def text() -> None:
        for outcome in fleet.outcomes:
            if outcome.show and (len(nodes) == 1 or (each and outcome.code)):
                if len(nodes) > 1:
                    print(f"{outcome.node}:", flush=True)
                outcome.show()
        if len(nodes) > 1:
            show.fleet(fleet.outcomes)

    rows = [as_row(outcome) for outcome in fleet.outcomes]
    cli.show({**document, "code": exit_code(fleet.outcomes), "nodes": rows}, json, text)
    if fleet.interruption:
        progress.note(f"! the report is in {last.path}; --failed takes up what is not done")
    _leave(fleet, last.path)


def _leave(fleet: "Fleet", report: Path | None) -> None:
    from mplskit.node.fleet.outcome import exit_code, told

    if fleet.interruption:
        raise fleet.interruption
    failure = told(fleet.outcomes, report)
    if failure:
        raise failure
    cli.leave(exit_code(fleet.outcomes))


def _limits(parallel: str, batch: str, max_failures: str, timeout: str) -> "Limits":
    from mplskit.node.fleet.fleet import MOST, Limits

    return Limits(
        parallel=cli.number(parallel, "--parallel", 1, MOST) if parallel else Limits.parallel,
        batch=cli.number(batch, "--batch", 1, 1_000_000) if batch else None,
        max_failures=cli.number(max_failures, "--max-failures", 0, 1_000_000) if max_failures else None,
        timeout=cli.number(timeout, "--timeout", 1, DAY) if timeout else None,
    )
