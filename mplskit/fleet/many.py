"""A node task on the nodes that its command line chooses: one is shown as itself, an inventory's as a fleet."""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from mplskit import progress, terminal
from mplskit.errors import Failure, Leave
from mplskit.fault import code_of

if TYPE_CHECKING:
    from pathlib import Path

    from mplskit.fleet.asked import Asks
    from mplskit.fleet.last_run import Last
    from mplskit.fleet.outcome import Outcome
    from mplskit.fleet.pool import Engine, Fleet, Limits, Work
    from mplskit.node.node import Node

Report = Callable[["Sequence[Outcome]"], None]


def on_nodes(
    task: str,
    work: "Work",
    *,
    json: bool,
    each: bool = False,
    asks: "Asks | None" = None,
    report: Report = lambda outcomes: None,
    engine: "Engine | None" = None,
    ask_become_password: bool,
    **flags: Any,
) -> None:
    """Do `work` on the chosen nodes, show what came of it, and leave with the exit code of all.

    With `each`, what is not so on a node of many is shown in full, above the table. `asks`: see fleet.asked. `report`
    gets the outcomes, whatever they are. `engine` stands in for `pool.run` with `work`. The other keywords are those
    of flags.FLEET, PASSWORD and SELECTION. Raises what the work raises on a single host.
    """
    from mplskit.fleet.asked import asked
    from mplskit.fleet.inventory.selection import with_password
    from mplskit.fleet.pool import run
    from mplskit.places import workspace_for

    if engine or flags["inventory"]:
        workspace_for(f"node.{task}")
    chosen = asked(task, asks, ask_become_password=ask_become_password, pyinfra=engine is not None, **flags)
    nodes = with_password(chosen.nodes, ask_become_password)
    carried = engine or (lambda nodes, limits, watch, keep: run(nodes, work, limits, watch, keep))
    if chosen.last is None:
        _on_one(task, carried, nodes, chosen.limits, flags["host"], report, json=json)
    else:
        document = {"task": f"node.{task}", "inventory": flags["inventory"]}
        with closing(chosen.last) as last:
            _on_fleet(document, carried, nodes, chosen.limits, last, report, json=json, each=each)


def _on_one(
    task: str, engine: "Engine", nodes: "Sequence[Node]", limits: "Limits", host: str, report: Report, *, json: bool
) -> None:
    from mplskit.fleet.last_run import write
    from mplskit.fleet.outcome import exit_code, told
    from mplskit.fleet.summary import is_summed
    from mplskit.fleet.watch import One

    fleet = engine(nodes, limits, One(), lambda outcomes: outcomes)
    [outcome] = fleet.outcomes
    fault = _fault_of(lambda: report(fleet.outcomes))
    if outcome.show:
        show = outcome.show
        terminal.show({"host": host, **outcome.document}, json, lambda: show(outcome.document))
    if not json and is_summed(outcome.document):
        path = _file_of(nodes[0], task)
        unkept = _fault_of(lambda: write(path, outcome.whole()))
        progress.note(f"! {_not_kept(unkept).message}" if unkept else f"every item is in {path}")
    if fleet.interruption and outcome.error:
        progress.note(f"! {outcome.error}")
    _leave(fleet.interruption or fault or told(fleet.outcomes, None), exit_code(fleet.outcomes))


def _file_of(node: "Node", task: str) -> "Path":
    """Where the items of a node stand that no inventory has."""
    from mplskit.fleet.formats.folder import name_of
    from mplskit.paths import Workspace

    port = f"-{node.host.port}" if node.host.port else ""
    return Workspace.here().build / "nodes" / "hosts" / f"{name_of(node)}{port}" / f"{task}.json"


def _on_fleet(
    document: dict[str, Any],
    engine: "Engine",
    nodes: "Sequence[Node]",
    limits: "Limits",
    last: "Last",
    report: Report,
    *,
    json: bool,
    each: bool,
) -> None:
    from mplskit.fleet import show
    from mplskit.fleet.outcome import exit_code, told
    from mplskit.fleet.summary import is_summed

    if not nodes:
        report([])
        progress.note("the last run got all of these nodes done: nothing to take up")
        terminal.show({**document, "code": 0, "nodes": []}, json, lambda: None)
        return
    last.begin(nodes)
    plural = "" if len(nodes) == 1 else "s"
    fleet, unseen = _carried(engine, nodes, limits, f"{document['task']} on {len(nodes)} node{plural}", last)
    lost = _fault_of(lambda: last.put(fleet.outcomes, now=True))
    unkept = _not_kept(lost) if lost else None
    unwritten = _fault_of(lambda: report(fleet.outcomes))
    ending = fleet.interruption or unkept or unwritten or unseen or told(fleet.outcomes, last.path)
    code = code_of(ending) if ending else exit_code(fleet.outcomes)

    def text() -> None:
        for outcome in fleet.outcomes:
            if outcome.show and (len(nodes) == 1 or (each and outcome.code)):
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
        progress.note(f"! the report is in {last.path}; --failed takes up what is not done")
    _leave(ending, code)


def _carried(
    engine: "Engine", nodes: "Sequence[Node]", limits: "Limits", title: str, last: "Last"
) -> "tuple[Fleet, Exception | None]":
    """The run, and what went wrong with its being seen: that ends no node."""
    from mplskit.fleet.reporting_failures import Sheltered, sheltered
    from mplskit.fleet.watch import watching

    fleet: Fleet | None = None
    try:
        with watching(len(nodes), title) as watch:
            calm = Sheltered(watch)
            fleet = engine(nodes, limits, calm, sheltered(last.put))
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
    from mplskit.fault import failure_of

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
