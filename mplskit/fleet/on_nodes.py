"""A node task on the nodes that its command line chooses: one is shown as itself, an inventory's as a fleet."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from mplskit import progress, terminal
from mplskit.errors import Failure, Leave
from mplskit.fleet import show
from mplskit.fleet.assignment import Assignment, Wants, assignment
from mplskit.fleet.flags import FleetFlags, NodeFlags
from mplskit.fleet.formats.folder import name_of
from mplskit.fleet.last_run import LastRun, write
from mplskit.fleet.outcome import Outcome, exit_code, failure_of_all
from mplskit.fleet.pool import Engine, Fleet, Work, run
from mplskit.fleet.reporting_failures import UnfailingWatch, unfailing
from mplskit.fleet.summary import is_summed
from mplskit.fleet.watch import One, watching
from mplskit.node.node import Node
from mplskit.paths import Workspace
from mplskit.remote.flags import SessionFlags
from mplskit.remote.password import with_password
from mplskit.task_folders import workspace_for
from mplskit.unforeseen import code_of, failure_of
from mplskit.wording import counted


@dataclass(frozen=True)
class NodeTask:
    """What `node.NAME` does on each node, and wants of it.

    With `each`, what is not so on a node of many is shown in full, above the table. `report` gets the outcomes,
    whatever they are. `engine` stands in for `pool.run` with `work`.
    """

    name: str
    work: Work
    each: bool = False
    wants: Wants = lambda node: None
    report: Callable[[Sequence[Outcome]], None] = lambda outcomes: None
    engine: Engine | None = None


def on_nodes(task: NodeTask, selection: NodeFlags, session: SessionFlags, fleet: FleetFlags, *, json: bool) -> None:
    """Do a task on the chosen nodes, show what came of it, and leave with the exit code of all.

    Raises what the work raises on a single host.
    """
    if task.engine or selection.inventory:
        workspace_for(f"node.{task.name}")
    assigned = assignment(task.name, selection, session, fleet, task.wants, pyinfra=task.engine is not None)
    hosts = with_password([node.host for node in assigned.nodes], session.ask_become_password)
    nodes = tuple(replace(node, host=host) for node, host in zip(assigned.nodes, hosts, strict=True))
    assigned = replace(assigned, nodes=nodes)
    if assigned.last_run is None:
        _on_one(task, assigned, selection.host, json=json)
    else:
        with closing(assigned.last_run) as last_run:
            _on_fleet(task, assigned, last_run, selection.inventory, json=json)


def _engine(task: NodeTask) -> Engine:
    return task.engine or (lambda nodes, limits, watch, keep: run(nodes, task.work, limits, watch, keep))


def _on_one(task: NodeTask, assigned: Assignment, host: str, *, json: bool) -> None:
    fleet = _engine(task)(assigned.nodes, assigned.limits, One(), lambda outcomes: outcomes)
    [outcome] = fleet.outcomes
    fault = _fault_of(lambda: task.report(fleet.outcomes))
    if outcome.show:
        show_text = outcome.show
        terminal.show({"host": host, **outcome.document}, json, lambda: show_text(outcome.document))
    if not json and is_summed(outcome.document):
        path = _file_of(assigned.nodes[0], task.name)
        unkept = _fault_of(lambda: write(path, outcome.whole()))
        progress.note(f"! {_not_kept(unkept).message}" if unkept else f"every item is in {path}")
    if fleet.interruption and outcome.error:
        progress.note(f"! {outcome.error}")
    _leave(fleet.interruption or fault or failure_of_all(fleet.outcomes, None), exit_code(fleet.outcomes))


def _file_of(node: Node, task: str) -> Path:
    """Where the items of a node stand that no inventory has."""
    port = f"-{node.host.port}" if node.host.port else ""
    return Workspace.here().build / "nodes" / "hosts" / f"{name_of(node)}{port}" / f"{task}.json"


def _on_fleet(task: NodeTask, assigned: Assignment, last_run: LastRun, inventory: str, *, json: bool) -> None:
    nodes, document = assigned.nodes, {"task": f"node.{task.name}", "inventory": inventory}
    if not nodes:
        task.report([])
        progress.note("the last run got all of these nodes done: nothing to take up")
        terminal.show({**document, "code": 0, "nodes": []}, json, lambda: None)
        return
    last_run.begin(nodes)
    fleet, unseen = _carried(_engine(task), assigned, f"node.{task.name} on {counted(len(nodes), 'node')}", last_run)
    lost = _fault_of(lambda: last_run.put(fleet.outcomes, now=True))
    unkept = _not_kept(lost) if lost else None
    unwritten = _fault_of(lambda: task.report(fleet.outcomes))
    ending = fleet.interruption or unkept or unwritten or unseen or failure_of_all(fleet.outcomes, last_run.path)
    code = code_of(ending) if ending else exit_code(fleet.outcomes)

    def text() -> None:
        for outcome in fleet.outcomes:
            if outcome.show and (len(nodes) == 1 or (task.each and outcome.code)):
                if len(nodes) > 1:
                    print(f"{outcome.node}:", flush=True)
                whole = outcome.whole()
                outcome.show(whole)
                if is_summed(whole):
                    print(f"every item is in {outcome.kept}", flush=True)
        if len(nodes) > 1:
            show.fleet(fleet.outcomes)

    terminal.show_rows({**document, "code": code}, "nodes", (outcome.whole() for outcome in fleet.outcomes), json, text)
    if fleet.interruption and unkept:
        progress.note(f"! {unkept.message}")
    elif fleet.interruption:
        progress.note(f"! the report is in {last_run.path}; --failed takes up what is not done")
    _leave(ending, code)


def _carried(engine: Engine, assigned: Assignment, title: str, last_run: LastRun) -> tuple[Fleet, Exception | None]:
    """The run, and what went wrong with its being seen: that ends no node."""
    fleet: Fleet | None = None
    try:
        with watching(len(assigned.nodes), title) as watch:
            calm = UnfailingWatch(watch)
            fleet = engine(assigned.nodes, assigned.limits, calm, unfailing(last_run.put))
    except Exception as error:
        if fleet is None:
            raise
        return fleet, calm.fault or error
    return fleet, calm.fault


def _fault_of(act: Callable[[], object]) -> Exception | None:
    """What went wrong; it is told when the outcomes have been shown."""
    try:
        act()
    except Exception as error:
        return error
    return None


def _not_kept(error: Exception) -> Failure:
    failure = failure_of(error)
    return type(failure)(
        f"the report could not be kept: {failure.message}",
        detail=failure.detail,
        hint=f"{failure.hint}; --failed does not know this run" if failure.hint else "--failed does not know this run",
    )


def _leave(ending: BaseException | None, code: int) -> None:
    if ending:
        raise ending
    if code:
        raise Leave(code)
