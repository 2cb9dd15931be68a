"""A node task on the nodes that its command line chooses: one is shown as itself, an inventory's as a fleet."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mplskit import cli, progress
from mplskit.cli import Flag
from mplskit.errors import BuildFailed, Exit, Failure, MachineLacks, NotSo, OutsideFailed, WrongInput

if TYPE_CHECKING:
    from mplskit.node.fleet.fleet import Limits, Work
    from mplskit.node.fleet.outcome import Outcome
    from mplskit.node.node import Node

FLEET = MappingProxyType(
    {
        "parallel": Flag("with --inventory: how many nodes at a time (default 16)"),
        "batch": Flag("with --inventory: this many nodes first, and the next as many when they are through"),
        "max_failures": Flag("with --inventory: begin no more nodes when more than this many have failed"),
        "failed": Flag("with --inventory: only the nodes that the last run of this task did not get done", False),
        "timeout": Flag("seconds for each node; without it as long as it takes"),
    }
)

KINDS = {kind.code: kind for kind in (NotSo, WrongInput, MachineLacks, OutsideFailed, BuildFailed)}
DAY = 24 * 60 * 60


def on_nodes(
    task: str,
    work: "Work",
    *,
    json: bool,
    each: bool = False,
    parallel: str,
    batch: str,
    max_failures: str,
    failed: bool,
    timeout: str,
    **selection: Any,
) -> None:
    """Do `work` on the chosen nodes, show what came of it, and leave with the exit code of all.

    With `each`, what is not so on a node of many is shown in full, above the table. The keywords are those of FLEET and
    of flags.SELECTION. Raises what the work raises on a single host.
    """
    from mplskit.node.fleet.fleet import alone
    from mplskit.node.inventory.selection import chosen

    nodes = chosen(**selection)
    limits = _limits(parallel, batch, max_failures, timeout)
    if selection["inventory"]:
        _on_fleet(task, work, nodes, limits, Path(selection["inventory"]), json=json, each=each, failed=failed)
        return
    given = {"--parallel": parallel, "--batch": batch, "--max-failures": max_failures, "--failed": failed}
    for flag, value in given.items():
        if value:
            raise WrongInput(f"{flag} is for an inventory, and --host names one node")
    done = alone(nodes[0], work, limits.timeout)
    cli.show({"host": selection["host"], **done.document}, json, done.show)
    if done.failure:
        raise done.failure
    cli.leave(done.code)


def _on_fleet(
    task: str,
    work: "Work",
    nodes: "Sequence[Node]",
    limits: "Limits",
    inventory: Path,
    *,
    json: bool,
    each: bool,
    failed: bool,
) -> None:
    from mplskit.node.fleet import show
    from mplskit.node.fleet.fleet import run
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
        fleet = run(nodes, work, limits, watch, last.put)
    last.put(fleet.outcomes, now=True)
    code = exit_code(fleet.outcomes)

    def text() -> None:
        for outcome in fleet.outcomes:
            if outcome.show and (len(nodes) == 1 or (each and outcome.code)):
                if len(nodes) > 1:
                    print(f"{outcome.node}:", flush=True)
                outcome.show()
        if len(nodes) > 1:
            show.fleet(fleet.outcomes)

    rows = [as_row(outcome) for outcome in fleet.outcomes]
    cli.show({**document, "code": int(code), "nodes": rows}, json, text)
    if fleet.interruption:
        progress.note(f"! the report is in {last.path}; --failed takes up what is not done")
        raise fleet.interruption
    failure = told(fleet.outcomes, last.path)
    if failure:
        raise failure
    cli.leave(code)


def told(outcomes: "Sequence[Outcome]", report: Path) -> Failure | None:
    """The failure of a fleet, of the kind that its exit code stands for; None when no node has an error."""
    from mplskit.node.fleet.outcome import exit_code

    wrong = [outcome for outcome in outcomes if outcome.error]
    if not wrong:
        return None
    if len(outcomes) == 1:
        return KINDS[Exit(wrong[0].code)](wrong[0].error, hint=wrong[0].hint)
    undone = Counter(outcome.state.value for outcome in outcomes if not outcome.state.done)
    kind = KINDS[Exit(exit_code(outcomes))]
    if not undone:
        return kind(f"{len(wrong)} of {len(outcomes)} nodes: {wrong[0].error}", hint=wrong[0].hint)
    states = ", ".join(f"{count} {state}" for state, count in sorted(undone.items()))
    return kind(
        f"{undone.total()} of {len(outcomes)} nodes did not get done: {states}",
        hint=f"the same command with --failed takes up these alone; the report is in {report}",
    )


def _limits(parallel: str, batch: str, max_failures: str, timeout: str) -> "Limits":
    from mplskit.node.fleet.fleet import MOST, Limits

    return Limits(
        parallel=cli.number(parallel, "--parallel", 1, MOST) if parallel else Limits.parallel,
        batch=cli.number(batch, "--batch", 1, 1_000_000) if batch else None,
        max_failures=cli.number(max_failures, "--max-failures", 0, 1_000_000) if max_failures else None,
        timeout=cli.number(timeout, "--timeout", 1, DAY) if timeout else None,
    )
